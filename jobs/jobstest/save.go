package jobstest

import (
	"errors"
	"sync"
	"testing"
	"time"

	"github.com/anything-mcp/anything-mcp/jobs"
	"github.com/anything-mcp/anything-mcp/notte"
)

func testSaveState(t *testing.T, s jobs.Store) {
	job := build("build_1", "ann")
	job.Build.Answer = "half an answer"
	lease := create(t, s, job, options("", false))
	next := *job.Build
	next.FunctionID, next.Steps, next.StepCount, next.Answer = "f1", []string{"goto"}, 1, ""
	now := job
	now.Build = &next
	mustSave(t, s, jobs.Change{Lease: lease, Job: &now})
	want := next
	want.Answer = "half an answer" // comes with the end alone
	now.Build = &want
	equalJob(t, get(t, s, job.ID), now)
}

func testSaveLog(t *testing.T, s jobs.Store) {
	job := build("build_1", "ann")
	lease := create(t, s, job, options("", false))
	all := entries(1, 20)
	for _, batch := range [][]jobs.Entry{all[:1], all[1:12], all[12:]} {
		mustSave(t, s, jobs.Change{Lease: lease, Entries: batch})
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
	equalJob(t, get(t, s, job.ID), job)
	mustSave(t, s, jobs.Change{Lease: lease, Entries: entries(21, 22), Oldest: 21})
	got, err := s.Entries(t.Context(), job.ID, 0, 100)
	if err != nil {
		t.Fatal(err)
	}
	equalEntries(t, got, entries(21, 22))
}

// A change may be saved again, when it is not known whether it was saved.
func testSaveAgain(t *testing.T, s jobs.Store) {
	job := build("build_1", "ann")
	lease := create(t, s, job, options("", false))
	mustSave(t, s, jobs.Change{Lease: lease, Entries: entries(1, 3)})
	mustSave(t, s, jobs.Change{Lease: lease, Entries: entries(2, 5)})
	got, err := s.Entries(t.Context(), job.ID, 0, 100)
	if err != nil {
		t.Fatal(err)
	}
	equalEntries(t, got, entries(1, 5))
}

// Each change has an answer of its own: one that is refused does not keep the
// others from being saved.
func testSaveMany(t *testing.T, s jobs.Store) {
	one, two := build("build_1", "ann"), build("build_2", "bob")
	first, second := create(t, s, one, options("", false)), create(t, s, two, options("", false))
	errs := s.Save(t.Context(), []jobs.Change{
		{Lease: first, Entries: entries(1, 2)},
		{Lease: jobs.Lease{JobID: one.ID, Fence: 9}, Entries: entries(3, 3)},
		{Lease: jobs.Lease{JobID: "build_0", Fence: 1}, Entries: entries(1, 1)},
		{Lease: second, Job: inState(two, jobs.StateDone), Entries: entries(1, 1), Sync: true},
		{Lease: second, Entries: entries(2, 2)},
	})
	for i, want := range []error{nil, jobs.ErrLeaseLost, jobs.ErrNotFound, nil, jobs.ErrEnded} {
		if !errors.Is(errs[i], want) || (errs[i] == nil) != (want == nil) {
			t.Errorf("change %d: %v, want %v", i, errs[i], want)
		}
	}
	for id, n := range map[string]int{one.ID: 2, two.ID: 1} {
		if log, err := s.Entries(t.Context(), id, 0, 100); err != nil || len(log) != n {
			t.Errorf("the log of %s has %d entries, %v; want %d", id, len(log), err, n)
		}
	}
	equalJob(t, get(t, s, two.ID), *inState(two, jobs.StateDone))
	if errs := s.Save(t.Context(), nil); len(errs) != 0 {
		t.Errorf("Save of nothing = %v", errs)
	}
}

func testEnd(t *testing.T, s jobs.Store) {
	job := build("build_1", "ann")
	lease := create(t, s, job, options("", false))
	log := entries(1, 4)
	log[3].Final = true
	mustSave(t, s, jobs.Change{Lease: lease, Entries: log[:2]})
	cost := 0.43
	job.Build = &jobs.Build{Query: job.Build.Query, FunctionID: "f1", TotalCostUSD: &cost, Answer: "done\nwell", Thinking: "hm"}
	finish(t, s, lease, job, log[2:]...)

	ended := *inState(job, jobs.StateDone)
	equalJob(t, get(t, s, job.ID), ended)
	got, err := s.Entries(t.Context(), job.ID, 0, 100)
	if err != nil {
		t.Fatal(err)
	}
	equalEntries(t, got, log)

	for why, c := range map[string]jobs.Change{
		"another end":     {Lease: lease, Job: inState(job, jobs.StateError)},
		"an interruption": {Lease: lease, Job: inState(job, jobs.StateInterrupted)},
		"more entries":    {Lease: lease, Entries: entries(5, 5)},
		"another state":   {Lease: lease, Job: &job},
	} {
		if err := save(t, s, c); !errors.Is(err, jobs.ErrEnded) {
			t.Errorf("%s after the end: %v, want ErrEnded", why, err)
		}
	}
	equalJob(t, get(t, s, job.ID), ended)
}

func testEndRace(t *testing.T, s jobs.Store) {
	job := build("build_1", "ann")
	lease := create(t, s, job, options("", false))
	var (
		wg   sync.WaitGroup
		mu   sync.Mutex // guards won
		won  []string
		ends = []string{"a", "b", "c", "d", "e", "f", "g", "h"}
	)
	for _, name := range ends {
		wg.Go(func() {
			end := inState(job, jobs.StateDone)
			end.Build = &jobs.Build{Query: job.Build.Query, FunctionID: name}
			err := s.Save(t.Context(), []jobs.Change{{Lease: lease, Job: end}})[0]
			mu.Lock()
			defer mu.Unlock()
			if err == nil {
				won = append(won, name)
			} else if !errors.Is(err, jobs.ErrEnded) {
				t.Errorf("Save = %v, want ErrEnded", err)
			}
		})
	}
	wg.Wait()
	if len(won) != 1 {
		t.Fatalf("%d of %d ends won, want 1", len(won), len(ends))
	}
	if got := get(t, s, job.ID).Build.FunctionID; got != won[0] {
		t.Errorf("%s won and %s was stored", won[0], got)
	}
}

// A known outcome replaces StateInterrupted, once: its process was only paused
// while another took the job over and ended it.
func testKnownEnd(t *testing.T, s jobs.Store) {
	job := build("build_1", "ann")
	job.Build.Started = true
	lost := create(t, s, job, options("k", true))
	mustSave(t, s, jobs.Change{Lease: lost, Entries: entries(1, 2)})
	heir := adopt(t, s, "ann", "there", epoch.Add(2*time.Minute))[0].Lease
	if err := save(t, s, jobs.Change{Lease: lost, Job: inState(job, jobs.StateDone)}); !errors.Is(err, jobs.ErrLeaseLost) {
		t.Errorf("an end while another holds the job: %v, want ErrLeaseLost", err)
	}
	interrupted := entries(3, 3)
	interrupted[0].Final = true
	mustSave(t, s, jobs.Change{Lease: heir, Job: inState(job, jobs.StateInterrupted), Entries: interrupted})

	cost := 0.5
	known := inState(job, jobs.StateDone)
	known.EndedAt = epoch.Add(time.Hour)
	known.Build = &jobs.Build{Query: job.Build.Query, Started: true, FunctionID: "f1", TotalCostUSD: &cost, Answer: "all"}
	log := entries(3, 5)
	log[2].Final = true
	for why, c := range map[string]jobs.Change{
		"entries alone":            {Lease: lost, Entries: log},
		"another interruption":     {Lease: lost, Job: inState(job, jobs.StateInterrupted)},
		"a state of a running job": {Lease: lost, Job: &job},
	} {
		if err := save(t, s, c); !errors.Is(err, jobs.ErrEnded) {
			t.Errorf("%s: %v, want ErrEnded", why, err)
		}
	}
	mustSave(t, s, jobs.Change{Lease: lost, Job: known, Entries: log})
	equalJob(t, get(t, s, job.ID), *known)
	got, err := s.Entries(t.Context(), job.ID, 0, 100)
	if err != nil {
		t.Fatal(err)
	}
	equalEntries(t, got, append(entries(1, 2), log...))
	sum, err := s.Spending(t.Context(), "ann", epoch)
	if want := (jobs.Spending{USD: 0.5, Builds: 1}); err != nil || sum != want {
		t.Errorf("spent %+v, %v; want %+v", sum, err, want)
	}
	if err := save(t, s, jobs.Change{Lease: lost, Job: inState(job, jobs.StateError)}); !errors.Is(err, jobs.ErrEnded) {
		t.Errorf("a second known end: %v, want ErrEnded", err)
	}
	equalJob(t, get(t, s, job.ID), *known)
}

// A viewer's link is stored for followers while the job runs, and erased at its
// end, because its token must not outlive the session.
func testLinksAreErased(t *testing.T, s jobs.Store) {
	job := build("build_1", "ann")
	lease := create(t, s, job, options("", false))
	link := func(seq int64) jobs.Entry {
		return jobs.Entry{Seq: seq, At: epoch, Event: notte.Event{Type: notte.EventSessionData, ViewerURL: "sealed link"}}
	}
	running := job
	running.Build = &jobs.Build{Query: job.Build.Query, ViewerURL: "sealed link"}
	mustSave(t, s, jobs.Change{Lease: lease, Job: &running, Entries: []jobs.Entry{link(1)}})
	equalJob(t, get(t, s, job.ID), running)
	if got, _ := s.Entries(t.Context(), job.ID, 0, 1); len(got) != 1 || got[0].ViewerURL == "" {
		t.Errorf("while the job runs its link is there to be followed; got %+v", got)
	}
	finish(t, s, lease, job, link(2))
	got, err := s.Entries(t.Context(), job.ID, 0, 100)
	if err != nil || len(got) != 2 {
		t.Fatalf("Entries = %+v, %v, want 2", got, err)
	}
	for _, e := range got {
		if e.ViewerURL != "" {
			t.Errorf("entry %d still says %q after the end", e.Seq, e.ViewerURL)
		}
	}
}

func testPositions(t *testing.T, s jobs.Store) {
	quiet, busy, ended := build("build_1", "ann"), build("build_2", "bob"), build("build_3", "ann")
	create(t, s, quiet, options("", false))
	lease := create(t, s, busy, options("", false))
	mustSave(t, s, jobs.Change{Lease: lease, Entries: entries(1, 7)})
	finish(t, s, create(t, s, ended, options("", false)), ended, entries(1, 1)...)
	want := map[string]jobs.Position{
		quiet.ID: {ID: quiet.ID, Owner: "ann", State: jobs.StateRunning},
		busy.ID:  {ID: busy.ID, Owner: "bob", State: jobs.StateRunning, Seq: 7},
		ended.ID: {ID: ended.ID, Owner: "ann", State: jobs.StateDone, Seq: 1},
	}
	got, err := s.Positions(t.Context(), []string{busy.ID, "build_0", ended.ID, quiet.ID})
	if err != nil || len(got) != len(want) {
		t.Fatalf("Positions = %+v, %v; want %d", got, err, len(want))
	}
	for _, p := range got {
		if p != want[p.ID] {
			t.Errorf("position %+v, want %+v", p, want[p.ID])
		}
	}
	if none, err := s.Positions(t.Context(), nil); err != nil || len(none) != 0 {
		t.Errorf("Positions of nothing = %v, %v", none, err)
	}
}

func testUnknownJobs(t *testing.T, s jobs.Store) {
	if _, err := s.Get(t.Context(), "build_0"); !errors.Is(err, jobs.ErrNotFound) {
		t.Errorf("Get = %v, want ErrNotFound", err)
	}
	if _, err := s.Entries(t.Context(), "build_0", 0, 1); !errors.Is(err, jobs.ErrNotFound) {
		t.Errorf("Entries = %v, want ErrNotFound", err)
	}
	end := jobs.Change{Lease: jobs.Lease{JobID: "build_0", Fence: 1}, Job: inState(build("build_0", "ann"), jobs.StateDone)}
	if err := save(t, s, end); !errors.Is(err, jobs.ErrNotFound) {
		t.Errorf("Save = %v, want ErrNotFound", err)
	}
}
