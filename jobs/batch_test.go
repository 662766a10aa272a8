package jobs_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"runtime"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/anything-mcp/anything-mcp/jobs"
	"github.com/anything-mcp/anything-mcp/notte/sandbox"
)

// batchOf returns a batch of n items for a function with this outcome, three at once.
func (b *fixture) batchOf(n int, outcome sandbox.Outcome) jobs.BatchSpec {
	id := b.notte.AddFunction(sandbox.Function{Name: "f", Run: &outcome, Variables: []sandbox.Variable{{Name: "n", Type: "int"}}})
	spec := jobs.BatchSpec{Client: b.client, FunctionID: id, Concurrency: 3, MaxFailures: 5}
	for i := range n {
		spec.Items = append(spec.Items, json.RawMessage(fmt.Sprintf(`{"n":%d}`, i)))
	}
	return spec
}

// itemStarts returns the variables of each start of a run, sorted.
func (b *fixture) itemStarts() (starts []string) {
	for _, r := range b.notte.Requests() {
		if r.Method == http.MethodPost && strings.Contains(r.Path, "/runs/") && !strings.HasSuffix(r.Path, "/create") {
			var body struct{ Variables json.RawMessage }
			_ = json.Unmarshal(r.Body, &body)
			starts = append(starts, string(body.Variables))
		}
	}
	slices.Sort(starts)
	return starts
}

// startedOnce checks that each item of a batch was started once.
func (b *fixture) startedOnce(t *testing.T, spec jobs.BatchSpec) {
	t.Helper()
	var want []string
	for _, item := range spec.Items {
		want = append(want, string(item))
	}
	slices.Sort(want)
	if got := b.itemStarts(); !slices.Equal(got, want) {
		t.Errorf("%d starts, want one for each of %d items: %v", len(got), len(want), got)
	}
}

func wantTally(t *testing.T, job jobs.Job, state jobs.State, want jobs.Tally) {
	t.Helper()
	if job.State != state || job.Batch.Tally != want {
		t.Errorf("the batch is %s with %+v, want %s with %+v; error %q", job.State, job.Batch.Tally, state, want, job.Batch.Error)
	}
}

func TestBatch(t *testing.T) {
	inBubble(t, func(t *testing.T, b *fixture) {
		spec := b.batchOf(7, sandbox.Outcome{Result: object{"ok": true}, After: time.Minute})
		job := b.start(t, spec)
		again, joined, err := b.Start(t.Context(), spec)
		if err != nil || !joined || again.ID != job.ID {
			t.Errorf("the same batch again: %s, joined %v, %v", again.ID, joined, err)
		}
		ended, log := b.end(t, job)
		wantTally(t, ended, jobs.StateClosed, jobs.Tally{Total: 7, Succeeded: 7})
		if took := ended.Elapsed(time.Now()); took < 3*time.Minute || took > 4*time.Minute {
			t.Errorf("7 runs of a minute, 3 at once, took %v", took)
		}
		most, done := 0, 0
		for _, e := range log {
			if e.Tally.Total != 7 || e.Tally.Ended() < done {
				t.Errorf("after %d had ended the tally is %+v", done, e.Tally)
			}
			most, done = max(most, e.Tally.Running), e.Tally.Ended()
		}
		if most != 3 || done != 7 || !log[len(log)-1].Final {
			t.Errorf("at most %d ran at once and %d ended, want 3 and 7", most, done)
		}
		b.startedOnce(t, spec)
		items, err := b.Items(t.Context(), job.Owner, job.ID, 2, 3)
		if err != nil || len(items) != 3 || items[0].Index != 2 || string(items[0].Run.Run.Variables) != `{"n":2}` || string(items[0].Run.Run.Result) != `{"ok":true}` {
			t.Errorf("Items = %+v, %v", items, err)
		}
		if _, err := b.Items(t.Context(), "another", job.ID, 0, 3); !errors.Is(err, jobs.ErrNotFound) {
			t.Errorf("another's items: %v", err)
		}
		if _, _, err := b.Resume(t.Context(), b.client, job.ID, 0, 0); !errors.Is(err, jobs.ErrNothingLeft) {
			t.Errorf("Resume of a batch that is complete: %v", err)
		}
		if _, joined, err := b.Start(t.Context(), spec); err != nil || joined {
			t.Errorf("after its end the same batch is joined: %v, %v", joined, err)
		}
	})
}

