// Package jobstest holds the contract of a [jobs.Store] as a test.
package jobstest

import (
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/anything-mcp/anything-mcp/jobs"
	"github.com/anything-mcp/anything-mcp/notte"
)

// Test runs the contract against stores that open returns: each call of open
// gives an empty store, which Test closes.
func Test(t *testing.T, open func(*testing.T) jobs.Store) {
	for name, test := range map[string]func(*testing.T, jobs.Store){
		"Create":        testCreate,
		"Join":          testJoin,
		"JoinRace":      testJoinRace,
		"Update":        testUpdate,
		"Log":           testLog,
		"Finish":        testFinish,
		"FinishRace":    testFinishRace,
		"Fence":         testFence,
		"Renew":         testRenew,
		"ViewerLinks":   testViewerLinks,
		"WholeOfAJob":   testWholeOfAJob,
		"UnknownJobs":   testUnknownJobs,
		"JoinAfterEnds": testJoinAfterEnds,
		"JoinRunning":   testJoinWhatStillRuns,
		"Reuse":         testReuse,
		"List":          testList,
		"ListPages":     testListPages,
		"Spending":      testSpending,
		"MaxRunning":    testMaxRunning,
		"Budget":        testBudget,
		"BudgetRace":    testBudgetRace,
		"Cancel":        testCancel,
		"AdoptByOwner":  testAdoptByOwner,
		"Forget":        testForget,
	} {
		t.Run(name, func(t *testing.T) {
			store := open(t)
			test(t, store)
			if err := store.Close(); err != nil {
				t.Errorf("Close: %v", err)
			}
		})
	}
}

// epoch is when the jobs of these tests begin, as precise as a store must keep.
var epoch = time.Date(2026, 7, 28, 12, 0, 0, int(time.Millisecond), time.UTC)

func build(id, owner string) jobs.Job {
	return jobs.Job{
		ID: id, Owner: owner, Kind: jobs.KindBuild, State: jobs.StateRunning,
		StartedAt: epoch, Build: &jobs.Build{Query: "query of " + id},
	}
}

func claim(key string, join bool) jobs.Claim {
	return jobs.Claim{Holder: "here", Until: epoch.Add(time.Minute), JoinKey: key, Join: join}
}

func create(t *testing.T, s jobs.Store, job jobs.Job, c jobs.Claim) jobs.Lease {
	t.Helper()
	stored, lease, err := s.Create(t.Context(), job, c)
	if err != nil || stored.ID != job.ID {
		t.Fatalf("Create(%s) = %q, %v", job.ID, stored.ID, err)
	}
	return lease
}

func finish(t *testing.T, s jobs.Store, lease jobs.Lease, job jobs.Job, entries ...jobs.Entry) {
	t.Helper()
	job.State, job.EndedAt = jobs.StateDone, epoch.Add(time.Second)
	if err := s.Finish(t.Context(), lease, job, entries); err != nil {
		t.Fatalf("Finish(%s): %v", job.ID, err)
	}
}

func entries(from, to int64) []jobs.Entry {
	var list []jobs.Entry
	for seq := from; seq <= to; seq++ {
		list = append(list, jobs.Entry{
			Seq: seq, At: epoch.Add(time.Duration(seq) * time.Millisecond),
			Type: notte.EventToolStart, Text: fmt.Sprint("step ", seq),
		})
	}
	return list
}

func testCreate(t *testing.T, s jobs.Store) {
	job := build("build_1", "ann")
	lease := create(t, s, job, claim("k", true))
	if lease.JobID != job.ID || lease.Fence <= 0 {
		t.Errorf("lease = %+v, want one of %s with a positive fence", lease, job.ID)
	}
	equalJob(t, get(t, s, job.ID), job)
}

