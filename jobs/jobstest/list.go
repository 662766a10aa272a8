package jobstest

import (
	"fmt"
	"testing"
	"time"

	"github.com/anything-mcp/anything-mcp/jobs"
)

func testList(t *testing.T, s jobs.Store) {
	create(t, s, build("build_1", "ann"), options("", false))
	ended(t, s, "build_2", "ann", "", jobs.StateDone, 1, time.Minute)
	create(t, s, build("build_3", "bob"), options("", false))
	run := func(id, function string, at time.Duration) {
		create(t, s, jobs.Job{
			ID: id, Owner: "ann", Kind: jobs.KindRun, State: jobs.StateRunning, StartedAt: epoch.Add(at),
			Run: &jobs.Run{FunctionID: function, Variables: []byte(`{}`), Result: []byte(`1`), Logs: []string{"l"}},
		}, options("", false))
	}
	run("run_1", "f1", time.Second)
	run("run_2", "f2", 2*time.Second)
	run("run_3", "f1", 3*time.Second)
	for _, c := range []struct {
		why   string
		query jobs.Query
		want  []string
	}{
		{"builds", jobs.Query{Owner: "ann", Kind: jobs.KindBuild}, []string{"build_2", "build_1"}},
		{"running builds", jobs.Query{Owner: "ann", Kind: jobs.KindBuild, State: jobs.StateRunning}, []string{"build_1"}},
		{"another's builds", jobs.Query{Owner: "bob", Kind: jobs.KindBuild}, []string{"build_3"}},
		{"nobody's builds", jobs.Query{Owner: "eve", Kind: jobs.KindBuild}, nil},
		{"runs", jobs.Query{Owner: "ann", Kind: jobs.KindRun}, []string{"run_3", "run_2", "run_1"}},
		{"runs of a function", jobs.Query{Owner: "ann", Kind: jobs.KindRun, FunctionID: "f1"}, []string{"run_3", "run_1"}},
		{"runs since", jobs.Query{Owner: "ann", Kind: jobs.KindRun, Since: epoch.Add(2 * time.Second)}, []string{"run_3", "run_2"}},
		{"two runs", jobs.Query{Owner: "ann", Kind: jobs.KindRun, Limit: 2}, []string{"run_3", "run_2"}},
	} {
		if c.query.Limit == 0 {
			c.query.Limit = 100
		}
		list, err := s.List(t.Context(), c.query)
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, job := range list {
			got = append(got, job.ID)
			equalJob(t, job, job.Summary())
		}
		if fmt.Sprint(got) != fmt.Sprint(c.want) {
			t.Errorf("%s: got %v, want %v", c.why, got, c.want)
		}
	}
}

func testListPages(t *testing.T, s jobs.Store) {
	const n = 50
	for i := range n {
		job := build(fmt.Sprintf("build_%02d", i), "ann")
		job.StartedAt = epoch.Add(time.Duration(i/7) * time.Second) // some at the same time
		create(t, s, job, options("", false))
	}
	q := jobs.Query{Owner: "ann", Kind: jobs.KindBuild, Limit: 8}
	for i := n - 1; i >= 0; {
		list, err := s.List(t.Context(), q)
		if err != nil || len(list) == 0 {
			t.Fatalf("a page of %d jobs, %v, with %d to come", len(list), err, i+1)
		}
		for _, job := range list {
			if want := fmt.Sprintf("build_%02d", i); job.ID != want {
				t.Fatalf("got %s, want %s", job.ID, want)
			}
			i--
		}
		last := list[len(list)-1]
		q.Before = jobs.Cursor{StartedAt: last.StartedAt, ID: last.ID}
	}
	if list, err := s.List(t.Context(), q); err != nil || len(list) != 0 {
		t.Errorf("behind the last page: %d jobs, %v", len(list), err)
	}
}
