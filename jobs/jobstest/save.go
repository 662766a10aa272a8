package jobstest

import (
	"errors"
	"fmt"
	"time"

	"github.com/anything-mcp/anything-mcp/jobs"
	"github.com/anything-mcp/anything-mcp/notte"
)

func (s suite) testSaveState() {
	job := build("build_1", "ann")
	job.Build.Answer = "half an answer"
	lease := s.alone(job)
	next := *job.Build
	next.FunctionID, next.Steps, next.StepCount, next.Answer = "f1", []string{"goto"}, 1, ""
	now := job
	now.Build = &next
	s.save(jobs.Change{Lease: lease, Job: &now})
	want := next
	want.Answer = "half an answer" // comes with the end alone
	now.Build = &want
	s.stored(now)
}

func (s suite) testSaveLog() {
	job := build("build_1", "ann")
	lease := s.alone(job)
	all := entries(1, 20)
	for _, batch := range [][]jobs.Entry{all[:1], all[1:12], all[12:]} {
		s.save(jobs.Change{Lease: lease, Entries: batch})
	}
	for _, c := range []struct {
		after int64
		limit int
		want  []jobs.Entry
	}{
		{0, 100, all}, {0, 5, all[:5]}, {5, 5, all[5:10]}, {19, 5, all[19:]}, {20, 5, nil}, {99, 5, nil},
	} {
		s.log(job.ID, c.after, c.limit, c.want)
	}
	s.stored(job)
	s.save(jobs.Change{Lease: lease, Entries: entries(21, 22), Oldest: 18})
	s.log(job.ID, 0, 100, entries(18, 22))
}

// A change may be saved again, when it is not known whether it was saved.
func (s suite) testSaveAgain() {
	lease := s.alone(build("build_1", "ann"))
	s.save(jobs.Change{Lease: lease, Entries: entries(1, 3)})
	s.save(jobs.Change{Lease: lease, Entries: entries(2, 5)})
	s.log("build_1", 0, 100, entries(1, 5))
}

// Each change has an answer of its own: one that is refused does not keep the
// others from being saved.
func (s suite) testSaveMany() {
	one, two := build("build_1", "ann"), build("build_2", "bob")
	first, second := s.alone(one), s.alone(two)
	errs := s.store.Save(s.Context(), []jobs.Change{
		{Lease: first, Entries: entries(1, 2)},
		{Lease: jobs.Lease{JobID: one.ID, Fence: 9}, Entries: entries(3, 3)},
		{Lease: jobs.Lease{JobID: "build_0", Fence: 1}, Entries: entries(1, 1)},
		{Lease: second, Job: inState(two, jobs.StateDone), Entries: entries(1, 1), Sync: true},
		{Lease: second, Entries: entries(2, 2)},
	})
	for i, want := range []error{nil, jobs.ErrLeaseLost, jobs.ErrNotFound, nil, jobs.ErrEnded} {
		if !errors.Is(errs[i], want) || (errs[i] == nil) != (want == nil) {
			s.Errorf("change %d: %v, want %v", i, errs[i], want)
		}
	}
	s.log(one.ID, 0, 100, entries(1, 2))
	s.log(two.ID, 0, 100, entries(1, 1))
	s.stored(*inState(two, jobs.StateDone))
	if errs := s.store.Save(s.Context(), nil); len(errs) != 0 {
		s.Errorf("Save of nothing = %v", errs)
	}
}

// A job that the store could not take when it began is stored with a change.
func (s suite) testSaveUnknown() {
	opts := options("k", true)
	for _, state := range []jobs.State{jobs.StateRunning, jobs.StateDone} {
		job := build("build_"+string(state), "ann")
		job.Build.Started, job.Build.Answer = true, "all"
		c := jobs.Change{Lease: jobs.Lease{JobID: job.ID, Fence: 1}, Job: inState(job, state), Entries: entries(1, 2), Create: &opts}
		s.save(c)
		s.log(job.ID, 0, 9, entries(1, 2))
		s.stored(*inState(job, state))
	}
	s.joins("it runs", opts, "build_running")
	s.renews("one has ended", []jobs.Lease{{JobID: "build_running", Fence: 1}, {JobID: "build_done", Fence: 1}}, []string{"build_done"}, nil)
	if got := s.spent(0); got.Builds != 1 {
		s.Errorf("spent %+v; want one build", got)
	}
}

func (s suite) testEnd() {
	job := build("build_1", "ann")
	lease := s.alone(job)
	log := final(1, 4)
	s.save(jobs.Change{Lease: lease, Entries: log[:2]})
	cost := 0.43
	job.Build = &jobs.Build{Query: job.Build.Query, FunctionID: "f1", TotalCostUSD: &cost, Answer: "done\nwell", Thinking: "hm"}
	s.finish(lease, job, log[2:]...)
	s.stored(*inState(job, jobs.StateDone))
	s.log(job.ID, 0, 100, log)
	s.refuses(jobs.ErrEnded, map[string]jobs.Change{
		"another end":     {Lease: lease, Job: inState(job, jobs.StateError)},
		"an interruption": {Lease: lease, Job: inState(job, jobs.StateInterrupted)},
		"more entries":    {Lease: lease, Entries: entries(5, 5)},
		"another state":   {Lease: lease, Job: &job},
	})
	s.stored(*inState(job, jobs.StateDone))
}

