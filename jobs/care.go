package jobs

import (
	"context"
	"errors"
	"maps"
	"slices"
	"time"

	"github.com/anything-mcp/anything-mcp/notte"
)

// How the store is looked after in the background. The first look comes late
// enough that a process which only answers a question or two never opens it.
const (
	careDelay   = 2 * time.Second
	careEvery   = 5 * time.Second
	forgetEvery = time.Hour
)

// renew keeps the leases of this process's jobs, and ends those that another
// process has cancelled, until the Manager stops.
func (m *Manager) renew() {
	tick := time.NewTicker(leaseRenew)
	defer tick.Stop()
	for {
		select {
		case <-m.ctx.Done():
			return
		case <-tick.C:
		}
		running := m.running()
		if len(running) == 0 {
			continue
		}
		leases := make([]Lease, len(running))
		for i, l := range running {
			leases[i] = l.held()
		}
		cancelled, err := m.store.Renew(m.ctx, leases, time.Now().Add(leaseTime))
		if err != nil && m.ctx.Err() == nil {
			m.log.Warn("the leases of running jobs could not be renewed", "jobs", len(leases), "err", err)
		}
		for _, id := range cancelled {
			if l := m.find(id); l != nil {
				l.cancel(errCancelled)
			}
		}
		m.storeEnds(running)
	}
}

// running is the jobs that this process holds: those that run, and those whose
// end is not stored.
func (m *Manager) running() []*live {
	m.mu.Lock()
	defer m.mu.Unlock()
	return slices.Collect(maps.Values(m.live))
}

// storeEnds tries again to store the ends that could not be stored.
func (m *Manager) storeEnds(held []*live) {
	for _, l := range held {
		store := l.unstored()
		if store == nil {
			continue
		}
		id := l.held().JobID
		switch err := store(); {
		case err == nil:
			m.log.Info("a job's end is stored after all", "job", id)
			m.forget(id)
		case errors.Is(err, ErrEnded), errors.Is(err, ErrLeaseLost), errors.Is(err, ErrNotFound):
			// Another process has it or has ended it its way. What we know of its
			// end stays here, unless that is nothing.
			if l.snapshot().State == StateInterrupted {
				m.forget(id)
			} else {
				l.keep(nil)
			}
		}
	}
}

// Recover takes over, in the background and until the Manager stops, what
// processes of the client's owner have left behind when they died, and forgets
// what was kept long enough. Builds end as interrupted, with what their logs
// brought; the outcome of a run is fetched by its ID. Nothing is started again.
func (m *Manager) Recover(client *notte.Client) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if !m.stopping {
		m.work.Go(func() { m.care(client) })
	}
}

func (m *Manager) care(client *notte.Client) {
	wait := careDelay
	var looked, forgotten time.Time
	var waiting []Adopted // what could not be taken over yet
	for {
		select {
		case <-m.ctx.Done():
			return
		case <-time.After(wait):
		}
		wait = careEvery
		// By the wall clock, which goes on while the machine sleeps: just
		// woken, the holders of leases get the time to renew them.
		now := time.Now().Round(0)
		woken := !looked.IsZero() && now.Sub(looked) > careEvery+leaseTime
		looked = now
		if client.Ready() == nil && !woken {
			waiting = m.adopt(client, waiting)
		}
		if m.opts.Keep > 0 && now.Sub(forgotten) > forgetEvery {
			forgotten = now
			if n, err := m.store.Forget(m.ctx, now.Add(-m.opts.Keep)); err != nil {
				m.log.Warn("old jobs could not be deleted", "err", err)
			} else if n > 0 {
				m.log.Info("deleted old jobs", "jobs", n, "older_than", m.opts.Keep)
			}
		}
	}
}

// adopt brings jobs without a holder to their end, and those that are waiting
// for it. It returns those for which the store failed: they are held, but not
// renewed, so that another process may have them.
func (m *Manager) adopt(client *notte.Client, waiting []Adopted) []Adopted {
	now := time.Now()
	claim := Claim{Holder: m.holder, Until: now.Add(leaseTime)}
	adopted, err := m.store.Adopt(m.ctx, client.Owner(), claim, now)
	if err != nil && m.ctx.Err() == nil {
		m.log.Warn("jobs of ended processes could not be looked for", "err", err)
	}
	var failed []Adopted
	for _, a := range append(waiting, adopted...) {
		m.log.Info("taking over a job of a process that is gone", "job", a.Job.ID)
		if err := m.resume(a, client); err != nil {
			m.log.Warn("a job could not be taken over for now", "job", a.Job.ID, "err", err)
			failed = append(failed, a)
		}
	}
	return failed
}

// resume rebuilds a job from its log and goes on with what can be done for it.
func (m *Manager) resume(a Adopted, client *notte.Client) error {
	ctx, cancel := context.WithCancelCause(m.ctx)
	l := newLive(a.Job.bare(), client, cancel)
	if err := m.replay(l, a.Job.ID); err != nil {
		cancel(err)
		return err
	}
	l.hold(a.Lease, a.Job.Volatile)
	if err := m.admit(l); err != nil {
		cancel(err)
		return err
	}
	work := resumeBuild
	if a.Job.Kind == KindRun {
		work = RunSpec{Client: client, FunctionID: a.Job.Run.FunctionID}.resume
	}
	go m.run(ctx, l, work)
	return nil
}

// bare is the job without what its log tells whole. What was stored by itself
// stays: it may have come after the last entry.
func (j Job) bare() Job {
	if j.Build != nil {
		b := *j.Build
		b.Started, b.Steps, b.StepCount, b.Answer, b.Thinking, b.Dropped = true, nil, 0, "", "", 0
		j.Build = &b
	}
	if j.Run != nil {
		r := *j.Run
		r.Logs = nil
		j.Run = &r
	}
	return j
}

// replay feeds a stored log to a job that is about to be resumed.
func (m *Manager) replay(l *live, id string) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	for {
		entries, err := m.store.Entries(m.ctx, id, l.seq, followBatch)
		if err != nil || len(entries) == 0 {
			return err
		}
		for _, e := range entries {
			l.reduce(e.Event())
			l.log.add(e)
			l.seq = e.Seq
		}
	}
}
