package jobs

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync/atomic"
	"time"

	"golang.org/x/sync/singleflight"

	"github.com/anything-mcp/anything-mcp/notte"
)

// outcome is how a job ends: its state, and its last event. The event is a pointer, so
// that the goroutines that wait for an outcome keep a small stack.
type outcome struct {
	state State
	event *notte.Event
}

// started is a job that was started or joined.
type started struct {
	job    Job
	joined bool
}

// Start creates a job and starts it, or joins one, and reports whether it joined. A
// joined job may have ended already. The job goes on when ctx ends. Nothing is sent
// to Notte twice. Over a limit the error is a [*LimitError].
//
// The jobs of this process are asked first, so that a build that runs here is
// joined even while the store fails. If the store cannot take the job, it is
// kept in memory and stored later, unless there is a limit to check.
func (m *Manager) Start(ctx context.Context, spec Spec) (job Job, joined bool, err error) {
	p := spec.plan()
	m.clients.Store(p.client.Owner(), p.client)
	if !p.join {
		s, err := m.start(ctx, p)
		return s.job, false, err
	}
	for { // callers who ask for the same at once share one start
		var leads atomic.Bool
		result := m.starting.DoChan(p.client.Owner()+p.joinKey, func() (any, error) {
			leads.Store(true)
			return m.start(ctx, p)
		})
		var shared singleflight.Result
		select {
		case shared = <-result:
		case <-ctx.Done():
			if leads.Load() {
				shared = <-result // soon, and the job may have been started
			}
			if !leads.Load() || shared.Err != nil {
				return Job{}, false, context.Cause(ctx)
			}
		}
		if shared.Err == nil || leads.Load() {
			s := shared.Val.(started)
			return s.job, s.joined || !leads.Load(), shared.Err
		}
	}
}

// start does what p says, unless it joins another job.
func (m *Manager) start(ctx context.Context, p plan) (s started, err error) {
	if err := m.enter(); err != nil {
		return started{}, err
	}
	p.job.Owner, p.job.State, p.job.StartedAt = p.client.Owner(), StateRunning, time.Now()
	r, workCtx := m.newRecord(p.job, p.joinKey, p.client)
	if s, err = m.joinOrCreate(ctx, r, p); err != nil || s.joined {
		r.cancel(err)
		m.work.Done()
		return s, err
	}
	m.records.Store(r.id, r)
	m.logJob(slog.LevelInfo, s.job, "has started")
	go m.run(workCtx, r, p.work)
	return s, nil
}

// joinOrCreate returns a job that is joined, or r's once it may be started.
func (m *Manager) joinOrCreate(ctx context.Context, r *record, p plan) (started, error) {
	if p.join {
		if earlier := m.newest(r, func(job Job) bool { return !job.State.Ended() }); earlier != nil {
			return started{*earlier, true}, nil
		}
	}
	if p.check != nil {
		if err := p.check(ctx, m); err != nil {
			return started{}, err
		}
	}
	return m.create(ctx, r, p)
}

// create has the store take r's job, or join it to another.
func (m *Manager) create(ctx context.Context, r *record, p plan) (started, error) {
	opts := CreateOptions{
		Holder: m.holder, Until: r.began.Add(leaseTime), JoinKey: p.joinKey, Join: p.join, Items: p.items,
		Limits: Limits{MaxRunning: m.opts.MaxBuilds, BudgetUSD: m.opts.DailyBudgetUSD, Since: Today(r.began)},
	}
	if m.opts.ReuseWindow > 0 && p.job.Build != nil {
		opts.ReuseSince = r.began.Add(-m.opts.ReuseWindow)
	}
	stored, lease, err := m.store.Create(ctx, p.job, opts)
	if err == nil && stored.State == StateDone && m.functionGone(ctx, stored) {
		opts.ReuseSince = time.Time{}
		stored, lease, err = m.store.Create(ctx, p.job, opts)
	}
	switch {
	case err == nil && stored.ID == r.id:
		r.setLease(lease)
		return started{job: r.snapshot()}, nil
	case err == nil:
		job, err := m.Get(ctx, stored.Owner, stored.ID)
		return started{job, true}, err
	case IsAnswer(err), ctx.Err() != nil:
		return started{}, err
	}
	m.recorder.note(err, r.id)
	reusable := func(job Job) bool {
		return p.join && !opts.ReuseSince.IsZero() && job.Succeeded() && !job.EndedAt.Before(opts.ReuseSince)
	}
	if earlier := m.newest(r, reusable); earlier != nil {
		return started{*earlier, true}, nil
	}
	switch {
	case p.job.Build != nil && opts.Limits.Bounded():
		return started{}, fmt.Errorf("the build was not started, because the limits on builds cannot be checked: %w", err)
	case p.job.Batch != nil:
		return started{}, fmt.Errorf("the batch was not started, because its items cannot be stored: %w", err)
	}
	r.setUnrecorded()
	return started{job: r.snapshot()}, nil
}

// newest returns the newest job of this process that is the same work as r's and
// that ok accepts, or nil.
func (m *Manager) newest(r *record, ok func(Job) bool) (newest *Job) {
	for _, other := range m.all() {
		if other.owner != r.owner || other.joinKey != r.joinKey || r.joinKey == "" {
			continue
		}
		if job := other.snapshot(); ok(job) && (newest == nil || job.StartedAt.After(newest.StartedAt)) {
			newest = &job
		}
	}
	return newest
}

// functionGone reports whether the function of a finished build is known to be
// gone, because its newest run ended for that reason.
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
	m.conclude(r, work(ctx, r, m))
	r.cancel(nil)
}

// conclude ends a job, or leaves it to another process. It is not inlined, so that the
// goroutine that does the work keeps a small stack.
//
//go:noinline
func (m *Manager) conclude(r *record, o outcome) {
	if o.state.Ended() {
		r.end(o)
		job, level := r.latest(), slog.LevelInfo
		if job.Run != nil && job.Run.Batch != "" {
			level = slog.LevelDebug // the batch is logged
		}
		m.logJob(level, job, "has ended")
	} else {
		r.release()
		m.logJob(slog.LevelInfo, r.latest(), "goes on at Notte without this process")
	}
}

// stopped returns the state in which a job ends that was cancelled or stopped here. For
// any other job it returns "".
func stopped(ctx context.Context) State {
	switch cause := context.Cause(ctx); {
	case errors.Is(cause, errCancelled):
		return StateCancelled
	case errors.Is(cause, errStopped):
		return StateInterrupted
	}
	return ""
}
