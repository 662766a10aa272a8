package jobs_test

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/anything-mcp/anything-mcp/jobs"
	"github.com/anything-mcp/anything-mcp/notte/sandbox"
)

// countingStore counts calls.
type countingStore struct {
	jobs.Store
	renewed, positions, reads, adoptions atomic.Int64
}

func (s *countingStore) Renew(ctx context.Context, leases []jobs.Lease, until time.Time) (jobs.Renewal, error) {
	s.renewed.Add(int64(len(leases)))
	return s.Store.Renew(ctx, leases, until)
}

func (s *countingStore) Positions(ctx context.Context, ids []string) ([]jobs.Position, error) {
	s.positions.Add(1)
	return s.Store.Positions(ctx, ids)
}

func (s *countingStore) Get(ctx context.Context, id string) (jobs.Job, error) {
	s.reads.Add(1)
	return s.Store.Get(ctx, id)
}

// A job whose lease is lost is not renewed, and not kept once it has ended.
func TestLostLeaseIsLetGo(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := sandbox.New()
		defer s.Close()
		store := &countingStore{Store: newStore(t)}
		b := &fixture{Manager: jobs.NewManager(store, jobs.Options{}), notte: s, client: clientOf(t, s, "key-of-ann")}
		defer stop(b)
		b.notte.Script("q", sandbox.Delay(time.Hour), event("done"))
		job := b.build(t, "q")
		adopted, err := store.Adopt(t.Context(), job.Owner, "there", time.Now().Add(time.Hour), time.Now().Add(time.Hour))
		if err != nil || len(adopted) != 1 {
			t.Fatalf("Adopt = %v, %v", adopted, err)
		}
		time.Sleep(3 * time.Second)
		before := store.renewed.Load()
		time.Sleep(time.Minute)
		if after := store.renewed.Load(); after != before {
			t.Errorf("a lost lease was renewed %d times", after-before)
		}
	})
}

// All followers of a job of another process share one query, which does not read
// the whole job.
func TestFollowersShareOneQuery(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := sandbox.New()
		defer s.Close()
		client := clientOf(t, s, "key-of-ann")
		store := &countingStore{Store: newStore(t)}
		here := &fixture{Manager: jobs.NewManager(store.Store, jobs.Options{}), notte: s, client: client}
		there := jobs.NewManager(store, jobs.Options{})
		defer stop(here)
		defer stop(there)
		s.Script("q", sandbox.Stall())
		job := here.build(t, "q")
		for range 20 {
			go there.Next(t.Context(), job.Owner, job.ID, 0, 11*time.Second)
		}
		time.Sleep(time.Second)
		store.positions.Store(0)
		time.Sleep(10 * time.Second)
		if n := store.positions.Load(); n > 51 || n < 49 || store.reads.Load() != 0 {
			t.Errorf("20 followers cost %d queries and %d reads in 10 s, want 50 and none", n, store.reads.Load())
		}
		time.Sleep(time.Second)
	})
}

func (s *countingStore) Adopt(ctx context.Context, owner, holder string, until, now time.Time) ([]jobs.Adopted, error) {
	s.adoptions.Add(1)
	return s.Store.Adopt(ctx, owner, holder, until, now)
}

// forgetful is a store that can lose all jobs, like a directory that is deleted.
type forgetful struct {
	mu sync.Mutex // guards Store
	jobs.Store
}

func (f *forgetful) lose(t *testing.T) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.Store = newStore(t)
}

func (f *forgetful) now() jobs.Store {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.Store
}

func (f *forgetful) Create(ctx context.Context, job jobs.Job, opts jobs.CreateOptions) (jobs.Job, jobs.Lease, error) {
	return f.now().Create(ctx, job, opts)
}

func (f *forgetful) Save(ctx context.Context, changes []jobs.Change) []error {
	return f.now().Save(ctx, changes)
}

// A running job that the store has lost is stored anew, as a whole.
func TestStoreThatLosesItsJobs(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := sandbox.New()
		defer s.Close()
		store := &forgetful{Store: newStore(t)}
		b := &fixture{Manager: jobs.NewManager(store, jobs.Options{}), notte: s, client: clientOf(t, s, "key-of-ann")}
		defer stop(b)
		s.Script("q", event("tool_start", "name", "a"), sandbox.Delay(time.Minute), event("tool_start", "name", "b"),
			sandbox.Delay(time.Minute), event("done", "function_id", "f"))
		job := b.build(t, "q")
		time.Sleep(time.Second)
		store.lose(t)
		ended, _ := b.end(t, job)
		if ended.State != jobs.StateDone {
			t.Errorf("here it is %s", ended.State)
		}
		time.Sleep(3 * time.Second)
		stored, err := store.now().Get(t.Context(), job.ID)
		if err != nil || stored.State != jobs.StateDone || len(stored.Build.Steps) != 2 {
			t.Errorf("the store has %+v, %v", stored.Build, err)
		}
		log, err := store.now().Entries(t.Context(), job.ID, 0, 10)
		if err != nil || len(log) != 3 {
			t.Errorf("its log there is %+v, %v", log, err)
		}
	})
}

