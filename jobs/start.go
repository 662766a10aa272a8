package jobs

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/anything-mcp/anything-mcp/notte"
)

// outcome is how a job ends: its state, and its last event. The event is a
// pointer because what waits for an outcome should keep a small stack.
type outcome struct {
	state State
	event *notte.Event
}

// Start creates a job and starts it, or joins one, and reports whether it joined. A
// joined job may have ended already. The job goes on when ctx ends. Nothing is sent
// to Notte twice. Over a limit the error is a [*LimitError].
//
// The jobs of this process are asked first, so that a build that runs here is
// joined even while the store fails. If the store cannot take the job, it is
// kept in memory and stored later, unless there is a limit to check.
func (m *Manager) Start(ctx context.Context, spec Spec) (job Job, joined bool, err error) {
	now := time.Now()
	job = spec.job()
	job.Owner, job.State, job.StartedAt = spec.client().Owner(), StateRunning, now
	m.know(spec.client())
	opts := m.createOptions(spec, now)
	workCtx, cancel := context.WithCancelCause(m.ctx)
	r := newRecord(job, opts.JoinKey, spec.client(), cancel, m.recorder.mark)
	for {
		earlier, err := m.add(r, opts)
		if err != nil {
			cancel(err)
			return Job{}, false, err
		}
		if earlier == nil {
			break
		}
		select {
		case <-earlier.created:
		case <-ctx.Done():
			cancel(nil)
			return Job{}, false, context.Cause(ctx)
		}
		if m.record(earlier.id) == earlier {
			cancel(nil)
			return earlier.snapshot(), true, nil
		}
	}
	if err = spec.check(ctx, m); err == nil {
		job, joined, err = m.create(ctx, r, opts)
	}
	if err != nil || joined {
		m.remove(r)
		cancel(err)
		m.work.Done()
		close(r.created)
		return job, joined, err
	}
	close(r.created)
	m.logJob(slog.LevelInfo, job, "has started")
	go m.run(workCtx, r, spec.work)
	return job, false, nil
}

func (m *Manager) createOptions(spec Spec, now time.Time) CreateOptions {
	opts := spec.options()
	opts.Holder, opts.Until = m.holder, now.Add(leaseTime)
	if m.opts.ReuseWindow > 0 {
		opts.ReuseSince = now.Add(-m.opts.ReuseWindow)
	}
	opts.Limits = Limits{MaxRunning: m.opts.MaxBuilds, BudgetUSD: m.opts.DailyBudgetUSD, Since: Today(now)}
	return opts
}

// create has the store take r's job, or join it to another.
func (m *Manager) create(ctx context.Context, r *record, opts CreateOptions) (job Job, joined bool, err error) {
	stored, lease, err := m.store.Create(ctx, r.job, opts)
	if err == nil && stored.State == StateDone && m.functionGone(ctx, stored) {
		opts.ReuseSince = time.Time{}
		stored, lease, err = m.store.Create(ctx, r.job, opts)
	}
	switch {
	case err == nil && stored.ID == r.id:
		r.setLease(lease, stored.Volatile)
		return r.snapshot(), false, nil
	case err == nil:
		job, err := m.Get(ctx, stored.Owner, stored.ID)
		return job, true, err
	case isAnswer(err), ctx.Err() != nil:
		return Job{}, false, err
	}
	m.recorder.note(err, r.id)
	if earlier := m.reusable(r, opts); earlier != nil {
		return earlier.snapshot(), true, nil
	}
	if r.job.Build != nil && opts.Limits.bounded() {
		return Job{}, false, fmt.Errorf("the build was not started, because the limits on builds cannot be checked: %w", err)
	}
	r.setUnrecorded()
	return r.snapshot(), false, nil
}

// functionGone reports whether the function of a finished build is known to be
// gone, because its newest run was told so.
func (m *Manager) functionGone(ctx context.Context, job Job) bool {
	if job.FunctionID() == "" {
		return false
	}
	runs, err := m.List(ctx, Query{Owner: job.Owner, Kind: KindRun, FunctionID: job.FunctionID(), Since: job.EndedAt, Limit: 1})
	return err == nil && len(runs) == 1 && runs[0].Run.Gone
}

// run does a created job's work and ends it.
func (m *Manager) run(ctx context.Context, r *record, work func(context.Context, *record, *Manager) outcome) {
	defer m.work.Done()
	if o := work(ctx, r, m); o.state.Ended() {
		r.end(o)
		m.logJob(slog.LevelInfo, r.latest(), "has ended")
	} else {
		r.release()
		m.logJob(slog.LevelInfo, r.latest(), "goes on at Notte without this process")
	}
	r.cancel(nil)
}

// add makes a job known and counts its goroutine, unless it is to be joined to a
// job of this process that runs, or is just being created: that one is returned.
func (m *Manager) add(r *record, opts CreateOptions) (earlier *record, err error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.stopping {
		return nil, ErrStopping
	}
	if opts.Join && opts.JoinKey != "" {
		for _, other := range m.records {
			if other.sameWork(r) && !other.hasEnded() && (earlier == nil || earlier.began.Before(other.began)) {
				earlier = other
			}
		}
		if earlier != nil {
			return earlier, nil
		}
	}
	m.records[r.id] = r
	m.work.Add(1)
	return nil, nil
}

// reusable returns the newest build of this process that succeeded and may be
// returned in the place of r's, or nil.
func (m *Manager) reusable(r *record, opts CreateOptions) (newest *record) {
	if !opts.Join || opts.JoinKey == "" || opts.ReuseSince.IsZero() {
		return nil
	}
	var ended time.Time
	for _, other := range m.all() {
		job := other.snapshot()
		if other.sameWork(r) && job.Succeeded() && !job.EndedAt.Before(opts.ReuseSince) && job.EndedAt.After(ended) {
			newest, ended = other, job.EndedAt
		}
	}
	return newest
}

// remove forgets a record.
func (m *Manager) remove(r *record) {
	m.mu.Lock()
	defer m.mu.Unlock()
	delete(m.records, r.id)
}

// stopped returns the state of a job that was cancelled or stopped here, and reports
// whether it was.
func stopped(ctx context.Context) (State, bool) {
	switch cause := context.Cause(ctx); {
	case errors.Is(cause, errCancelled):
		return StateCancelled, true
	case errors.Is(cause, errStopped):
		return StateInterrupted, true
	}
	return "", false
}
