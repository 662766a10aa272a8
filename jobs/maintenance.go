package jobs

import (
	"log/slog"
	"slices"
	"time"

	"github.com/anything-mcp/anything-mcp/notte"
)

// When the store is maintained. The first check is delayed so that short-lived
// processes never open the database.
const (
	maintainFirst = 2 * time.Second
	maintainEvery = 5 * time.Second
	forgetEvery   = time.Hour
)

// Bounds of the ended jobs that are kept in memory, because the store does not
// have them or because they may be reused. The oldest go first.
const (
	maxEnded      = 1000
	maxEndedBytes = 256 << 20
)

// Recover takes over, in the background and until the Manager stops, what
// processes of the client's owner left behind when they died, and deletes jobs
// that were kept long enough. Builds end as interrupted, with what their logs
// have; the outcome of a run is looked up by its ID. Nothing is started again.
func (m *Manager) Recover(client *notte.Client) {
	m.clients.Store(client.Owner(), client)
	if m.enter() == nil {
		go m.maintain(client)
	}
}

func (m *Manager) maintain(client *notte.Client) {
	defer m.work.Done()
	wait := maintainFirst
	var checked, forgotten time.Time
	for {
		select {
		case <-m.ctx.Done():
			return
		case <-time.After(wait):
		}
		wait = maintainEvery
		// Use wall-clock time: it advances while the machine sleeps. After a
		// wake-up, skip one round so that lease holders can renew first.
		now := time.Now().Round(0)
		woken := !checked.IsZero() && now.Sub(checked) > maintainEvery+leaseTime
		checked = now
		if client.Ready() == nil && !woken {
			m.adopt(client.Owner())
		}
		if m.opts.Keep > 0 && now.Sub(forgotten) > forgetEvery {
			forgotten = now
			m.deleteOld(now.Add(-m.opts.Keep))
		}
	}
}

func (m *Manager) deleteOld(before time.Time) {
	n, err := m.store.Forget(m.ctx, before)
	switch {
	case err != nil && m.ctx.Err() == nil:
		m.recorder.note(err, "")
	case n > 0:
		m.log.Debug("old jobs were deleted", "jobs", n, "older_than", m.opts.Keep)
	}
}

// TakeOver takes over at once what [Manager.Recover] takes over in the background, and
// reports whether this process now has the job.
func (m *Manager) TakeOver(owner, id string) bool {
	m.adopt(owner)
	return m.record(id) != nil
}

// adopt takes over jobs without a holder. Those for which the store fails stay held,
// but are not renewed, so that another process may adopt them.
func (m *Manager) adopt(owner string) {
	m.adopting.Lock()
	defer m.adopting.Unlock()
	now := time.Now()
	adopted, err := m.store.Adopt(m.ctx, owner, m.holder, now.Add(leaseTime), now)
	if m.ctx.Err() == nil {
		m.recorder.note(err, "")
	}
	waiting := append(m.held, adopted...)
	m.held = nil
	for _, a := range waiting {
		if r := m.record(a.Job.ID); r != nil {
			r.setLease(a.Lease) // it runs here: another process had it for a while
			continue
		}
		if err := m.resume(a); err != nil {
			m.log.Debug("a job of a process that has ended could not be taken over for now", "job", a.Job.ID, "err", err)
			m.held = append(m.held, a)
		}
	}
}

// resume rebuilds a job from its log and goes on with what can be done for it.
func (m *Manager) resume(a Adopted) error {
	client := m.client(a.Job.Owner)
	r, ctx := m.newRecord(withoutReplayed(a.Job, client), "", client)
	err := m.replay(r)
	if err == nil {
		err = m.enter()
	}
	if err != nil {
		r.cancel(err)
		return err
	}
	r.setLease(a.Lease)
	m.records.Store(r.id, r)
	work := resumeBuild
	switch a.Job.Kind {
	case KindRun:
		work = RunSpec{Client: client, FunctionID: a.Job.Run.FunctionID}.resume
	case KindBatch:
		work = abandonBatch
	}
	if a.Cancelled {
		r.cancel(errCancelled)
	}
	m.logJob(slog.LevelInfo, a.Job, "is taken over from a process that has ended")
	go m.run(ctx, r, work)
	return nil
}

// withoutReplayed clears the fields that replaying the log restores, and opens the link.
// Others stay: they may be newer than the last entry.
func withoutReplayed(job Job, client *notte.Client) Job {
	job = job.clone()
	if b := job.Build; b != nil {
		openLink(client, &b.ViewerURL)
		b.Started, b.Steps, b.StepCount, b.Answer, b.Thinking = true, nil, 0, "", ""
	}
	if r := job.Run; r != nil {
		r.Logs = nil
	}
	return job
}

// replay applies a stored log to a job that is about to be resumed.
func (m *Manager) replay(r *record) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	for {
		entries, err := m.store.Entries(m.ctx, r.id, r.seq, followBatch)
		if err != nil || len(entries) == 0 {
			return err
		}
		for _, e := range entries {
			openLink(r.client, &e.ViewerURL)
			r.reduce(e.Event)
			r.log.add(e)
			r.seq, r.stored, r.shown = e.Seq, e.Seq, e.Seq
		}
	}
}

// forget forgets an ended job unless it is still needed here.
func (m *Manager) forget(r *record) {
	if ended, needed, _ := r.retained(time.Now(), m.opts.ReuseWindow); ended && !needed {
		m.records.CompareAndDelete(r.id, r)
	}
}

// evict forgets the ended jobs that are not needed any more, and keeps the others
// within bounds.
func (m *Manager) evict(now time.Time) {
	all := m.all()
	slices.SortFunc(all, func(a, b *record) int { return b.began.Compare(a.began) })
	jobs, total := 0, 0
	for _, r := range all {
		ended, needed, bytes := r.retained(now, m.opts.ReuseWindow)
		if ended && needed {
			jobs++
			total += bytes
		}
		if ended && (!needed || jobs > maxEnded || jobs > 1 && total > maxEndedBytes) {
			m.records.CompareAndDelete(r.id, r)
		}
	}
}
