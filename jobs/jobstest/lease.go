package jobstest

import (
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/anything-mcp/anything-mcp/jobs"
)

func adopt(t *testing.T, s jobs.Store, owner, holder string, now time.Time) []jobs.Adopted {
	t.Helper()
	adopted, err := s.Adopt(t.Context(), owner, holder, epoch.Add(time.Hour), now)
	if err != nil {
		t.Fatalf("Adopt: %v", err)
	}
	return adopted
}

func testFence(t *testing.T, s jobs.Store) {
	job := build("build_1", "ann")
	lost := create(t, s, job, options("", false))
	ended := build("build_2", "ann")
	finish(t, s, create(t, s, ended, options("", false)), ended)

	if adopted := adopt(t, s, "ann", "there", epoch.Add(time.Second)); len(adopted) != 0 {
		t.Fatalf("adopted %v while the lease held", adopted)
	}
	if own := adopt(t, s, "ann", "here", epoch.Add(2*time.Minute)); len(own) != 0 {
		t.Errorf("the holder adopted %v, which it holds", own)
	}
	adopted := adopt(t, s, "ann", "there", epoch.Add(2*time.Minute))
	if len(adopted) != 1 || adopted[0].Job.ID != job.ID || adopted[0].Lease.Fence <= lost.Fence {
		t.Fatalf("adopted %+v, want %s alone with a fence above %d", adopted, job.ID, lost.Fence)
	}
	if again := adopt(t, s, "ann", "there", epoch.Add(2*time.Minute)); len(again) != 0 {
		t.Errorf("adopted %v twice", again)
	}
	for why, c := range map[string]jobs.Change{
		"entries": {Lease: lost, Entries: entries(1, 1)},
		"a state": {Lease: lost, Job: &job},
		"an end":  {Lease: lost, Job: inState(job, jobs.StateDone)},
	} {
		if err := save(t, s, c); !errors.Is(err, jobs.ErrLeaseLost) {
			t.Errorf("%s under a lost lease: %v, want ErrLeaseLost", why, err)
		}
	}
	finish(t, s, adopted[0].Lease, job, entries(1, 1)...)
}

func testRenew(t *testing.T, s jobs.Store) {
	kept := create(t, s, build("build_1", "ann"), options("", false))
	create(t, s, build("build_2", "ann"), options("", false))
	ended := build("build_4", "ann")
	over := create(t, s, ended, options("", false))
	finish(t, s, over, ended)
	leases := []jobs.Lease{{JobID: "build_3", Fence: 1}, kept, over}
	got, err := s.Renew(t.Context(), leases, epoch.Add(time.Hour))
	slices.Sort(got.Lost)
	if err != nil || !slices.Equal(got.Lost, []string{"build_3", "build_4"}) || len(got.Cancelled) != 0 {
		t.Errorf("Renew = %+v, %v; want an unknown and an ended job to be lost", got, err)
	}
	adopted := adopt(t, s, "ann", "there", epoch.Add(2*time.Minute))
	if len(adopted) != 1 || adopted[0].Job.ID != "build_2" {
		t.Fatalf("adopted %+v, want build_2 alone: the other lease was renewed", adopted)
	}
	got, err = s.Renew(t.Context(), []jobs.Lease{{JobID: "build_2", Fence: 1}}, epoch.Add(time.Hour))
	if err != nil || len(got.Lost) != 1 {
		t.Errorf("Renew of a job that was taken over = %+v, %v; want it to be lost", got, err)
	}
}

func testCancel(t *testing.T, s jobs.Store) {
	job := build("build_1", "ann")
	lease := create(t, s, job, options("", false))
	other := create(t, s, build("build_2", "ann"), options("", false))
	both := []jobs.Lease{lease, other}
	if got, err := s.Renew(t.Context(), both, epoch.Add(time.Hour)); err != nil || len(got.Cancelled) != 0 {
		t.Errorf("nothing was cancelled, and Renew = %+v, %v", got, err)
	}
	if err := s.Cancel(t.Context(), job.ID); err != nil {
		t.Fatal(err)
	}
	got, err := s.Renew(t.Context(), both, epoch.Add(time.Hour))
	if err != nil || !slices.Equal(got.Cancelled, []string{job.ID}) || len(got.Lost) != 0 {
		t.Errorf("Renew = %+v, %v; want %s to be cancelled", got, err, job.ID)
	}
	finish(t, s, lease, job)
	if err := s.Cancel(t.Context(), job.ID); !errors.Is(err, jobs.ErrEnded) {
		t.Errorf("Cancel of an ended job = %v, want ErrEnded", err)
	}
	if err := s.Cancel(t.Context(), "build_0"); !errors.Is(err, jobs.ErrNotFound) {
		t.Errorf("Cancel of no job = %v, want ErrNotFound", err)
	}
}

// Who takes over a job learns that it was to be cancelled.
func testAdoptCancelled(t *testing.T, s jobs.Store) {
	create(t, s, build("build_1", "ann"), options("", false))
	create(t, s, build("build_2", "ann"), options("", false))
	if err := s.Cancel(t.Context(), "build_1"); err != nil {
		t.Fatal(err)
	}
	for _, a := range adopt(t, s, "ann", "there", epoch.Add(2*time.Minute)) {
		if a.Cancelled != (a.Job.ID == "build_1") {
			t.Errorf("%s is to be cancelled: %v", a.Job.ID, a.Cancelled)
		}
	}
}

func testAdoptByOwner(t *testing.T, s jobs.Store) {
	create(t, s, build("build_1", "ann"), options("", false))
	create(t, s, build("build_2", "bob"), options("", false))
	adopted := adopt(t, s, "bob", "there", epoch.Add(2*time.Minute))
	if len(adopted) != 1 || adopted[0].Job.ID != "build_2" {
		t.Errorf("adopted %+v; want bob's job alone", adopted)
	}
}

func testForget(t *testing.T, s jobs.Store) {
	ended(t, s, "build_1", "ann", "", jobs.StateDone, 0.5, time.Minute)
	ended(t, s, "build_2", "ann", "", jobs.StateDone, 0.5, time.Hour)
	lease := create(t, s, build("build_3", "ann"), options("", false))
	if _, err := s.Renew(t.Context(), []jobs.Lease{lease}, epoch.Add(2*time.Hour)); err != nil {
		t.Fatal(err)
	}
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

// A job whose owner no process serves any more never ends. It is deleted too, by
// the time of its last lease.
func testForgetUnheld(t *testing.T, s jobs.Store) {
	create(t, s, build("build_1", "ann"), options("", false)) // held for a minute
	if n, err := s.Forget(t.Context(), epoch.Add(time.Minute)); err != nil || n != 0 {
		t.Errorf("Forget while the job is held = %d, %v", n, err)
	}
	if n, err := s.Forget(t.Context(), epoch.Add(time.Minute+time.Millisecond)); err != nil || n != 1 {
		t.Errorf("Forget after that = %d, %v; want 1", n, err)
	}
	if _, err := s.Get(t.Context(), "build_1"); !errors.Is(err, jobs.ErrNotFound) {
		t.Errorf("Get = %v, want ErrNotFound", err)
	}
}
