package jobs

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"iter"
	"log/slog"
	"sync"
	"time"
)

// A lease outlives two missed renewals.
const (
	leaseTime  = 30 * time.Second
	leaseRenew = leaseTime / 3
)

// foreignPoll is how often a job of another process is looked at.
const foreignPoll = 250 * time.Millisecond

var (
	// ErrStopping says that this process takes no new jobs: it is about to end.
	ErrStopping = errors.New("the server is stopping and starts nothing new")

	errCancelled = errors.New("cancelled by its owner")
	errStopped   = errors.New("the server stopped while it ran")
)

// Manager starts jobs, keeps them going under its own context, and lets their
// owners follow and end them. It is safe for concurrent use.
type Manager struct {
	store  Store
	log    *slog.Logger
	holder string // this process, to the store

	ctx  context.Context // of all jobs
	stop context.CancelCauseFunc
	work sync.WaitGroup // a goroutine for each job, and the one that renews leases

	mu       sync.Mutex       // guards all below
	live     map[string]*live // the running jobs of this process, by ID
	stopping bool
}

// NewManager returns a Manager that keeps its jobs in store; log may be nil.
// The caller closes the Manager, and the store after it.
func NewManager(store Store, log *slog.Logger) *Manager {
	if log == nil {
		log = slog.New(slog.DiscardHandler)
	}
	m := &Manager{store: store, log: log, holder: rand.Text(), live: make(map[string]*live)}
	m.ctx, m.stop = context.WithCancelCause(context.Background())
	m.work.Go(m.renew)
	return m
}

// Start records a job and starts it, or joins one: joined tells. The job goes
// on when ctx ends. Nothing is sent to Notte unless the job could be recorded,
// and what is sent is never sent twice.
func (m *Manager) Start(ctx context.Context, spec Spec) (job Job, joined bool, err error) {
	job, claim := spec.job(), spec.claim()
	job.Owner, job.State, job.StartedAt = spec.owner(), StateRunning, time.Now()
	claim.Holder, claim.Until = m.holder, job.StartedAt.Add(leaseTime)

	workCtx, cancel := context.WithCancelCause(m.ctx)
	l := newLive(job, cancel)
	// Known here before it is known in the store, so that nobody finds a job
	// in the store that this process runs and yet does not know.
	if err := m.admit(l); err != nil {
		cancel(err)
		return Job{}, false, err
	}
	stored, lease, err := m.store.Create(ctx, l.snapshot(), claim)
	if err != nil || stored.ID != job.ID {
		m.forget(job.ID)
		m.work.Done()
		cancel(nil)
		if err != nil {
			return Job{}, false, fmt.Errorf("record the %s before starting it: %w; nothing was started", job.Kind, err)
		}
		joined, err := m.Get(ctx, stored.Owner, stored.ID)
		return joined, true, err
	}
	l.hold(lease)
	go func() {
		defer m.work.Done()
		defer cancel(nil)
		t := &task{ctx: workCtx, live: l, store: m.store, log: m.log}
		m.finish(l, spec.work(t))
	}()
	return stored, false, nil
}

// admit makes a job known and counts its goroutine.
func (m *Manager) admit(l *live) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.stopping {
		return ErrStopping
	}
	m.live[l.job.ID] = l
	m.work.Add(1)
	return nil
}

func (m *Manager) forget(id string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	delete(m.live, id)
}

// finish stores a job's end and then, not before, shows it.
func (m *Manager) finish(l *live, end outcome) {
	job, entries := l.end(end)
	// The end is stored even when the Manager is closing: that is when it
	// matters most.
	err := m.store.Finish(context.WithoutCancel(m.ctx), l.held(), job, entries)
	if err != nil {
		// The one who waits gets the result all the same, and so does whoever
		// asks this process later: it stays in memory.
		m.log.Error("a job's end could not be stored", "job", job.ID, "state", job.State, "err", err)
	} else {
		defer m.forget(job.ID)
	}
	l.publish(entries[len(entries)-1])
}

