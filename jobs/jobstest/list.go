package jobstest

import (
	"fmt"
	"time"

	"github.com/anything-mcp/anything-mcp/jobs"
)

// lists compares a list by its IDs, and checks that its jobs are summaries.
func (s suite) lists(why string, q jobs.Query, want ...string) []jobs.Job {
	s.Helper()
	list, err := s.store.List(s.Context(), q)
	var got []string
	for _, job := range list {
		got = append(got, job.ID)
		s.equal(job, job.Summary())
	}
	if err != nil || fmt.Sprint(got) != fmt.Sprint(want) {
		s.Fatalf("%s: got %v, %v, want %v", why, got, err, want)
	}
	return list
}

func (s suite) testList() {
	s.alone(build("build_1", "ann"))
	s.ended("build_2", "ann", "", jobs.StateDone, 1, time.Minute)
	s.alone(build("build_3", "bob"))
	for i, function := range []string{"f1", "f2", "f1"} {
		s.alone(jobs.Job{
			ID: fmt.Sprint("run_", i+1), Owner: "ann", Kind: jobs.KindRun, State: jobs.StateRunning,
			StartedAt: epoch.Add(time.Duration(i+1) * time.Second),
			Run:       &jobs.Run{FunctionID: function, Variables: []byte(`{}`), Result: []byte(`1`), Logs: []string{"l"}},
		})
	}
	builds := jobs.Query{Owner: "ann", Kind: jobs.KindBuild, Limit: 100}
	s.lists("builds", builds, "build_2", "build_1")
	builds.State = jobs.StateRunning
	s.lists("running builds", builds, "build_1")
	s.lists("ended builds", jobs.Query{Owner: "ann", Kind: jobs.KindBuild, Ended: true, Limit: 100}, "build_2")
	s.lists("another's builds", jobs.Query{Owner: "bob", Kind: jobs.KindBuild, Limit: 100}, "build_3")
	s.lists("nobody's builds", jobs.Query{Owner: "eve", Kind: jobs.KindBuild, Limit: 100})
	s.lists("runs", jobs.Query{Owner: "ann", Kind: jobs.KindRun, Limit: 100}, "run_3", "run_2", "run_1")
	s.lists("two runs", jobs.Query{Owner: "ann", Kind: jobs.KindRun, Limit: 2}, "run_3", "run_2")
	s.lists("runs of a function", jobs.Query{Owner: "ann", Kind: jobs.KindRun, FunctionID: "f1", Limit: 100}, "run_3", "run_1")
	s.lists("runs since", jobs.Query{Owner: "ann", Kind: jobs.KindRun, Since: epoch.Add(2 * time.Second), Limit: 100}, "run_3", "run_2")
}

func (s suite) testListPages() {
	var ids []string // newest first
	for i := range 50 {
		job := build(fmt.Sprintf("build_%02d", i), "ann")
		job.StartedAt = epoch.Add(time.Duration(i/7) * time.Second) // some at the same time
		s.alone(job)
		ids = append([]string{job.ID}, ids...)
	}
	q := jobs.Query{Owner: "ann", Kind: jobs.KindBuild, Limit: 8}
	for len(ids) > 0 {
		page := ids[:min(q.Limit, len(ids))]
		ids = ids[len(page):]
		list := s.lists("a page", q, page...)
		last := list[len(list)-1]
		q.Before = jobs.Cursor{StartedAt: last.StartedAt, ID: last.ID}
	}
	s.lists("behind the last page", q)
}
