package jobs_test

import (
	"context"
	"errors"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/anything-mcp/anything-mcp/jobs"
	"github.com/anything-mcp/anything-mcp/notte/sandbox"
)

// twoManagers share one store, as two processes do.
type twoManagers struct {
	here, there *fixture
	store       *failingStore // of here
}

// failingStore is a store that can fail.
type failingStore struct {
	jobs.Store
	saves, creates, reads, renewals atomic.Bool // fail
	slow                            atomic.Bool // the result of Save comes a second later
}

var errDisk = errors.New("no space left on device")

func (f *failingStore) Save(ctx context.Context, changes []jobs.Change) []error {
	if f.slow.Load() {
		defer time.Sleep(time.Second)
	}
	if !f.saves.Load() {
		return f.Store.Save(ctx, changes)
	}
	errs := make([]error, len(changes))
	for i := range errs {
		errs[i] = errDisk
	}
	return errs
}

func (f *failingStore) Create(ctx context.Context, job jobs.Job, opts jobs.CreateOptions) (jobs.Job, jobs.Lease, error) {
	if f.creates.Load() {
		return jobs.Job{}, jobs.Lease{}, errDisk
	}
	return f.Store.Create(ctx, job, opts)
}

func (f *failingStore) TakeItem(ctx context.Context, batch jobs.Lease, run jobs.Job, opts jobs.CreateOptions) (jobs.Job, jobs.Lease, error) {
	if f.creates.Load() {
		return jobs.Job{}, jobs.Lease{}, errDisk
	}
	return f.Store.TakeItem(ctx, batch, run, opts)
}

func (f *failingStore) Get(ctx context.Context, id string) (jobs.Job, error) {
	if f.reads.Load() {
		return jobs.Job{}, errDisk
	}
	return f.Store.Get(ctx, id)
}

func (f *failingStore) List(ctx context.Context, q jobs.Query) ([]jobs.Job, error) {
	if f.reads.Load() {
		return nil, errDisk
	}
	return f.Store.List(ctx, q)
}

func (f *failingStore) Spending(ctx context.Context, owner string, since time.Time) (jobs.Spending, error) {
	if f.reads.Load() {
		return jobs.Spending{}, errDisk
	}
	return f.Store.Spending(ctx, owner, since)
}

func (f *failingStore) Renew(ctx context.Context, leases []jobs.Lease, until time.Time) (jobs.Renewal, error) {
	if f.renewals.Load() {
		return jobs.Renewal{}, errDisk
	}
	return f.Store.Renew(ctx, leases, until)
}

// fail makes everything fail, or work again.
func (f *failingStore) fail(all bool) {
	for _, one := range []*atomic.Bool{&f.saves, &f.creates, &f.reads, &f.renewals} {
		one.Store(all)
	}
}

func inTwo(t *testing.T, opts jobs.Options, test func(*testing.T, *twoManagers)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		s := sandbox.New()
		defer s.Close()
		client := clientOf(t, s, "key-of-ann")
		shared := newStore(t)
		p := &twoManagers{store: &failingStore{Store: shared}}
		p.here = &fixture{Manager: jobs.NewManager(p.store, opts), notte: s, client: client}
		p.there = &fixture{Manager: jobs.NewManager(shared, opts), notte: s, client: client}
		defer stop(p.there)
		defer stop(p.here)
		test(t, p)
	})
}

func TestAnotherProcessFollowsAndJoins(t *testing.T) {
	inTwo(t, jobs.Options{}, func(t *testing.T, p *twoManagers) {
		p.here.notte.Script("q", event("tool_start", "name", "a"), sandbox.Delay(time.Minute),
			event("text_delta", "delta", "slowly"), sandbox.Delay(time.Minute), event("done", "function_id", "f"))
		job := p.here.build(t, "q")
		joined, ok, err := p.there.Start(t.Context(), jobs.BuildSpec{Client: p.there.client, Query: "q"})
		if err != nil || !ok || joined.ID != job.ID {
			t.Fatalf("Start there = %s, joined %v, %v", joined.ID, ok, err)
		}
		for e, err := range p.there.follow(t.Context(), job.Owner, job.ID, 0) {
			if err != nil {
				t.Fatal(err)
			}
			// A delta is gathered for a moment before it is an entry.
			if late := time.Since(e.At); late > 250*time.Millisecond {
				t.Errorf("entry %d (%s) was seen %v late", e.Seq, e.Type, late)
			}
		}
		ended, err := p.there.Get(t.Context(), job.Owner, job.ID)
		if err != nil || ended.State != jobs.StateDone || ended.Build.FunctionID != "f" || ended.Build.Answer != "slowly" {
			t.Errorf("seen from there: %+v %+v, %v", ended, ended.Build, err)
		}
		if p.here.starts() != 1 {
			t.Errorf("%d starts, want 1", p.here.starts())
		}
	})
}

