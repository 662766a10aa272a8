package jobstest

import (
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/anything-mcp/anything-mcp/jobs"
)

// ended stores a build that Notte took on and that ended in a state, at a cost
// unless that is negative, some time after the epoch.
func ended(t *testing.T, s jobs.Store, id, owner, key string, state jobs.State, usd float64, after time.Duration) {
	t.Helper()
	job := build(id, owner)
	lease := create(t, s, job, claim(key, false))
	b := *job.Build
	b.Started = true
	if usd >= 0 {
		b.TotalCostUSD = &usd
	}
	job.Build, job.State, job.EndedAt = &b, state, epoch.Add(after)
	if err := s.Finish(t.Context(), lease, job, nil); err != nil {
		t.Fatal(err)
	}
}

func testReuse(t *testing.T, s jobs.Store) {
	ended(t, s, "build_old", "ann", "k", jobs.StateDone, 1, time.Minute)
	ended(t, s, "build_new", "ann", "k", jobs.StateDone, 1, 2*time.Minute)
	ended(t, s, "build_bad", "ann", "k", jobs.StateError, 1, 3*time.Minute)
	ended(t, s, "build_bob", "bob", "k", jobs.StateDone, 1, 4*time.Minute)
	reuse := func(since time.Duration) jobs.Claim {
		c := claim("k", true)
		c.ReuseSince = epoch.Add(since)
		return c
	}
	for _, since := range []time.Duration{0, 2 * time.Minute} {
		job, lease, err := s.Create(t.Context(), build("build_no", "ann"), reuse(since))
		if err != nil || job.ID != "build_new" || lease != (jobs.Lease{}) || job.State != jobs.StateDone {
			t.Errorf("since %v: %s with %+v, %v; want build_new, the newest that succeeded", since, job.ID, lease, err)
		}
	}
	create(t, s, build("build_late", "ann"), reuse(2*time.Minute+time.Millisecond))
	job, _, err := s.Create(t.Context(), build("build_no", "ann"), reuse(0))
	if err != nil || job.ID != "build_late" {
		t.Errorf("a running job goes before a finished one: got %s, %v", job.ID, err)
	}
}