// flakyAdoption fails to read the log of an adopted job, once.
type flakyAdoption struct {
	jobs.Store
	failed atomic.Bool
}

func (s *flakyAdoption) Entries(ctx context.Context, id string, after int64, limit int) ([]jobs.Entry, error) {
	if !s.failed.Swap(true) {
		return nil, errDisk
	}
	return s.Store.Entries(ctx, id, after, limit)
}

// A job that cannot be taken over at once is taken over later.
func TestAdoptionIsTriedAgain(t *testing.T) {
	inTwo(t, jobs.Options{}, func(t *testing.T, p *twoManagers) {
		p.here.notte.Script("q", event("tool_start", "name", "a"), sandbox.Stall())
		job := p.here.build(t, "q")
		time.Sleep(time.Second)
		p.die()
		flaky := &flakyAdoption{Store: p.store.Store}
		third := &fixture{Manager: jobs.NewManager(flaky, jobs.Options{}), notte: p.here.notte, client: p.here.client}
		defer stop(third)
		third.Recover(third.client)
		time.Sleep(30 * time.Second)
		if now, err := third.Get(t.Context(), job.Owner, job.ID); err != nil || now.State != jobs.StateInterrupted || len(now.Build.Steps) != 1 {
			t.Errorf("job = %s %+v, %v", now.State, now.Build, err)
		}
	})
}

// sleepyStore sleeps in its first Adopt, as a laptop does.
type sleepyStore struct {
	countingStore
	slept atomic.Bool
}

func (s *sleepyStore) Adopt(ctx context.Context, owner, holder string, until, now time.Time) ([]jobs.Adopted, error) {
	if !s.slept.Swap(true) {
		time.Sleep(time.Hour)
	}
	return s.countingStore.Adopt(ctx, owner, holder, until, now)
}

// After the machine has slept, the holders of leases may renew them first.
func TestNoAdoptionRightAfterSleep(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := sandbox.New()
		defer s.Close()
		store := &sleepyStore{countingStore: countingStore{Store: newStore(t)}}
		b := jobs.NewManager(store, jobs.Options{})
		defer stop(b)
		b.Recover(clientOf(t, s, "key-of-ann"))
		time.Sleep(2*time.Second + time.Hour + 6*time.Second)
		if n := store.adoptions.Load(); n != 1 {
			t.Errorf("%d adoptions six seconds after the sleep, want that before it alone", n)
		}
		time.Sleep(5 * time.Second)
		if n := store.adoptions.Load(); n != 2 {
			t.Errorf("%d adoptions eleven seconds after the sleep, want 2", n)
		}
	})
}

// crossingStore ends the job just before its cancellation.
type crossingStore struct {
	jobs.Store
	end func()
}

func (s crossingStore) Cancel(ctx context.Context, id string) error {
	s.end()
	return s.Store.Cancel(ctx, id)
}

func TestCancelThatCrossesTheEnd(t *testing.T) {
	inTwo(t, jobs.Options{}, func(t *testing.T, p *twoManagers) {
		p.here.notte.Script("q", sandbox.Delay(time.Minute), event("done", "function_id", "f"))
		job := p.here.build(t, "q")
		third := jobs.NewManager(crossingStore{p.store.Store, func() { time.Sleep(2 * time.Minute) }}, jobs.Options{})
		defer stop(third)
		got, err := third.Cancel(t.Context(), job.Owner, job.ID)
		if !errors.Is(err, jobs.ErrEnded) || got.State != jobs.StateDone {
			t.Errorf("Cancel = %s, %v", got.State, err)
		}
	})
}

// A build that was to be cancelled while its process hung ends as cancelled when
// another process takes it over, and its process closes the stream when it goes on.
func TestCancelledJobIsTakenOver(t *testing.T) {
	inTwo(t, jobs.Options{}, func(t *testing.T, p *twoManagers) {
		p.here.notte.Script("q", sandbox.Stall())
		job := p.here.build(t, "q")
		synctest.Wait()
		p.store.renewals.Store(true)
		p.there.Recover(p.there.client)
		if _, err := p.there.Cancel(t.Context(), job.Owner, job.ID); err != nil {
			t.Fatal(err)
		}
		if ended, _ := p.there.end(t, job); ended.State != jobs.StateCancelled {
			t.Errorf("taken over it is %s", ended.State)
		}
		p.store.renewals.Store(false)
		time.Sleep(5 * time.Second)
		if r := p.here.notte.Requests()[0]; r.ClientLeft.IsZero() {
			t.Error("the stream is still open")
		}
	})
}
