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

// A lease outlives many missed renewals. They are frequent because it is with
// them that a process hears of cancellations in another.
const (
	leaseTime  = 12 * time.Second
	leaseRenew = 2 * time.Second
)

// foreignPoll is how often a job of another process is looked at.
const foreignPoll = 200 * time.Millisecond

var (
	// ErrStopping says that this process takes no new jobs: it is about to end.
	ErrStopping = errors.New("the server is stopping and starts nothing new")

	errCancelled = errors.New("cancelled by its owner")
	errStopped   = errors.New("the server stopped while it ran")
)

// Options are the rules of a [Manager]. The zero value has none.
type Options struct {
	Logger *slog.Logger // nil: none

	// ReuseWindow is how long after its end a build that succeeded is returned
	// to whoever asks for the same again.
	ReuseWindow time.Duration

	MaxBuilds      int     // running at once, by one owner; 0: any number
	DailyBudgetUSD float64 // for the builds that end on one day, local time; 0: any amount

	Keep time.Duration // how long jobs are kept after their end; 0: for ever

	BuildTimeout time.Duration // after it a build ends as timeout; 0: never
}

// Manager starts jobs, keeps them going under its own context, and lets their
// owners follow and end them. It is safe for concurrent use.
type Manager struct {
	store  Store
	log    *slog.Logger
	opts   Options
	holder string // this process, to the store

	ctx  context.Context // of all jobs
	stop context.CancelCauseFunc
	work sync.WaitGroup // a goroutine for each job, and those that look after the store

	mu       sync.Mutex       // guards all below
	live     map[string]*live // the running jobs of this process, by ID
	stopping bool
}

// NewManager returns a Manager that keeps its jobs in store. The caller stops
// the Manager, and closes the store after it.
func NewManager(store Store, opts Options) *Manager {
	if opts.Logger == nil {
		opts.Logger = slog.New(slog.DiscardHandler)
	}
	m := &Manager{store: store, log: opts.Logger, opts: opts, holder: rand.Text(), live: make(map[string]*live)}
	m.ctx, m.stop = context.WithCancelCause(context.Background())
	m.work.Go(m.renew)
	return m
}

// Start records a job and starts it, or joins one: joined tells. A joined job
// may have ended already. The job goes on when ctx ends. Nothing is sent to
// Notte unless the job could be recorded, and what is sent is never sent twice.
// Over a limit the error is a [*LimitError].
func (m *Manager) Start(ctx context.Context, spec Spec) (job Job, joined bool, err error) {
	job, claim := spec.job(), spec.claim()
	job.Owner, job.State, job.StartedAt = spec.client().Owner(), StateRunning, time.Now()
	m.complete(&claim, job.StartedAt)

	workCtx, cancel := context.WithCancelCause(m.ctx)
	l := newLive(job, spec.client(), cancel)
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
		if _, refused := errors.AsType[*LimitError](err); refused {
			return Job{}, false, err
		}
		if err != nil {
			return Job{}, false, fmt.Errorf("the %s was not started, because it could not be recorded first: %w", job.Kind, err)
		}
		joined, err := m.Get(ctx, stored.Owner, stored.ID)
		return joined, true, err
	}
	l.hold(lease, stored.Volatile)
	go m.run(workCtx, l, spec.work)
	return stored, false, nil
}

// complete adds to a claim what the Manager knows.
func (m *Manager) complete(c *Claim, now time.Time) {
	c.Holder, c.Until = m.holder, now.Add(leaseTime)
	if m.opts.ReuseWindow > 0 {
		c.ReuseSince = now.Add(-m.opts.ReuseWindow)
	}
	c.Limits = Limits{MaxRunning: m.opts.MaxBuilds, BudgetUSD: m.opts.DailyBudgetUSD, Since: Today(now)}
}

// Today is when the day of now began.
func Today(now time.Time) time.Time {
	year, month, day := now.Date()
	return time.Date(year, month, day, 0, 0, 0, 0, now.Location())
}