func TestAnotherProcessCancels(t *testing.T) {
	inTwo(t, jobs.Options{}, func(t *testing.T, p *twoManagers) {
		p.here.notte.Script("q", sandbox.Stall())
		job := p.here.build(t, "q")
		start := time.Now()
		ended, err := p.there.Cancel(t.Context(), job.Owner, job.ID)
		if err != nil || ended.State != jobs.StateCancelled {
			t.Errorf("Cancel there = %+v, %v", ended, err)
		}
		if took := time.Since(start); took > 3*time.Second {
			t.Errorf("it took %v", took)
		}
	})
}

// die ends a Manager as SIGKILL does: its leases run out.
func (p *twoManagers) die() {
	p.store.saves.Store(true)
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	p.here.Stop(ctx)
}

func TestDeadProcessLeavesABuild(t *testing.T) {
	inTwo(t, jobs.Options{}, func(t *testing.T, p *twoManagers) {
		p.here.notte.Script("q", event("status", "status", "s"), event("text_delta", "delta", "half an ans"),
			event("tool_start", "name", "goto"), event("function_uploaded", "function_id", "f1", "function_name", "n"), sandbox.Stall())
		job := p.here.build(t, "q")
		synctest.Wait()
		p.die()
		start := time.Now()
		p.there.Recover(p.there.client)
		ended, log := p.there.end(t, job)
		b := ended.Build
		if ended.State != jobs.StateInterrupted || b.FunctionID != "f1" || b.FunctionName != "n" || b.Answer != "half an ans" ||
			len(b.Steps) != 1 || b.Status != "s" || b.Query != "q" || b.Error == "" {
			t.Errorf("job = %+v %+v", ended, b)
		}
		for i, e := range log {
			if e.Seq != int64(i+1) {
				t.Errorf("entry %d has Seq %d", i, e.Seq)
			}
		}
		if took := time.Since(start); took > time.Minute {
			t.Errorf("it was taken over after %v, want a minute at most", took)
		}
		if p.here.starts() != 1 {
			t.Errorf("%d starts, want 1", p.here.starts())
		}
	})
}

func TestDeadProcessLeavesARun(t *testing.T) {
	inTwo(t, jobs.Options{}, func(t *testing.T, p *twoManagers) {
		id := p.here.notte.AddFunction(sandbox.Function{
			Name: "n", Run: &sandbox.Outcome{Result: object{"n": 1}, After: 5 * time.Minute},
		})
		job := p.here.start(t, jobs.RunSpec{Client: p.here.client, FunctionID: id})
		synctest.Wait()
		p.die()
		p.there.Recover(p.there.client)
		ended, _ := p.there.end(t, job)
		if ended.State != jobs.StateClosed || !ended.Run.OK || ended.Run.RunID == "" {
			t.Errorf("job = %+v %+v", ended, ended.Run)
		}
		if took := ended.Elapsed(time.Now()); took < 5*time.Minute {
			t.Errorf("it ended after %v, before the run did", took)
		}
		starts := 0
		for _, r := range p.here.notte.Requests() {
			if r.Method == "POST" && !strings.HasSuffix(r.Path, "/create") {
				starts++
			}
		}
		if starts != 1 {
			t.Errorf("the run was started %d times", starts)
		}
	})
}

