package jobstest

import (
	"fmt"
	"time"

	"github.com/anything-mcp/anything-mcp/jobs"
	"github.com/anything-mcp/anything-mcp/notte"
)

func (s suite) testCreate() {
	cost := 0.0
	for _, job := range []jobs.Job{
		build("build_plain", "ann"),
		{
			ID: "build_1", Owner: "ann", Kind: jobs.KindBuild, State: jobs.StateRunning, StartedAt: epoch,
			Build: &jobs.Build{
				Query: "q \x00\n\"é", Started: true, StartedAtNotte: epoch, Status: "s", Latest: notte.EventStatus, FunctionID: "f",
				FunctionName: "n", ThreadID: "t", ViewerURL: "v", TotalCostUSD: &cost, Steps: []string{"a", "b"}, StepCount: 2,
				Answer: "a", Thinking: "t", Error: "e", Detail: "d", Reason: "r",
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
		s.create(job, options("k"+job.ID, true))
		s.stored(job)
	}
}

func (s suite) testJoin() {
	s.create(build("build_1", "ann"), options("k", true))
	s.joins("same key, same owner", options("k", true), "build_1")
	s.create(build("another key", "ann"), options("other", true))
	s.create(build("another owner", "bob"), options("k", true))
	s.create(build("no key", "ann"), options("", true))
	s.create(build("no key again", "ann"), options("", true))
	s.create(build("not asked to join", "ann"), options("k", false))
	s.joins("two jobs of the key run", options("k", true), "not asked to join")
}

func (s suite) testJoinWhatStillRuns() {
	s.create(build("build_1", "ann"), options("k", true))
	newer := build("build_2", "ann")
	s.finish(s.create(newer, options("k", false)), newer)
	s.joins("a newer job of the key has ended", options("k", true), "build_1")
}

func (s suite) testJoinAfterEnds() {
	job := build("build_1", "ann")
	s.finish(s.create(job, options("k", true)), job)
	s.create(build("build_2", "ann"), options("k", true))
}

func (s suite) testJoinRace() {
	started := race(20, func(i int) bool {
		job := build(fmt.Sprint("build_", i), "ann")
		stored, _, err := s.store.Create(s.Context(), job, options("k", true))
		if err != nil {
			s.Errorf("Create: %v", err)
		}
		return stored.ID == job.ID
	})
	if len(started) != 1 {
		s.Errorf("%d of 20 concurrent creations with one key started a job, want 1", len(started))
	}
}

func (s suite) testReuse() {
	s.ended("build_old", "ann", "k", jobs.StateDone, 1, time.Minute)
	s.ended("build_new", "ann", "k", jobs.StateDone, 1, 2*time.Minute)
	s.ended("build_bad", "ann", "k", jobs.StateError, 1, 3*time.Minute)
	s.ended("build_bob", "bob", "k", jobs.StateDone, 1, 4*time.Minute)
	reuse := func(since time.Duration) jobs.CreateOptions {
		c := options("k", true)
		c.ReuseSince = epoch.Add(since)
		return c
	}
	s.joins("the newest that succeeded", reuse(0), "build_new")
	s.joins("one that has just ended", reuse(2*time.Minute), "build_new")
	s.create(build("build_late", "ann"), reuse(2*time.Minute+time.Millisecond))
	s.joins("a running job goes before a finished one", reuse(0), "build_late")
}