// A run that Notte does not take on has not started: its item waits as long as Notte
// asks for, and is no failure.
func TestBatchIsRefused(t *testing.T) {
	for why, route := range map[string]string{"at its creation": "/functions/{id}/runs/create", "at its start": "/functions/{id}/runs/{run_id}"} {
		for _, status := range []int{429, 503} {
			t.Run(fmt.Sprint(status, " ", why), func(t *testing.T) {
				inBubble(t, func(t *testing.T, b *fixture) {
					spec := b.batchOf(10, sandbox.Outcome{After: time.Second})
					b.notte.FaultNext(4, "POST", route, sandbox.Header("Retry-After", "20"), sandbox.Status(status, "application/json", `{"detail":"busy"}`))
					ended, log := b.end(t, b.start(t, spec))
					wantTally(t, ended, jobs.StateClosed, jobs.Tally{Total: 10, Succeeded: 10})
					if took := ended.Elapsed(time.Now()); took < 20*time.Second || took > 2*time.Minute {
						t.Errorf("it took %v", took)
					}
					told := false
					for _, e := range log {
						if e.Tally.Failed() > 0 {
							t.Errorf("a refusal counts as a failure: %+v", e.Tally)
						}
						told = told || e.Status == "Notte takes no more runs for now; the next one starts in 20s"
					}
					if !told {
						t.Error("the log does not tell of the pause")
					}
				})
			})
		}
	}
}

// As many runs as Notte allows go on while it refuses more, and none fails.
func TestBatchAboveTheLimitOfThePlan(t *testing.T) {
	inBubble(t, func(t *testing.T, b *fixture) {
		spec := b.batchOf(40, sandbox.Outcome{After: 5 * time.Second})
		for range 8 { // others take the account's runs for two minutes
			if _, err := b.notte.AddRun(spec.FunctionID, sandbox.Outcome{After: 2 * time.Minute}); err != nil {
				t.Fatal(err)
			}
		}
		spec.Concurrency = 10
		ended, _ := b.end(t, b.start(t, spec))
		wantTally(t, ended, jobs.StateClosed, jobs.Tally{Total: 40, Succeeded: 40})
	})
}

func TestBatchThatNotteRefusesForGood(t *testing.T) {
	for _, status := range []int{401, 402, 403, 404} {
		t.Run(fmt.Sprint(status), func(t *testing.T) {
			inBubble(t, func(t *testing.T, b *fixture) {
				spec := b.batchOf(9, sandbox.Outcome{After: time.Second})
				b.notte.Fault("POST", "/functions/{id}/runs/create", sandbox.Status(status, "application/json", `{"detail":"no"}`))
				job := b.start(t, spec)
				ended, _ := b.end(t, job)
				wantTally(t, ended, jobs.StateFailed, jobs.Tally{Total: 9, Waiting: 9})
				if !strings.Contains(ended.Batch.Error, fmt.Sprint(status)) {
					t.Errorf("error = %q", ended.Batch.Error)
				}
				b.notte.Fault("POST", "/functions/{id}/runs/create") // the account has credit again
				if _, joined, err := b.Resume(t.Context(), b.client, job.ID, 0, 0); err != nil || joined {
					t.Fatalf("Resume: joined %v, %v", joined, err)
				}
				ended, _ = b.end(t, job)
				wantTally(t, ended, jobs.StateClosed, jobs.Tally{Total: 9, Succeeded: 9})
				b.startedOnce(t, spec)
			})
		})
	}
}

func TestBatchWithFailures(t *testing.T) {
	inBubble(t, func(t *testing.T, b *fixture) {
		spec := b.batchOf(20, sandbox.Outcome{Status: "failed", Result: "why", After: time.Second})
		spec.Concurrency, spec.MaxFailures = 2, 4
		job := b.start(t, spec)
		ended, _ := b.end(t, job)
		if tally := ended.Batch.Tally; ended.State != jobs.StateFailed || tally.Failed() < 4 || tally.Failed() > 5 || tally.Waiting+tally.Failed() != 20 || ended.Batch.Error == "" {
			t.Errorf("the batch is %s with %+v: %q", ended.State, tally, ended.Batch.Error)
		}
		failed := ended.Batch.Tally.Failed()
		if _, _, err := b.Resume(t.Context(), b.client, job.ID, 1, 3); err != nil {
			t.Fatal(err)
		}
		ended, _ = b.end(t, job)
		wantTally(t, ended, jobs.StateFailed, jobs.Tally{Total: 20, Waiting: 20 - failed - 3})
		if n := len(b.itemStarts()); n != failed+3 {
			t.Errorf("%d starts, want %d", n, failed+3)
		}
	})
}