func testJoin(t *testing.T, s jobs.Store) {
	create(t, s, build("build_1", "ann"), claim("k", true))
	for _, c := range []struct {
		why, owner string
		claim      jobs.Claim
		joins      string
	}{
		{"same key, same owner", "ann", claim("k", true), "build_1"},
		{"another key", "ann", claim("other", true), ""},
		{"another owner", "bob", claim("k", true), ""},
		{"not asked to join", "ann", claim("k", false), ""},
		{"no key", "ann", claim("", true), ""},
		{"no key again", "ann", claim("", true), ""},
	} {
		id := "build_for_" + c.why
		stored, lease, err := s.Create(t.Context(), build(id, c.owner), c.claim)
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
	stored, _, err := s.Create(t.Context(), build("late", "ann"), claim("k", true))
	if want := "build_for_not asked to join"; err != nil || stored.ID != want {
		t.Errorf("two jobs of one key run: joined %s, %v, want the newer, %s", stored.ID, err, want)
	}
}

func testJoinWhatStillRuns(t *testing.T, s jobs.Store) {
	create(t, s, build("build_1", "ann"), claim("k", true))
	newer := build("build_2", "ann")
	finish(t, s, create(t, s, newer, claim("k", false)), newer)
	if job, _, err := s.Create(t.Context(), build("build_3", "ann"), claim("k", true)); err != nil || job.ID != "build_1" {
		t.Errorf("a newer job of the key has ended: got %s, %v; want build_1, which runs", job.ID, err)
	}
}

func testJoinAfterEnds(t *testing.T, s jobs.Store) {
	job := build("build_1", "ann")
	finish(t, s, create(t, s, job, claim("k", true)), job)
	create(t, s, build("build_2", "ann"), claim("k", true))
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
			stored, _, err := s.Create(t.Context(), job, claim("k", true))
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

func testUpdate(t *testing.T, s jobs.Store) {
	job := build("build_1", "ann")
	lease := create(t, s, job, claim("", false))
	b := *job.Build
	b.FunctionID = "f1"
	job.Build = &b
	if err := s.Update(t.Context(), lease, job); err != nil {
		t.Fatal(err)
	}
	equalJob(t, get(t, s, job.ID), job)
	finish(t, s, lease, job)
	b.FunctionID = "f2"
	if err := s.Update(t.Context(), lease, job); !errors.Is(err, jobs.ErrEnded) {
		t.Errorf("Update after the end = %v, want ErrEnded", err)
	}
}

func testLog(t *testing.T, s jobs.Store) {
	job := build("build_1", "ann")
	lease := create(t, s, job, claim("", false))
	all := entries(1, 20)
	for _, batch := range [][]jobs.Entry{all[:1], all[1:12], all[12:]} {
		if err := s.Append(t.Context(), lease, batch); err != nil {
			t.Fatal(err)
		}
	}
	for _, c := range []struct {
		after int64
		limit int
		want  []jobs.Entry
	}{
		{0, 100, all}, {0, 5, all[:5]}, {5, 5, all[5:10]}, {19, 5, all[19:]}, {20, 5, nil}, {99, 5, nil},
	} {
		got, err := s.Entries(t.Context(), job.ID, c.after, c.limit)
		if err != nil {
			t.Fatal(err)
		}
		equalEntries(t, got, c.want)
	}
}

func testFinish(t *testing.T, s jobs.Store) {
	job := build("build_1", "ann")
	lease := create(t, s, job, claim("", false))
	log := entries(1, 4)
	log[3].Final = true
	if err := s.Append(t.Context(), lease, log[:2]); err != nil {
		t.Fatal(err)
	}
	cost := 0.43
	job.Build = &jobs.Build{Query: job.Build.Query, FunctionID: "f1", TotalCostUSD: &cost, Answer: "done\nwell"}
	finish(t, s, lease, job, log[2:]...)

	job.State, job.EndedAt = jobs.StateDone, epoch.Add(time.Second)
	equalJob(t, get(t, s, job.ID), job)
	got, err := s.Entries(t.Context(), job.ID, 0, 100)
	if err != nil {
		t.Fatal(err)
	}
	equalEntries(t, got, log)

	late := job
	late.State = jobs.StateInterrupted
	if err := s.Finish(t.Context(), lease, late, nil); !errors.Is(err, jobs.ErrEnded) {
		t.Errorf("second Finish = %v, want ErrEnded", err)
	}
	if err := s.Append(t.Context(), lease, entries(5, 5)); !errors.Is(err, jobs.ErrEnded) {
		t.Errorf("Append after the end = %v, want ErrEnded", err)
	}
	equalJob(t, get(t, s, job.ID), job)
}

func testFinishRace(t *testing.T, s jobs.Store) {
	job := build("build_1", "ann")
	lease := create(t, s, job, claim("", false))
	var (
		wg   sync.WaitGroup
		mu   sync.Mutex // guards won
		won  []string
		ends = []string{"a", "b", "c", "d", "e", "f", "g", "h"}
	)
	for _, name := range ends {
		wg.Go(func() {
			end := job
			end.State, end.EndedAt = jobs.StateDone, epoch.Add(time.Second)
			end.Build = &jobs.Build{Query: job.Build.Query, FunctionID: name}
			err := s.Finish(t.Context(), lease, end, nil)
			mu.Lock()
			defer mu.Unlock()
			if err == nil {
				won = append(won, name)
			} else if !errors.Is(err, jobs.ErrEnded) {
				t.Errorf("Finish = %v, want ErrEnded", err)
			}
		})
	}
	wg.Wait()
	if len(won) != 1 {
		t.Fatalf("%d of %d finishes won, want 1", len(won), len(ends))
	}
	if got := get(t, s, job.ID).Build.FunctionID; got != won[0] {
		t.Errorf("%s won and %s was stored", won[0], got)
	}
}

func testFence(t *testing.T, s jobs.Store) {
	job := build("build_1", "ann")
	lost := create(t, s, job, claim("", false))
	ended := build("build_2", "ann")
	finish(t, s, create(t, s, ended, claim("", false)), ended)

	heir := jobs.Claim{Holder: "there", Until: epoch.Add(3 * time.Minute)}
	if adopted := adopt(t, s, "ann", heir, epoch.Add(time.Second)); len(adopted) != 0 {
		t.Fatalf("adopted %v while the lease held", adopted)
	}
	if own := adopt(t, s, "ann", claim("", false), epoch.Add(2*time.Minute)); len(own) != 0 {
		t.Errorf("the holder adopted %v, which it holds", own)
	}
	adopted := adopt(t, s, "ann", heir, epoch.Add(2*time.Minute))
	if len(adopted) != 1 || adopted[0].Job.ID != job.ID || adopted[0].Lease.Fence <= lost.Fence {
		t.Fatalf("adopted %+v, want %s alone with a fence above %d", adopted, job.ID, lost.Fence)
	}
	if again := adopt(t, s, "ann", heir, epoch.Add(2*time.Minute)); len(again) != 0 {
		t.Errorf("adopted %v twice", again)
	}
	if err := s.Append(t.Context(), lost, entries(1, 1)); !errors.Is(err, jobs.ErrLeaseLost) {
		t.Errorf("Append under a lost lease = %v, want ErrLeaseLost", err)
	}
	if err := s.Update(t.Context(), lost, job); !errors.Is(err, jobs.ErrLeaseLost) {
		t.Errorf("Update under a lost lease = %v, want ErrLeaseLost", err)
	}
	if err := s.Finish(t.Context(), lost, job, nil); !errors.Is(err, jobs.ErrLeaseLost) {
		t.Errorf("Finish under a lost lease = %v, want ErrLeaseLost", err)
	}
	finish(t, s, adopted[0].Lease, job, entries(1, 1)...)
}

func testRenew(t *testing.T, s jobs.Store) {
	kept := create(t, s, build("build_1", "ann"), claim("", false))
	create(t, s, build("build_2", "ann"), claim("", false))
	unknown := jobs.Lease{JobID: "build_3", Fence: 1}
	if _, err := s.Renew(t.Context(), []jobs.Lease{unknown, kept}, epoch.Add(time.Hour)); err != nil {
		t.Fatal(err)
	}
	adopted := adopt(t, s, "ann", jobs.Claim{Holder: "there", Until: epoch.Add(time.Hour)}, epoch.Add(2*time.Minute))
	if len(adopted) != 1 || adopted[0].Job.ID != "build_2" {
		t.Errorf("adopted %+v, want build_2 alone: the other lease was renewed", adopted)
	}
}

func testViewerLinks(t *testing.T, s jobs.Store) {
	job := build("build_1", "ann")
	lease := create(t, s, job, claim("", false))
	link := func(seq int64) jobs.Entry {
		return jobs.Entry{Seq: seq, At: epoch, Type: notte.EventSessionData, Text: "https://viewer.example/?token=secret"}
	}
	if err := s.Append(t.Context(), lease, []jobs.Entry{link(1)}); err != nil {
		t.Fatal(err)
	}
	if got, _ := s.Entries(t.Context(), job.ID, 0, 1); len(got) != 1 || got[0].Text == "" {
		t.Errorf("while the job runs its link is there to be followed; got %+v", got)
	}
	finish(t, s, lease, job, link(2))
	got, err := s.Entries(t.Context(), job.ID, 0, 100)
	if err != nil || len(got) != 2 {
		t.Fatalf("Entries = %+v, %v, want 2", got, err)
	}
	for _, e := range got {
		if e.Text != "" {
			t.Errorf("entry %d still says %q after the end", e.Seq, e.Text)
		}
	}
}

func testWholeOfAJob(t *testing.T, s jobs.Store) {
	cost := 0.0
	for _, job := range []jobs.Job{
		{
			ID: "build_1", Owner: "ann", Kind: jobs.KindBuild, State: jobs.StateRunning, StartedAt: epoch,
			Build: &jobs.Build{
				Query: "q \x00\n\"é", Started: true, Status: "s", FunctionID: "f", FunctionName: "n", ThreadID: "t", ViewerURL: "v",
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
		create(t, s, job, claim("", false))
		equalJob(t, get(t, s, job.ID), job)
	}
}

func testUnknownJobs(t *testing.T, s jobs.Store) {
	if _, err := s.Get(t.Context(), "build_0"); !errors.Is(err, jobs.ErrNotFound) {
		t.Errorf("Get = %v, want ErrNotFound", err)
	}
	if _, err := s.Entries(t.Context(), "build_0", 0, 1); !errors.Is(err, jobs.ErrNotFound) {
		t.Errorf("Entries = %v, want ErrNotFound", err)
	}
	lease := jobs.Lease{JobID: "build_0", Fence: 1}
	if err := s.Finish(t.Context(), lease, build("build_0", "ann"), nil); !errors.Is(err, jobs.ErrNotFound) {
		t.Errorf("Finish = %v, want ErrNotFound", err)
	}
}