// A run whose process stops has not ended: another process finds its outcome by its ID.
func TestStoppedProcessLeavesARun(t *testing.T) {
	inTwo(t, jobs.Options{}, func(t *testing.T, p *twoManagers) {
		id := p.here.notte.AddFunction(sandbox.Function{Name: "n", Run: &sandbox.Outcome{Result: object{"n": 1}, After: time.Minute}})
		job := p.here.start(t, jobs.RunSpec{Client: p.here.client, FunctionID: id})
		time.Sleep(time.Second)
		if err := p.here.Stop(t.Context()); err != nil {
			t.Fatal(err)
		}
		if left, err := p.there.Get(t.Context(), job.Owner, job.ID); err != nil || left.State != jobs.StateRunning || left.Run.RunID == "" {
			t.Errorf("left behind it is %s %+v, %v", left.State, left.Run, err)
		}
		p.there.Recover(p.there.client)
		if ended, _ := p.there.end(t, job); ended.State != jobs.StateClosed || !ended.Run.OK || ended.Elapsed(time.Now()) > 2*time.Minute {
			t.Errorf("ended as %s %+v after %v", ended.State, ended.Run, ended.Elapsed(time.Now()))
		}
	})
}

func TestReuseWindow(t *testing.T) {
	inTwo(t, jobs.Options{ReuseWindow: 15 * time.Minute}, func(t *testing.T, p *twoManagers) {
		b := p.here
		b.notte.Script("good", event("done", "function_id", "f"))
		b.notte.Script("bad", event("error", "error", "e"))
		good, _ := b.end(t, b.build(t, "good"))
		b.end(t, b.build(t, "bad"))
		ask := func(query string, force bool) (jobs.Job, bool) {
			t.Helper()
			job, joined, err := p.there.Start(t.Context(), jobs.BuildSpec{Client: b.client, Query: query, ForceNew: force})
			if err != nil {
				t.Fatal(err)
			}
			p.there.end(t, job)
			return job, joined
		}
		time.Sleep(14 * time.Minute)
		if job, joined := ask(" good ", false); !joined || job.ID != good.ID || job.State != jobs.StateDone {
			t.Errorf("within the window: %+v, joined %v", job, joined)
		}
		if _, joined := ask("bad", false); joined {
			t.Error("a build that failed was reused")
		}
		if _, joined := ask("good", true); joined {
			t.Error("joined although a new build was forced")
		}
		time.Sleep(15*time.Minute + time.Second)
		if _, joined := ask("good", false); joined {
			t.Error("reused after the window")
		}
	})
}

func TestBudgetOfTheDay(t *testing.T) {
	inTwo(t, jobs.Options{DailyBudgetUSD: 2.5}, func(t *testing.T, p *twoManagers) {
		b := p.here
		b.notte.Script("q", event("done", "total_cost_usd", 0.75))
		for range 3 {
			b.end(t, b.start(t, jobs.BuildSpec{Client: b.client, Query: "q", ForceNew: true}))
		}
		_, _, err := p.there.Start(t.Context(), jobs.BuildSpec{Client: b.client, Query: "q", ForceNew: true})
		limit, ok := errors.AsType[*jobs.LimitError](err)
		if !ok || limit.Spent.USD != 2.25 || b.starts() != 3 {
			t.Fatalf("a fourth build: %v after %d starts", err, b.starts())
		}
		time.Sleep(24 * time.Hour)
		b.end(t, b.start(t, jobs.BuildSpec{Client: b.client, Query: "q", ForceNew: true}))
	})
}

func TestKeep(t *testing.T) {
	inTwo(t, jobs.Options{Keep: 24 * time.Hour}, func(t *testing.T, p *twoManagers) {
		b := p.here
		b.notte.Script("q", event("done"))
		job, _ := b.end(t, b.build(t, "q"))
		p.there.Recover(p.there.client)
		time.Sleep(23 * time.Hour)
		if _, err := b.Get(t.Context(), job.Owner, job.ID); err != nil {
			t.Errorf("forgotten too early: %v", err)
		}
		time.Sleep(3 * time.Hour)
		if _, err := b.Get(t.Context(), job.Owner, job.ID); !errors.Is(err, jobs.ErrNotFound) {
			t.Errorf("kept too long: %v", err)
		}
	})
}