func TestCancelBatch(t *testing.T) {
	inTwo(t, jobs.Options{}, func(t *testing.T, p *twoManagers) {
		for _, from := range []*fixture{p.here, p.there} {
			spec := p.here.batchOf(9, sandbox.Outcome{After: time.Hour})
			job := p.here.start(t, spec)
			time.Sleep(time.Minute)
			ended, err := from.Cancel(t.Context(), job.Owner, job.ID)
			if err != nil {
				t.Fatal(err)
			}
			wantTally(t, ended, jobs.StateCancelled, jobs.Tally{Total: 9, Waiting: 6})
			items, err := from.Items(t.Context(), job.Owner, job.ID, 0, 4)
			if err != nil || items[0].Run.State != jobs.StateCancelled || items[3].Run != nil {
				t.Errorf("items = %+v, %v", items, err)
			}
		}
	})
}

// Two batches of an owner share one bound, the smaller of the two.
func TestTwoBatches(t *testing.T) {
	inBubble(t, func(t *testing.T, b *fixture) {
		large := b.batchOf(20, sandbox.Outcome{After: time.Minute})
		large.Concurrency = 8
		small := b.batchOf(4, sandbox.Outcome{After: time.Minute})
		small.Concurrency = 2
		one, two := b.start(t, small), b.start(t, large)
		time.Sleep(30 * time.Second)
		running := func(job jobs.Job) int {
			now, err := b.Get(t.Context(), job.Owner, job.ID)
			if err != nil {
				t.Fatal(err)
			}
			return now.Batch.Tally.Running
		}
		if n := running(one) + running(two); n != 2 {
			t.Errorf("%d runs at once, want 2", n)
		}
		b.end(t, one)
		time.Sleep(time.Second)
		if ended, _ := b.end(t, two); ended.State != jobs.StateClosed {
			t.Errorf("the larger one is %s", ended.State)
		}
	})
}

// After a crash the batch is interrupted. What had been started is looked up, and
// resuming starts the rest: each item once.
func TestResumeAfterACrash(t *testing.T) {
	const create, start = "/functions/{id}/runs/create", "/functions/{id}/runs/{run_id}"
	for why, prepare := range map[string]func(*fixture){
		"amid runs":                  func(*fixture) {},
		"amid a creation":            func(b *fixture) { b.notte.FaultNext(3, "POST", create, sandbox.Stall()) },
		"between creation and start": func(b *fixture) { b.notte.FaultNext(3, "POST", start, sandbox.Reset()) },
	} {
		t.Run(why, func(t *testing.T) {
			inTwo(t, jobs.Options{}, func(t *testing.T, p *twoManagers) {
				spec := p.here.batchOf(10, sandbox.Outcome{Result: 1, After: 2 * time.Minute})
				prepare(p.here)
				job := p.here.start(t, spec)
				time.Sleep(10 * time.Second)
				p.die()
				p.there.Recover(p.there.client)
				ended, _ := p.there.end(t, job)
				if ended.State != jobs.StateInterrupted || ended.Batch.Tally.Waiting < 7 || ended.Batch.Error == "" {
					t.Errorf("after the crash it is %s with %+v", ended.State, ended.Batch.Tally)
				}
				before := len(p.there.itemStarts())
				time.Sleep(30 * time.Second)
				if n := len(p.there.itemStarts()); n != before {
					t.Errorf("%d runs were started by themselves", n-before)
				}
				if _, joined, err := p.there.Resume(t.Context(), p.there.client, job.ID, 0, 0); err != nil || joined {
					t.Fatalf("Resume: joined %v, %v", joined, err)
				}
				if _, joined, err := p.there.Resume(t.Context(), p.there.client, job.ID, 0, 0); err != nil || !joined {
					t.Errorf("Resume while it runs: joined %v, %v", joined, err)
				}
				ended, _ = p.there.end(t, job)
				wantTally(t, ended, jobs.StateClosed, jobs.Tally{Total: 10, Succeeded: 10})
				if why == "between creation and start" { // the requests came, and began nothing
					return
				}
				p.there.startedOnce(t, spec)
			})
		})
	}
}