func (s suite) testEndRace() {
	job := build("build_1", "ann")
	lease := s.alone(job)
	won := race(8, func(i int) bool {
		end := inState(job, jobs.StateDone)
		end.Build = &jobs.Build{Query: job.Build.Query, FunctionID: fmt.Sprint("f", i)}
		err := s.trySave(jobs.Change{Lease: lease, Job: end})
		if err != nil && !errors.Is(err, jobs.ErrEnded) {
			s.Errorf("Save = %v, want ErrEnded", err)
		}
		return err == nil
	})
	if len(won) != 1 {
		s.Fatalf("%d of 8 ends won, want 1", len(won))
	}
	if got, want := s.get(job.ID).Build.FunctionID, fmt.Sprint("f", won[0]); got != want {
		s.Errorf("%s won and %s was stored", want, got)
	}
}

// A known outcome replaces StateInterrupted, once: its process was only paused
// while another took the job over and ended it.
func (s suite) testKnownEnd() {
	job := build("build_1", "ann")
	job.Build.Started = true
	lost := s.create(job, options("k", true))
	s.save(jobs.Change{Lease: lost, Entries: entries(1, 2)})
	heir := s.adopt("ann", "there", epoch.Add(2*time.Minute))[0].Lease
	s.refuses(jobs.ErrLeaseLost, map[string]jobs.Change{
		"an end while another holds the job": {Lease: lost, Job: inState(job, jobs.StateDone)},
	})
	s.save(jobs.Change{Lease: heir, Job: inState(job, jobs.StateInterrupted), Entries: final(3, 3)})

	cost := 0.5
	known := inState(job, jobs.StateDone)
	known.EndedAt = epoch.Add(time.Hour)
	known.Build = &jobs.Build{Query: job.Build.Query, Started: true, FunctionID: "f1", TotalCostUSD: &cost, Answer: "all"}
	s.refuses(jobs.ErrEnded, map[string]jobs.Change{
		"entries alone":            {Lease: lost, Entries: final(3, 5)},
		"another interruption":     {Lease: lost, Job: inState(job, jobs.StateInterrupted)},
		"a state of a running job": {Lease: lost, Job: &job},
	})
	s.save(jobs.Change{Lease: lost, Job: known, Entries: final(3, 5)})
	s.stored(*known)
	s.log(job.ID, 0, 100, final(1, 5))
	if got, want := s.spent(0), (jobs.Spending{USD: 0.5, Builds: 1}); got != want {
		s.Errorf("spent %+v, want %+v", got, want)
	}
	s.refuses(jobs.ErrEnded, map[string]jobs.Change{"a second known end": {Lease: lost, Job: inState(job, jobs.StateError)}})
	s.stored(*known)
}

// A viewer's link is stored for followers while the job runs, and erased at its
// end, because its token must not outlive the session.
func (s suite) testLinksAreErased() {
	job := build("build_1", "ann")
	lease := s.alone(job)
	links := func(n int64, link string) (list []jobs.Entry) {
		for seq := range n {
			list = append(list, jobs.Entry{Seq: seq + 1, At: epoch, Event: notte.Event{Type: notte.EventSessionData, ViewerURL: link}})
		}
		return list
	}
	running := job
	running.Build = &jobs.Build{Query: job.Build.Query, ViewerURL: "sealed link"}
	s.save(jobs.Change{Lease: lease, Job: &running, Entries: links(1, "sealed link")})
	s.stored(running)
	s.log(job.ID, 0, 9, links(1, "sealed link"))
	s.finish(lease, job, links(2, "sealed link")...)
	s.log(job.ID, 0, 9, links(2, ""))
}

func (s suite) testPositions() {
	quiet, busy, ended := build("build_1", "ann"), build("build_2", "bob"), build("build_3", "ann")
	s.alone(quiet)
	s.save(jobs.Change{Lease: s.alone(busy), Entries: entries(1, 7)})
	s.finish(s.alone(ended), ended, entries(1, 1)...)
	want := map[string]jobs.Position{
		quiet.ID: {ID: quiet.ID, Owner: "ann", State: jobs.StateRunning},
		busy.ID:  {ID: busy.ID, Owner: "bob", State: jobs.StateRunning, Seq: 7},
		ended.ID: {ID: ended.ID, Owner: "ann", State: jobs.StateDone, Seq: 1},
	}
	got, err := s.store.Positions(s.Context(), []string{busy.ID, "build_0", ended.ID, quiet.ID})
	if err != nil || len(got) != len(want) {
		s.Fatalf("Positions = %+v, %v; want %d", got, err, len(want))
	}
	for _, p := range got {
		if p != want[p.ID] {
			s.Errorf("position %+v, want %+v", p, want[p.ID])
		}
	}
	if none, err := s.store.Positions(s.Context(), nil); err != nil || len(none) != 0 {
		s.Errorf("Positions of nothing = %v, %v", none, err)
	}
}

func (s suite) testUnknownJobs() {
	_, getErr := s.store.Get(s.Context(), "build_0")
	_, logErr := s.store.Entries(s.Context(), "build_0", 0, 1)
	end := jobs.Change{Lease: jobs.Lease{JobID: "build_0", Fence: 1}, Job: inState(build("build_0", "ann"), jobs.StateDone)}
	for what, err := range map[string]error{
		"Get": getErr, "Entries": logErr, "Save": s.trySave(end), "Cancel": s.store.Cancel(s.Context(), "build_0"),
	} {
		if !errors.Is(err, jobs.ErrNotFound) {
			s.Errorf("%s = %v, want ErrNotFound", what, err)
		}
	}
}
