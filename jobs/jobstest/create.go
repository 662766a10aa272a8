package jobstest

import (
	"errors"
	"fmt"
	"sync"
	"testing"

	"github.com/anything-mcp/anything-mcp/jobs"
	"github.com/anything-mcp/anything-mcp/notte"
)

func testCreate(t *testing.T, s jobs.Store) {
	job := build("build_1", "ann")
	lease := create(t, s, job, options("k", true))
	if lease.JobID != job.ID || lease.Fence <= 0 {
		t.Errorf("lease = %+v, want one of %s with a positive fence", lease, job.ID)
	}
	equalJob(t, get(t, s, job.ID), job)
}

func testWholeOfAJob(t *testing.T, s jobs.Store) {
	cost := 0.0
	for _, job := range []jobs.Job{
		{
			ID: "build_1", Owner: "ann", Kind: jobs.KindBuild, State: jobs.StateRunning, StartedAt: epoch,
			Build: &jobs.Build{
				Query: "q \x00\n\"é", Started: true, StartedAtNotte: epoch, Status: "s", Latest: notte.EventStatus, FunctionID: "f", FunctionName: "n", ThreadID: "t", ViewerURL: "v",
				TotalCostUSD: &cost, Steps: []string{"a", "b"}, StepCount: 2, Answer: "a", Thinking: "t", Dropped: 7,
				Error: "e", Detail: "d", Reason: "r",
			},
		},
		{
			ID: "run_1", Owner: "ann", Kind: jobs.KindRun, State: jobs.StateRunning, StartedAt: epoch,
			Run: &jobs.Run{
				FunctionID: "f", Variables: []byte(`{"a":1}`), RunID: "r", SessionID: "s", OK: true,
				Result: []byte(`[9007199254740993]`), Logs: []string{"x"}, Error: "e",
			},
		},
	} {
		create(t, s, job, options("", false))
		equalJob(t, get(t, s, job.ID), job)
	}
}

func testJoin(t *testing.T, s jobs.Store) {
	create(t, s, build("build_1", "ann"), options("k", true))
	for _, c := range []struct {
		why, owner string
		opts       jobs.CreateOptions
		joins      string
	}{
		{"same key, same owner", "ann", options("k", true), "build_1"},
		{"another key", "ann", options("other", true), ""},
		{"another owner", "bob", options("k", true), ""},
		{"not asked to join", "ann", options("k", false), ""},
		{"no key", "ann", options("", true), ""},
		{"no key again", "ann", options("", true), ""},
	} {
		id := "build_for_" + c.why
		stored, lease, err := s.Create(t.Context(), build(id, c.owner), c.opts)
		if err != nil {
			t.Fatalf("%s: %v", c.why, err)
		}
		if c.joins == "" {
			if stored.ID != id || lease.Fence == 0 {
				t.Errorf("%s: got %s with lease %+v, want a job of its own", c.why, stored.ID, lease)
			}
			continue
		}
		if stored.ID != c.joins || lease != (jobs.Lease{}) {
			t.Errorf("%s: got %s with lease %+v, want %s without one", c.why, stored.ID, lease, c.joins)
		}
		if _, err := s.Get(t.Context(), id); !errors.Is(err, jobs.ErrNotFound) {
			t.Errorf("%s: the job that joined was stored as well: %v", c.why, err)
		}
	}
	stored, _, err := s.Create(t.Context(), build("late", "ann"), options("k", true))
	if want := "build_for_not asked to join"; err != nil || stored.ID != want {
		t.Errorf("two jobs of one key run: joined %s, %v, want the newer, %s", stored.ID, err, want)
	}
}

func testJoinWhatStillRuns(t *testing.T, s jobs.Store) {
	create(t, s, build("build_1", "ann"), options("k", true))
	newer := build("build_2", "ann")
	finish(t, s, create(t, s, newer, options("k", false)), newer)
	if job, _, err := s.Create(t.Context(), build("build_3", "ann"), options("k", true)); err != nil || job.ID != "build_1" {
		t.Errorf("a newer job of the key has ended: got %s, %v; want build_1, which runs", job.ID, err)
	}
}

func testJoinAfterEnds(t *testing.T, s jobs.Store) {
	job := build("build_1", "ann")
	finish(t, s, create(t, s, job, options("k", true)), job)
	create(t, s, build("build_2", "ann"), options("k", true))
}

func testJoinRace(t *testing.T, s jobs.Store) {
	const callers = 20
	var (
		wg      sync.WaitGroup
		mu      sync.Mutex // guards started
		started int
	)
	for i := range callers {
		wg.Go(func() {
			job := build(fmt.Sprint("build_", i), "ann")
			stored, _, err := s.Create(t.Context(), job, options("k", true))
			if err != nil {
				t.Errorf("Create: %v", err)
			}
			mu.Lock()
			defer mu.Unlock()
			if stored.ID == job.ID {
				started++
			}
		})
	}
	wg.Wait()
	if started != 1 {
		t.Errorf("%d of %d concurrent creations with one key started a job, want 1", started, callers)
	}
}
