package jobstest

import (
	"errors"
	"slices"
	"time"

	"github.com/anything-mcp/anything-mcp/jobs"
)

func (s suite) testFence() {
	job := build("build_1", "ann")
	lost := s.alone(job)
	ended := build("build_2", "ann")
	s.finish(s.alone(ended), ended)
	if adopted := s.adopt("ann", "there", epoch.Add(time.Second)); len(adopted) != 0 {
		s.Fatalf("adopted %v while the lease held", adopted)
	}
	if own := s.adopt("ann", "here", epoch.Add(2*time.Minute)); len(own) != 0 {
		s.Errorf("the holder adopted %v, which it holds", own)
	}
	adopted := s.adopt("ann", "there", epoch.Add(2*time.Minute))
	if len(adopted) != 1 || adopted[0].Job.ID != job.ID || adopted[0].Lease.Fence <= lost.Fence {
		s.Fatalf("adopted %+v, want %s alone with a fence above %d", adopted, job.ID, lost.Fence)
	}
	if again := s.adopt("ann", "there", epoch.Add(2*time.Minute)); len(again) != 0 {
		s.Errorf("adopted %v twice", again)
	}
	s.refuses(jobs.ErrLeaseLost, map[string]jobs.Change{
		"entries under a lost lease": {Lease: lost, Entries: entries(1, 1)},
		"a state under a lost lease": {Lease: lost, Job: &job},
		"an end under a lost lease":  {Lease: lost, Job: inState(job, jobs.StateDone)},
	})
	s.finish(adopted[0].Lease, job, entries(1, 1)...)
}

// renews renews leases for an hour, and learns which jobs are lost and which are to be
// cancelled.
func (s suite) renews(why string, leases []jobs.Lease, lost, cancelled []string) {
	s.Helper()
	got, err := s.store.Renew(s.Context(), leases, epoch.Add(time.Hour))
	slices.Sort(got.Lost)
	if err != nil || !slices.Equal(got.Lost, lost) || !slices.Equal(got.Cancelled, cancelled) {
		s.Errorf("%s: Renew = %+v, %v; want %v lost and %v to be cancelled", why, got, err, lost, cancelled)
	}
}

func (s suite) testRenew() {
	kept := s.alone(build("build_1", "ann"))
	s.alone(build("build_2", "ann"))
	ended := build("build_4", "ann")
	over := s.alone(ended)
	s.finish(over, ended)
	s.renews("an unknown and an ended job", []jobs.Lease{{JobID: "build_3", Fence: 1}, kept, over}, []string{"build_3", "build_4"}, nil)
	adopted := s.adopt("ann", "there", epoch.Add(2*time.Minute))
	if len(adopted) != 1 || adopted[0].Job.ID != "build_2" {
		s.Fatalf("adopted %+v, want build_2 alone: the other lease was renewed", adopted)
	}
	s.renews("a job that was taken over", []jobs.Lease{{JobID: "build_2", Fence: 1}}, []string{"build_2"}, nil)
}

func (s suite) testCancel() {
	job := build("build_1", "ann")
	both := []jobs.Lease{s.alone(job), s.alone(build("build_2", "ann"))}
	s.renews("nothing was cancelled", both, nil, nil)
	if err := s.store.Cancel(s.Context(), job.ID); err != nil {
		s.Fatal(err)
	}
	s.renews("one was cancelled", both, nil, []string{job.ID})
	s.finish(both[0], job)
	if err := s.store.Cancel(s.Context(), job.ID); !errors.Is(err, jobs.ErrEnded) {
		s.Errorf("Cancel of an ended job = %v, want ErrEnded", err)
	}
}

// Who takes over a job learns that it was to be cancelled.
func (s suite) testAdoptCancelled() {
	s.alone(build("build_1", "ann"))
	s.alone(build("build_2", "ann"))
	if err := s.store.Cancel(s.Context(), "build_1"); err != nil {
		s.Fatal(err)
	}
	for _, a := range s.adopt("ann", "there", epoch.Add(2*time.Minute)) {
		if a.Cancelled != (a.Job.ID == "build_1") {
			s.Errorf("%s is to be cancelled: %v", a.Job.ID, a.Cancelled)
		}
	}
}

func (s suite) testAdoptByOwner() {
	s.alone(build("build_1", "ann"))
	s.alone(build("build_2", "bob"))
	adopted := s.adopt("bob", "there", epoch.Add(2*time.Minute))
	if len(adopted) != 1 || adopted[0].Job.ID != "build_2" {
		s.Errorf("adopted %+v; want bob's job alone", adopted)
	}
}

// forgets deletes old jobs, and checks which are left.
func (s suite) forgets(before time.Time, want int, left map[string]bool) {
	s.Helper()
	if n, err := s.store.Forget(s.Context(), before); err != nil || n != want {
		s.Errorf("Forget = %d, %v; want %d", n, err, want)
	}
	for id, want := range left {
		if _, err := s.store.Get(s.Context(), id); (err == nil) != want {
			s.Errorf("%s is there: %v, want %v", id, err == nil, want)
		}
	}
}

func (s suite) testForget() {
	s.ended("build_1", "ann", "", jobs.StateDone, 0.5, time.Minute)
	s.ended("build_2", "ann", "", jobs.StateDone, 0.5, time.Hour)
	s.renews("a job that runs", []jobs.Lease{s.alone(build("build_3", "ann"))}, nil, nil)
	s.forgets(epoch.Add(time.Hour), 1, map[string]bool{"build_1": false, "build_2": true, "build_3": true})
	if got := s.spent(0); got.USD != 1 {
		s.Errorf("what was spent is %+v; want it to outlive the job", got)
	}
}

// A job whose owner no process serves any more never ends. It is deleted too, by
// the time of its last lease.
func (s suite) testForgetUnheld() {
	s.alone(build("build_1", "ann")) // held for a minute
	s.forgets(epoch.Add(time.Minute), 0, map[string]bool{"build_1": true})
	s.forgets(epoch.Add(time.Minute+time.Millisecond), 1, map[string]bool{"build_1": false})
}
