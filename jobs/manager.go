package jobs

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"log/slog"
	"math"
	"slices"
	"sync"
	"time"

	"golang.org/x/sync/singleflight"

	"github.com/anything-mcp/anything-mcp/notte"
)

// cancelWait bounds how long [Manager.Cancel] waits for the end of a job. The process
// that has the job may hang.
const cancelWait = 15 * time.Second

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
	// to a caller who asks for the same again.
	ReuseWindow time.Duration

	// BuildTimeout ends a build as [StateTimeout] after this long; 0: never.
	BuildTimeout time.Duration

	// DetachedTimeout is how long the Manager looks for the function of a build that
	// goes on at Notte without this process, because it was detached or its stream
	// broke; 0: not at all.
	DetachedTimeout time.Duration

	MaxBuilds      int     // running at once, by one owner; 0: any number
	DailyBudgetUSD float64 // for the builds that end on one day, local time; 0: any amount

	Keep time.Duration // how long jobs are kept after their end; 0: for ever

	InMemory bool // the store itself is lost with this process
}

// Manager starts jobs, keeps them going under its own context, and lets their
// owners follow and end them. While the store fails, jobs still run: the
// Manager keeps them in memory, and stores them as soon as it can. It is safe for
// concurrent use.
type Manager struct {
	store    Store
	log      *slog.Logger
	opts     Options
	holder   string // this process, to the store
	recorder *recorder
	watcher  *watcher

	ctx  context.Context // of all jobs
	stop context.CancelCauseFunc
	work sync.WaitGroup // a goroutine for each job, for maintenance and for the watcher
	idle chan struct{}  // closed when all have ended after Stop

	starting singleflight.Group // of builds that are the same work

	adopting sync.Mutex // guards held
	held     []Adopted  // by this process, but not taken over yet, because the store failed

	records sync.Map // of *record by ID: jobs that run here, and ended ones that are still needed
	clients sync.Map // of *notte.Client by owner: they open sealed links
	bounds  sync.Map // of *bound by owner

	mu       sync.Mutex // guards stopping
	stopping bool
}

// NewManager returns a Manager that keeps its jobs in store. The caller stops
// the Manager, and closes the store after it.
func NewManager(store Store, opts Options) *Manager {
	if opts.Logger == nil {
		opts.Logger = slog.New(slog.DiscardHandler)
	}
	m := &Manager{store: store, log: opts.Logger, opts: opts, holder: rand.Text(), idle: make(chan struct{})}
	m.ctx, m.stop = context.WithCancelCause(context.Background())
	m.recorder, m.watcher = newRecorder(m), newWatcher(store)
	go m.recorder.run()
	m.work.Go(func() { m.watcher.run(m.ctx) })
	return m
}

// Today returns when the day of now began.
func Today(now time.Time) time.Time {
	year, month, day := now.Date()
	return time.Date(year, month, day, 0, 0, 0, 0, now.Location())
}

// Get returns a job of the owner's as it stands, or [ErrNotFound].
func (m *Manager) Get(ctx context.Context, owner, id string) (Job, error) {
	if r := m.record(id); r != nil {
		if r.owner != owner {
			return Job{}, ErrNotFound
		}
		return r.snapshot(), nil
	}
	job, err := m.store.Get(ctx, id)
	if err != nil {
		return Job{}, err
	}
	if job.Owner != owner {
		return Job{}, ErrNotFound
	}
	job = job.clone()
	job.Volatile = m.opts.InMemory
	if job.Build != nil {
		openLink(m.client(owner), &job.Build.ViewerURL)
	}
	return job, nil
}

// List returns jobs of an owner as [Store.List] does, those that are not stored
// included. While the store cannot be read, they are those of this process.
func (m *Manager) List(ctx context.Context, q Query) ([]Job, error) {
	list, err := m.store.List(ctx, q)
	if err != nil && ctx.Err() != nil {
		return nil, err
	}
	if err != nil {
		m.recorder.note(err, "")
	}
	for i := range list {
		list[i].Volatile = m.opts.InMemory
	}
	for _, r := range m.all() {
		if err == nil && !r.isStale() {
			continue
		}
		list = slices.DeleteFunc(list, func(job Job) bool { return job.ID == r.id })
		if job := r.snapshot(); q.matches(job) {
			list = append(list, job.Summary())
		}
	}
	slices.SortFunc(list, newestFirst)
	return list[:min(q.Limit, len(list))], nil
}