// Get returns a job of the owner's as it stands, or [ErrNotFound].
func (m *Manager) Get(ctx context.Context, owner, id string) (Job, error) {
	var job Job
	if l := m.find(id); l != nil {
		job = l.snapshot()
	} else {
		var err error
		if job, err = m.store.Get(ctx, id); err != nil {
			return Job{}, err
		}
	}
	if job.Owner != owner {
		return Job{}, ErrNotFound
	}
	return job, nil
}

func (m *Manager) find(id string) *live {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.live[id]
}

// Follow yields the entries of a job's log whose Seq is above after: first
// those that are there, then new ones as they come. It ends after the final
// entry. When ctx ends first, or the job is not the owner's, an error comes
// last: ctx's cause, or [ErrNotFound]. A follower that is slow or leaves costs
// the job nothing; entries that a bounded log dropped meanwhile are passed over.
func (m *Manager) Follow(ctx context.Context, owner, id string, after int64) iter.Seq2[Entry, error] {
	return func(yield func(Entry, error) bool) {
		if _, err := m.Get(ctx, owner, id); err != nil {
			yield(Entry{}, err)
			return
		}
		next := m.nextStored(id)
		if l := m.find(id); l != nil {
			next = l.next
		}
		for {
			entries, err := next(ctx, after)
			if err != nil {
				yield(Entry{}, err)
				return
			}
			for _, e := range entries {
				if !yield(e, nil) || e.Final {
					return
				}
				after = e.Seq
			}
		}
	}
}

// nextStored waits for entries of a job that this process does not run.
func (m *Manager) nextStored(id string) func(context.Context, int64) ([]Entry, error) {
	return func(ctx context.Context, after int64) ([]Entry, error) {
		for {
			entries, err := m.store.Entries(ctx, id, after, followBatch)
			if err != nil || len(entries) > 0 {
				return entries, err
			}
			job, err := m.store.Get(ctx, id)
			if err != nil {
				return nil, err
			}
			if job.State.Ended() {
				// The caller's position is past the end.
				return []Entry{{Seq: after, At: job.EndedAt, Final: true}}, nil
			}
			select {
			case <-time.After(foreignPoll):
			case <-ctx.Done():
				return nil, context.Cause(ctx)
			}
		}
	}
}

// Cancel ends a running job of the owner's and returns it as it ended, which
// may be another way if it ended by itself meanwhile. A job that had ended
// before is returned with [ErrEnded].
func (m *Manager) Cancel(ctx context.Context, owner, id string) (Job, error) {
	job, err := m.Get(ctx, owner, id)
	if err != nil {
		return Job{}, err
	}
	l := m.find(id)
	if job.State.Ended() || l == nil {
		return job, ErrEnded
	}
	l.cancel(errCancelled)
	select {
	case <-l.done:
		return l.snapshot(), nil
	case <-ctx.Done():
		return l.snapshot(), context.Cause(ctx)
	}
}

// Stop takes no new jobs, ends the running ones as interrupted and waits for
// them until ctx ends. Followers see their jobs end.
func (m *Manager) Stop(ctx context.Context) error {
	m.mu.Lock()
	m.stopping = true
	m.mu.Unlock()
	m.stop(errStopped)
	idle := make(chan struct{})
	go func() {
		m.work.Wait()
		close(idle)
	}()
	select {
	case <-idle:
		return nil
	case <-ctx.Done():
		return fmt.Errorf("wait for running jobs to end: %w", context.Cause(ctx))
	}
}

// renew keeps the leases of this process's jobs, and saves what a quiet job
// has not saved yet, until the Manager stops.
func (m *Manager) renew() {
	tick := time.NewTicker(leaseRenew)
	defer tick.Stop()
	for {
		select {
		case <-m.ctx.Done():
			return
		case <-tick.C:
		}
		m.mu.Lock()
		leases := make([]Lease, 0, len(m.live))
		for _, l := range m.live {
			leases = append(leases, l.held())
		}
		m.mu.Unlock()
		if len(leases) == 0 {
			continue
		}
		cancelled, err := m.store.Renew(m.ctx, leases, time.Now().Add(leaseTime))
		if err != nil {
			m.log.Warn("leases of running jobs could not be renewed", "jobs", len(leases), "err", err)
		}
		for _, id := range cancelled {
			if l := m.find(id); l != nil {
				l.cancel(errCancelled)
			}
		}
	}
}