func TestEndThatCannotBeStored(t *testing.T) {
	inTwo(t, jobs.Options{}, func(t *testing.T, p *twoManagers) {
		b := p.here
		b.notte.Script("q", sandbox.Delay(time.Second), event("done", "function_id", "f"))
		job := b.build(t, "q")
		p.store.saves.Store(true)
		ended, _ := b.end(t, job)
		if ended.State != jobs.StateDone || ended.Build.FunctionID != "f" || !ended.Volatile {
			t.Errorf("job = %+v %+v", ended, ended.Build)
		}
		time.Sleep(time.Hour)
		if job, err := p.there.Get(t.Context(), job.Owner, job.ID); err != nil || job.State.Ended() {
			t.Errorf("meanwhile the store holds %+v, %v", job, err)
		}
		p.store.saves.Store(false) // there is room on the disk again
		time.Sleep(3 * time.Second)
		if job, err := p.there.Get(t.Context(), job.Owner, job.ID); err != nil || job.State != jobs.StateDone {
			t.Errorf("at last the store holds %+v, %v", job, err)
		}
	})
}

// Another process finds the latest part of a long log.
func TestLogIsBounded(t *testing.T) {
	for name, c := range map[string]struct {
		event       sandbox.Step
		n           int
		most, least int // entries that remain
	}{
		"many entries": {event("tool_start", "name", "n"), 10_000, 4096, 3072 - 1},
		"large ones":   {event("tool_start", "name", strings.Repeat("x", 4<<10)), 800, 130, 90},
	} {
		t.Run(name, func(t *testing.T) {
			inTwo(t, jobs.Options{}, func(t *testing.T, p *twoManagers) {
				p.here.notte.Script("q", sandbox.Batch(sandbox.Repeat(c.n, c.event)), event("done"))
				job := p.here.build(t, "q")
				p.here.end(t, job)
				_, log := p.there.end(t, job)
				if len(log) > c.most || len(log) < c.least {
					t.Fatalf("%d entries remain, want %d to %d", len(log), c.least, c.most)
				}
				for i, e := range log {
					if want := int64(c.n + 1 - len(log) + i + 1); e.Seq != want || e.Final != (i == len(log)-1) {
						t.Fatalf("entry %d of %d has Seq %d, want %d", i, len(log), e.Seq, want)
					}
				}
			})
		})
	}
}

// slowStore takes long to store an end.
type slowStore struct{ jobs.Store }

func (s slowStore) Save(ctx context.Context, changes []jobs.Change) []error {
	for _, c := range changes {
		if c.Job != nil && c.Job.State.Ended() {
			time.Sleep(time.Second)
		}
	}
	return s.Store.Save(ctx, changes)
}

func TestNobodyIsToldBeforeTheEndIsStored(t *testing.T) {
	inBubble(t, func(t *testing.T, b *fixture) {
		b = &fixture{Manager: jobs.NewManager(slowStore{newStore(t)}, jobs.Options{}), notte: b.notte, client: b.client}
		defer stop(b)
		b.notte.Script("q", sandbox.Delay(time.Second), event("done", "function_id", "f"))
		job := b.build(t, "q")
		time.Sleep(1500 * time.Millisecond)
		if now, err := b.Get(t.Context(), job.Owner, job.ID); err != nil || now.State.Ended() {
			t.Errorf("while its end is being stored the job is told to be %s, %v", now.State, err)
		}
		if ended, _ := b.end(t, job); ended.State != jobs.StateDone || ended.Elapsed(time.Now()) != time.Second {
			t.Errorf("job = %+v", ended)
		}
	})
}

func TestFollowerOfAnotherProcessLeavesWhenItsOwnStops(t *testing.T) {
	inTwo(t, jobs.Options{}, func(t *testing.T, p *twoManagers) {
		p.here.notte.Script("q", sandbox.Stall())
		job := p.here.build(t, "q")
		time.AfterFunc(time.Second, func() { p.there.Stop(context.Background()) })
		var last error
		for _, err := range p.there.follow(t.Context(), job.Owner, job.ID, 0) {
			last = err
		}
		if last == nil {
			t.Error("the follower was not told why it ended")
		}
		if job, err := p.here.Get(t.Context(), job.Owner, job.ID); err != nil || job.State.Ended() {
			t.Errorf("the job itself is %s, %v", job.State, err)
		}
	})
}