// A process that stops leaves its runs to Notte and to the next process.
func TestStopAmidABatch(t *testing.T) {
	inTwo(t, jobs.Options{}, func(t *testing.T, p *twoManagers) {
		spec := p.here.batchOf(8, sandbox.Outcome{Result: 1, After: time.Minute})
		job := p.here.start(t, spec)
		time.Sleep(time.Second)
		if err := p.here.Stop(t.Context()); err != nil {
			t.Fatal(err)
		}
		left, err := p.there.Get(t.Context(), job.Owner, job.ID)
		if err != nil {
			t.Fatal(err)
		}
		wantTally(t, left, jobs.StateInterrupted, jobs.Tally{Total: 8, Waiting: 5, Running: 3})
		p.there.Recover(p.there.client)
		if _, _, err := p.there.Resume(t.Context(), p.there.client, job.ID, 0, 0); err != nil {
			t.Fatal(err)
		}
		ended, _ := p.there.end(t, job)
		wantTally(t, ended, jobs.StateClosed, jobs.Tally{Total: 8, Succeeded: 8})
		p.there.startedOnce(t, spec)
	})
}

// While the store fails nothing is started, because nothing could be recorded.
func TestBatchWhileTheStoreFails(t *testing.T) {
	inTwo(t, jobs.Options{}, func(t *testing.T, p *twoManagers) {
		spec := p.here.batchOf(9, sandbox.Outcome{Result: 1, After: 10 * time.Second})
		p.store.fail(true)
		if _, _, err := p.here.Start(t.Context(), spec); err == nil || !strings.Contains(err.Error(), "not started") {
			t.Errorf("Start without a store: %v", err)
		}
		p.store.fail(false)
		job := p.here.start(t, spec)
		time.Sleep(15 * time.Second)
		p.store.fail(true)
		time.Sleep(10 * time.Second)
		before := len(p.here.itemStarts())
		time.Sleep(time.Minute)
		if n := len(p.here.itemStarts()); n != before {
			t.Errorf("%d runs were started while the store failed", n-before)
		}
		p.store.fail(false)
		ended, _ := p.here.end(t, job)
		wantTally(t, ended, jobs.StateClosed, jobs.Tally{Total: 9, Succeeded: 9})
		p.here.startedOnce(t, spec)
	})
}

// A process that was stopped for a while, and comes back after another has taken over
// its batch, starts nothing.
func TestBatchThatWasTakenOver(t *testing.T) {
	inTwo(t, jobs.Options{}, func(t *testing.T, p *twoManagers) {
		spec := p.here.batchOf(6, sandbox.Outcome{Result: 1, After: 3 * time.Minute})
		job := p.here.start(t, spec)
		time.Sleep(time.Second)
		p.store.fail(true)
		p.there.Recover(p.there.client)
		p.there.end(t, job)
		if _, _, err := p.there.Resume(t.Context(), p.there.client, job.ID, 0, 0); err != nil {
			t.Fatal(err)
		}
		p.store.fail(false)
		ended, _ := p.there.end(t, job)
		wantTally(t, ended, jobs.StateClosed, jobs.Tally{Total: 6, Succeeded: 6})
		synctest.Wait()
		p.there.startedOnce(t, spec)
	})
}

// heapStore measures the memory that is in use when an item is taken.
type heapStore struct {
	jobs.Store
	most uint64
}

func (s *heapStore) TakeItem(ctx context.Context, batch jobs.Lease, run jobs.Job, opts jobs.CreateOptions) (jobs.Job, jobs.Lease, error) {
	runtime.GC()
	var now runtime.MemStats
	runtime.ReadMemStats(&now)
	s.most = max(s.most, now.HeapAlloc)
	return s.Store.TakeItem(ctx, batch, run, opts)
}

// A batch takes the memory of the runs that are open, not of their results.
func TestMemoryOfABatch(t *testing.T) {
	if testing.Short() {
		t.Skip("100 MiB of JSON take long with the race detector")
	}
	synctest.Test(t, func(t *testing.T) {
		store := &heapStore{Store: newStore(t)}
		b := &fixture{notte: sandbox.New(), Manager: jobs.NewManager(store, jobs.Options{})}
		defer b.notte.Close()
		defer stop(b)
		b.client = clientOf(t, b.notte, "key-of-ann")
		const items, size = 100, 1 << 20
		ended, _ := b.end(t, b.start(t, b.batchOf(items, sandbox.Outcome{Result: strings.Repeat("x", size)})))
		wantTally(t, ended, jobs.StateClosed, jobs.Tally{Total: items, Succeeded: items})
		if most := uint64(items * size / 2); store.most > most {
			t.Errorf("with 3 runs at once %d MiB were in use, want at most %d", store.most>>20, most>>20)
		} else {
			t.Logf("%d results of %d MiB, 3 runs at once: %d MiB in use", items, size>>20, store.most>>20)
		}
	})
}