// ListRuns is List for runs and batches in one list. Runs of a batch are left out. The
// Kind of q does not matter.
func (m *Manager) ListRuns(ctx context.Context, q Query) ([]Job, error) {
	q.Kind = KindRun
	list, err := m.List(ctx, q)
	if err != nil {
		return nil, err
	}
	q.Kind = KindBatch
	batches, err := m.List(ctx, q)
	list = append(list, batches...)
	slices.SortFunc(list, newestFirst)
	return list[:min(q.Limit, len(list))], err
}

// Spending sums up an owner's builds as [Store.Spending] does, those that are
// not stored included.
func (m *Manager) Spending(ctx context.Context, owner string, since time.Time) (Spending, error) {
	sum, err := m.store.Spending(ctx, owner, since)
	if err != nil {
		return Spending{}, err
	}
	for _, job := range m.recorder.unsaved() {
		if job.Owner == owner && job.State.Ended() && !job.EndedAt.Before(since) && job.Build != nil && job.Build.Started {
			sum.Add(job.Build.TotalCostUSD)
		}
	}
	return sum, nil
}

// Next returns entries of a job's log whose Seq is above after, in order. It
// waits for them at most as long as wait says, and then returns none. A job that
// has ended always has an entry left, a final one. A follower that is slow or
// leaves costs the job nothing; entries that a bounded log dropped meanwhile are
// left out. The error is ctx's cause when ctx ends first, [ErrNotFound] if the
// job is not the owner's, or the store's.
func (m *Manager) Next(ctx context.Context, owner, id string, after int64, wait time.Duration) ([]Entry, error) {
	if r := m.record(id); r != nil {
		if r.owner != owner {
			return nil, ErrNotFound
		}
		return r.next(ctx, after, wait)
	}
	return m.nextElsewhere(ctx, owner, id, after, wait)
}

// Cancel ends a running job of the owner's, whichever process runs it, and
// returns it as it ended, which may be another way if it ended by itself
// meanwhile. A job that had ended before is returned with [ErrEnded]. A job of
// another process that does not end within 15 seconds is returned as it runs:
// it ends when that process hears of the cancellation.
func (m *Manager) Cancel(ctx context.Context, owner, id string) (Job, error) {
	job, err := m.Get(ctx, owner, id)
	if err != nil {
		return Job{}, err
	}
	if job.State.Ended() {
		return job, ErrEnded
	}
	if r := m.record(id); r != nil {
		r.cancel(errCancelled)
	} else if err = m.store.Cancel(ctx, id); errors.Is(err, ErrEnded) {
		if job, err = m.Get(ctx, owner, id); err == nil { // it has ended since it was read
			err = ErrEnded
		}
		return job, err
	} else if err != nil {
		return job, err
	}
	// Behind all entries there is a final one, as soon as the job has ended.
	if _, err := m.Next(ctx, owner, id, math.MaxInt64, cancelWait); err != nil {
		return job, err
	}
	return m.Get(ctx, owner, id)
}

// Stop takes no new jobs, ends the running ones as interrupted, and waits until they
// have ended and are stored, at most until ctx ends. Then it logs what is not stored,
// which is lost with this process. Followers see their jobs end.
func (m *Manager) Stop(ctx context.Context) error {
	m.mu.Lock()
	if !m.stopping {
		m.stopping = true
		go m.finish(ctx)
	}
	m.mu.Unlock()
	var err error
	select {
	case <-m.idle:
	case <-ctx.Done():
		err = fmt.Errorf("wait for running jobs to end: %w", context.Cause(ctx))
	}
	if left := m.recorder.unsaved(); len(left) > 0 {
		for _, job := range left {
			m.logJob(slog.LevelError, job, "could not be stored: what is known of it is lost when this process ends")
		}
		err = fmt.Errorf("jobs that could not be stored: %d", len(left))
	}
	return err
}

// finish ends all jobs and stores them, at most until ctx ends.
func (m *Manager) finish(ctx context.Context) {
	m.stop(errStopped)
	m.work.Wait()
	m.recorder.finish(ctx)
	close(m.idle)
}

// enter counts a goroutine that is to start, unless the Manager stops.
func (m *Manager) enter() error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.stopping {
		return ErrStopping
	}
	m.work.Add(1)
	return nil
}

// record returns the record of a job that this process has, or nil.
func (m *Manager) record(id string) *record {
	found, _ := m.records.Load(id)
	r, _ := found.(*record)
	return r
}

// all returns the records of this process.
func (m *Manager) all() (all []*record) {
	m.records.Range(func(_, r any) bool {
		all = append(all, r.(*record))
		return true
	})
	return all
}

// client returns the client of an owner, or nil if none has been seen here.
func (m *Manager) client(owner string) *notte.Client {
	found, _ := m.clients.Load(owner)
	client, _ := found.(*notte.Client)
	return client
}