// run does an admitted job's work and ends it.
func (m *Manager) run(ctx context.Context, l *live, work func(*task) outcome) {
	defer m.work.Done()
	t := &task{ctx: ctx, live: l, store: m.store, log: m.log}
	l.save = t.saveLog
	m.finish(l, work(t))
	l.cancel(nil)
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

func (m *Manager) find(id string) *live {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.live[id]
}

// finish stores a job's end and then, not before, shows it.
func (m *Manager) finish(l *live, end outcome) {
	l.saving.Lock()
	defer l.saving.Unlock()
	job, entries := l.end(end)
	if err := m.storeEnd(l, job, entries); err != nil {
		// The one who waits gets the result all the same, and so does whoever
		// asks this process later: the job stays in memory, and its end is
		// stored as soon as that works.
		m.log.Error("a job's end could not be stored and is kept in memory for now", "job", job.ID, "state", job.State, "err", err)
		l.keep(func() error { return m.storeEnd(l, job, entries) })
	} else {
		defer m.forget(job.ID)
	}
	l.publish(job, entries[len(entries)-1])
}

// storeEnd stores an end even when the Manager is stopping: that is when it
// matters most.
func (m *Manager) storeEnd(l *live, job Job, entries []Entry) error {
	return m.store.Finish(context.WithoutCancel(m.ctx), l.held(), job, entries)
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

// List returns jobs of an owner as [Store.List] does. Those that run here show
// as they were when last stored.
func (m *Manager) List(ctx context.Context, q Query) ([]Job, error) { return m.store.List(ctx, q) }

// Spending sums up an owner's builds as [Store.Spending] does.
func (m *Manager) Spending(ctx context.Context, owner string, since time.Time) (Spending, error) {
	return m.store.Spending(ctx, owner, since)
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

// Next returns entries of a job's log whose Seq is above after, in order. It
// waits for them at most as long as wait says, and then returns none; a job
// that has ended always has an entry left, its final one. The error is ctx's
// cause when ctx ends first, or [ErrNotFound].
func (m *Manager) Next(ctx context.Context, owner, id string, after int64, wait time.Duration) ([]Entry, error) {
	if _, err := m.Get(ctx, owner, id); err != nil {
		return nil, err
	}
	next := m.nextStored(id)
	if l := m.find(id); l != nil {
		next = l.next
	}
	within, cancel := context.WithTimeout(ctx, wait)
	defer cancel()
	entries, err := next(within, after)
	if err != nil && ctx.Err() == nil && within.Err() != nil {
		return nil, nil
	}
	return entries, err
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
				// It may have ended, with more to say, since the log was read.
				if entries, err := m.store.Entries(ctx, id, after, followBatch); err != nil || len(entries) > 0 {
					return entries, err
				}
				// The caller's position is past the end.
				return []Entry{{Seq: after, At: job.EndedAt, Final: true}}, nil
			}
			select {
			case <-time.After(foreignPoll):
			case <-ctx.Done():
				return nil, context.Cause(ctx)
			case <-m.ctx.Done(): // the job goes on without us
				return nil, context.Cause(m.ctx)
			}
		}
	}
}

// Cancel ends a running job of the owner's, whichever process runs it, and
// returns it as it ended, which may be another way if it ended by itself
// meanwhile. A job that had ended before is returned with [ErrEnded].
func (m *Manager) Cancel(ctx context.Context, owner, id string) (Job, error) {
	job, err := m.Get(ctx, owner, id)
	if err != nil {
		return Job{}, err
	}
	if job.State.Ended() {
		return job, ErrEnded
	}
	if l := m.find(id); l != nil {
		l.cancel(errCancelled)
	} else if err = m.store.Cancel(ctx, id); errors.Is(err, ErrEnded) {
		if job, err = m.Get(ctx, owner, id); err == nil { // it has ended since it was looked at
			err = ErrEnded
		}
		return job, err
	} else if err != nil {
		return job, err
	}
	for _, err := range m.Follow(ctx, owner, id, 0) {
		if err != nil {
			return job, err
		}
	}
	return m.Get(ctx, owner, id)
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
		m.storeEnds(m.running()) // the last chance of those that could not be stored
		close(idle)
	}()
	select {
	case <-idle:
		return nil
	case <-ctx.Done():
		return fmt.Errorf("wait for running jobs to end: %w", context.Cause(ctx))
	}
}