func testList(t *testing.T, s jobs.Store) {
	create(t, s, build("build_1", "ann"), claim("", false))
	ended(t, s, "build_2", "ann", "", jobs.StateDone, 1, time.Minute)
	create(t, s, build("build_3", "bob"), claim("", false))
	run := func(id, function string, at time.Duration) {
		create(t, s, jobs.Job{
			ID: id, Owner: "ann", Kind: jobs.KindRun, State: jobs.StateRunning, StartedAt: epoch.Add(at),
			Run: &jobs.Run{FunctionID: function, Variables: []byte(`{}`), Result: []byte(`1`), Logs: []string{"l"}},
		}, claim("", false))
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
		create(t, s, job, claim("", false))
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

func testSpending(t *testing.T, s jobs.Store) {
	ended(t, s, "build_1", "ann", "", jobs.StateDone, 0.25, time.Minute)
	ended(t, s, "build_2", "ann", "", jobs.StateError, 0.5, 2*time.Minute)
	ended(t, s, "build_3", "ann", "", jobs.StateInterrupted, -1, 3*time.Minute)
	ended(t, s, "build_4", "bob", "", jobs.StateDone, 8, 3*time.Minute)
	create(t, s, build("build_5", "ann"), claim("", false))
	refused := build("build_6", "ann") // ends without Notte having taken it on
	finish(t, s, create(t, s, refused, claim("", false)), refused)
	for since, want := range map[time.Duration]jobs.Spending{
		0:                                {USD: 0.75, Builds: 3, Unknown: 1},
		2 * time.Minute:                  {USD: 0.5, Builds: 2, Unknown: 1},
		2*time.Minute + time.Millisecond: {Builds: 1, Unknown: 1},
		time.Hour:                        {},
	} {
		got, err := s.Spending(t.Context(), "ann", epoch.Add(since))
		if err != nil || got != want {
			t.Errorf("since %v: %+v, %v; want %+v", since, got, err, want)
		}
	}
}

func limited(l jobs.Limits) jobs.Claim {
	c := claim("", false)
	c.Limits = l
	return c
}

func testMaxRunning(t *testing.T, s jobs.Store) {
	two := limited(jobs.Limits{MaxRunning: 2})
	first := build("build_1", "ann")
	lease := create(t, s, first, two)
	create(t, s, build("build_2", "ann"), two)
	_, _, err := s.Create(t.Context(), build("build_3", "ann"), two)
	if limit, ok := errors.AsType[*jobs.LimitError](err); !ok || limit.Running != 2 {
		t.Errorf("a third build of two: %v", err)
	}
	if _, err := s.Get(t.Context(), "build_3"); !errors.Is(err, jobs.ErrNotFound) {
		t.Errorf("what was refused is stored: %v", err)
	}
	create(t, s, build("build_4", "bob"), two)
	finish(t, s, lease, first)
	create(t, s, build("build_5", "ann"), two)
}

func testBudget(t *testing.T, s jobs.Store) {
	limit := limited(jobs.Limits{BudgetUSD: 4, Since: epoch})
	ended(t, s, "build_before", "ann", "", jobs.StateDone, 90, -time.Minute)
	ended(t, s, "build_1", "ann", "", jobs.StateDone, 0.5, time.Minute)
	ended(t, s, "build_2", "ann", "", jobs.StateInterrupted, -1, time.Minute) // counts as 1.00
	running := create(t, s, build("build_3", "ann"), limit)                   // so does this: 2.50 with it
	create(t, s, build("build_4", "ann"), limit)                              // 3.50
	_, _, err := s.Create(t.Context(), build("build_5", "ann"), limit)
	want := jobs.LimitError{
		Limits: limit.Limits, Spent: jobs.Spending{USD: 0.5, Builds: 2, Unknown: 1},
		Running: 2, ReservedUSD: 3, NextUSD: 1,
	}
	if got, ok := errors.AsType[*jobs.LimitError](err); !ok || *got != want {
		t.Errorf("over the budget: %+v, want %+v", err, want)
	}
	create(t, s, build("build_6", "bob"), limit)
	cheap, job := 0.0, build("build_3", "ann")
	job.State, job.EndedAt, job.Build.Started, job.Build.TotalCostUSD = jobs.StateDone, epoch.Add(time.Hour), true, &cheap
	if err := s.Finish(t.Context(), running, job, nil); err != nil {
		t.Fatal(err)
	}
	create(t, s, build("build_7", "ann"), limit)
}

func testBudgetRace(t *testing.T, s jobs.Store) {
	limit := limited(jobs.Limits{BudgetUSD: 3, Since: epoch})
	var (
		wg      sync.WaitGroup
		mu      sync.Mutex // guards started
		started int
	)
	for i := range 20 {
		wg.Go(func() {
			_, _, err := s.Create(t.Context(), build(fmt.Sprint("build_", i), "ann"), limit)
			if _, refused := errors.AsType[*jobs.LimitError](err); err != nil && !refused {
				t.Error(err)
			}
			mu.Lock()
			defer mu.Unlock()
			if err == nil {
				started++
			}
		})
	}
	wg.Wait()
	if started != 3 {
		t.Errorf("%d builds at a dollar each fitted into three dollars", started)
	}
}

func testCancel(t *testing.T, s jobs.Store) {
	job := build("build_1", "ann")
	lease := create(t, s, job, claim("", false))
	other := create(t, s, build("build_2", "ann"), claim("", false))
	both := []jobs.Lease{lease, other}
	if got, err := s.Renew(t.Context(), both, epoch.Add(time.Hour)); err != nil || len(got) != 0 {
		t.Errorf("nothing was cancelled, and Renew = %v, %v", got, err)
	}
	if err := s.Cancel(t.Context(), job.ID); err != nil {
		t.Fatal(err)
	}
	if got, err := s.Renew(t.Context(), both, epoch.Add(time.Hour)); err != nil || len(got) != 1 || got[0] != job.ID {
		t.Errorf("Renew = %v, %v; want %s to be cancelled", got, err, job.ID)
	}
	finish(t, s, lease, job)
	if err := s.Cancel(t.Context(), job.ID); !errors.Is(err, jobs.ErrEnded) {
		t.Errorf("Cancel of an ended job = %v, want ErrEnded", err)
	}
	if err := s.Cancel(t.Context(), "build_0"); !errors.Is(err, jobs.ErrNotFound) {
		t.Errorf("Cancel of no job = %v, want ErrNotFound", err)
	}
}

func testAdoptByOwner(t *testing.T, s jobs.Store) {
	create(t, s, build("build_1", "ann"), claim("", false))
	create(t, s, build("build_2", "bob"), claim("", false))
	heir := jobs.Claim{Holder: "there", Until: epoch.Add(time.Hour)}
	adopted, err := s.Adopt(t.Context(), "bob", heir, epoch.Add(2*time.Minute))
	if err != nil || len(adopted) != 1 || adopted[0].Job.ID != "build_2" {
		t.Errorf("adopted %+v, %v; want bob's job alone", adopted, err)
	}
}

func testForget(t *testing.T, s jobs.Store) {
	ended(t, s, "build_1", "ann", "", jobs.StateDone, 0.5, time.Minute)
	ended(t, s, "build_2", "ann", "", jobs.StateDone, 0.5, time.Hour)
	create(t, s, build("build_3", "ann"), claim("", false))
	if n, err := s.Forget(t.Context(), epoch.Add(time.Hour)); err != nil || n != 1 {
		t.Errorf("Forget = %d, %v; want 1", n, err)
	}
	for id, want := range map[string]bool{"build_1": false, "build_2": true, "build_3": true} {
		if _, err := s.Get(t.Context(), id); (err == nil) != want {
			t.Errorf("%s is there: %v, want %v", id, err == nil, want)
		}
	}
	if got, err := s.Spending(t.Context(), "ann", epoch); err != nil || got.USD != 1 {
		t.Errorf("what was spent is %+v, %v; want it to outlive the job", got, err)
	}
}
