package jobs

import (
	"cmp"
	"context"
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
	m.know(client)
	m.mu.Lock()
	defer m.mu.Unlock()
	if !m.stopping {
		m.work.Go(func() { m.maintain(client) })
	}
}

func (m *Manager) maintain(client *notte.Client) {
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
			r.setLease(a.Lease, a.Job.Volatile) // it runs here: another process had it for a while
			continue
		}
		if err := m.resume(a, m.client(a.Job.Owner)); err != nil {
			m.log.Debug("a job of a process that has ended could not be taken over for now", "job", a.Job.ID, "err", err)
			m.held = append(m.held, a)
		}
	}
}

// resume rebuilds a job from its log and goes on with what can be done for it.
func (m *Manager) resume(a Adopted, client *notte.Client) error {
	ctx, cancel := context.WithCancelCause(m.ctx)
	r := newRecord(withoutReplayed(withLink(client, a.Job)), "", client, cancel, m.recorder.mark)
	err := m.replay(r)
	r.setLease(a.Lease, a.Job.Volatile)
	if err == nil {
		_, err = m.add(r, CreateOptions{})
	}
	if err != nil {
		cancel(err)
		return err
	}
	close(r.created)
	work := resumeBuild
	if a.Job.Kind == KindRun {
		work = RunSpec{Client: client, FunctionID: a.Job.Run.FunctionID}.resume
	}
	if a.Cancelled {
		cancel(errCancelled)
	}
	m.logJob(slog.LevelInfo, a.Job, "is taken over from a process that has ended")
	go m.run(ctx, r, work)
	return nil
}

// withoutReplayed clears the fields that replaying the log restores. Others
// stay: they may be newer than the last entry.
func withoutReplayed(job Job) Job {
	job = job.clone()
	if b := job.Build; b != nil {
		b.Started, b.Steps, b.StepCount, b.Answer, b.Thinking, b.Dropped = true, nil, 0, "", "", 0
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
		openLinks(r.client, entries)
		for _, e := range entries {
			r.reduce(e.Event)
			r.log.add(e)
			r.seq, r.stored, r.shown = e.Seq, e.Seq, e.Seq
		}
	}
}

// evict forgets the ended jobs that the store has, and keeps the others within
// bounds.
func (m *Manager) evict(now time.Time) {
	var ended []*record
	for _, r := range m.all() {
		switch {
		case !r.hasEnded():
		case r.dispensable(now, m.opts.ReuseWindow):
			m.remove(r)
		default:
			ended = append(ended, r)
		}
	}
	slices.SortFunc(ended, func(a, b *record) int { return cmp.Or(b.began.Compare(a.began), cmp.Compare(a.id, b.id)) })
	bytes := 0
	for i, r := range ended {
		if bytes += r.size(); i > 0 && (i >= maxEnded || bytes > maxEndedBytes) {
			m.remove(r)
		}
	}
}
