package jobstest

import (
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/anything-mcp/anything-mcp/jobs"
	"github.com/anything-mcp/anything-mcp/notte"
)

// batch stores a batch with n items.
func (s suite) batch(id string, n int) (jobs.Job, jobs.Lease) {
	s.Helper()
	job := jobs.Job{
		ID: id, Owner: "ann", Kind: jobs.KindBatch, State: jobs.StateRunning, StartedAt: epoch,
		Batch: &jobs.Batch{FunctionID: "f", Concurrency: 3, MaxFailures: 5, Tally: jobs.Tally{Total: n, Waiting: n}},
	}
	opts := options("k"+id, true)
	for i := range n {
		opts.Items = append(opts.Items, json.RawMessage(fmt.Sprintf(`{"n":%d}`, i)))
	}
	return job, s.create(job, opts)
}

func itemRun(id, batch string) jobs.Job {
	return jobs.Job{
		ID: id, Owner: "ann", Kind: jobs.KindRun, State: jobs.StateRunning, StartedAt: epoch,
		Run: &jobs.Run{FunctionID: "f", Batch: batch},
	}
}

// take takes an item and checks that it is item n.
func (s suite) take(batch jobs.Lease, id string, n int) (jobs.Job, jobs.Lease) {
	s.Helper()
	run, lease, err := s.store.TakeItem(s.Context(), batch, itemRun(id, batch.JobID), options("", false))
	if want := fmt.Sprintf(`{"n":%d}`, n); err != nil || run.ID != id || string(run.Run.Variables) != want || lease.JobID != id || lease.Fence <= 0 {
		s.Fatalf("TakeItem = %+v %+v with lease %+v, %v; want the item %s", run, run.Run, lease, err, want)
	}
	return run, lease
}

// refusesItem tries to take an item, which the store refuses.
func (s suite) refusesItem(why string, batch jobs.Lease, want error) {
	s.Helper()
	run := itemRun("run_refused", batch.JobID)
	if _, lease, err := s.store.TakeItem(s.Context(), batch, run, options("", false)); !errors.Is(err, want) || lease != (jobs.Lease{}) {
		s.Errorf("%s: TakeItem = %+v, %v; want %v", why, lease, err, want)
	}
	if _, err := s.store.Get(s.Context(), run.ID); !errors.Is(err, jobs.ErrNotFound) {
		s.Errorf("%s: the run is stored nevertheless: %v", why, err)
	}
}

// endRun ends an item's run.
func (s suite) endRun(run jobs.Job, lease jobs.Lease, state jobs.State, change func(*jobs.Run)) {
	s.Helper()
	r := *run.Run
	change(&r)
	run.Run = &r
	s.save(jobs.Change{Lease: lease, Job: inState(run, state), Entries: final(1, 1)})
}

func (s suite) tally(id string, want jobs.Tally) {
	s.Helper()
	if got := s.get(id).Batch.Tally; got != want {
		s.Errorf("the tally is %+v, want %+v", got, want)
	}
}

// items compares the runs of a batch's items, "" for one that was not started.
func (s suite) items(id string, from, limit int, want ...string) []jobs.Item {
	s.Helper()
	items, err := s.store.Items(s.Context(), id, from, limit)
	got := make([]string, len(items))
	for i, item := range items {
		if item.Run != nil {
			got[i] = item.Run.ID
		}
		if item.Index != from+i {
			s.Errorf("item %d has the index %d", from+i, item.Index)
		}
	}
	if err != nil || fmt.Sprint(got) != fmt.Sprint(want) {
		s.Errorf("Items(%d, %d) = %v, %v; want %v", from, limit, got, err, want)
	}
	return items
}

// Each item is taken once, in order, with its variables, and the batch is counted from
// its items.
func (s suite) testBatch() {
	job, lease := s.batch("batch_1", 4)
	s.stored(job)
	run, runLease := s.take(lease, "run_1", 0)
	s.stored(run)
	failed, failedLease := s.take(lease, "run_2", 1)
	s.endRun(run, runLease, jobs.StateClosed, func(r *jobs.Run) { r.OK, r.Result = true, []byte(`1`) })
	s.endRun(failed, failedLease, jobs.StateFailed, func(r *jobs.Run) { r.Error = "why" })
	s.take(lease, "run_3", 2)
	s.tally("batch_1", jobs.Tally{Total: 4, Waiting: 1, Running: 1, Succeeded: 1})
	items := s.items("batch_1", 0, 100, "run_1", "run_2", "run_3", "")
	if r := items[0].Run; !r.Succeeded() || string(r.Run.Result) != "1" {
		s.Errorf("the first item is %+v %+v", r, r.Run)
	}
	s.items("batch_1", 1, 2, "run_2", "run_3")
	s.items("batch_1", 4, 2)
	s.take(lease, "run_4", 3)
	s.refusesItem("all are taken", lease, jobs.ErrNoItem)

	tallied := s.get("batch_1").Batch.Tally
	for _, listed := range s.lists("batches", jobs.Query{Owner: "ann", Kind: jobs.KindBatch, FunctionID: "f", Limit: 9}, "batch_1") {
		if listed.Batch.Tally != tallied {
			s.Errorf("the list counts %+v", listed.Batch.Tally)
		}
	}
	s.lists("runs", jobs.Query{Owner: "ann", Kind: jobs.KindRun, Limit: 9})
	s.lists("running runs", jobs.Query{Owner: "ann", Kind: jobs.KindRun, State: jobs.StateRunning, FunctionID: "f", Limit: 9})
	s.joins("the batch runs", options("kbatch_1", true), "batch_1")
}

func (s suite) testTakeRace() {
	_, lease := s.batch("batch_1", 20)
	taken := race(30, func(i int) bool {
		_, _, err := s.store.TakeItem(s.Context(), lease, itemRun(fmt.Sprint("run_", i), "batch_1"), options("", false))
		if err != nil && !errors.Is(err, jobs.ErrNoItem) {
			s.Errorf("TakeItem: %v", err)
		}
		return err == nil
	})
	if len(taken) != 20 {
		s.Errorf("20 items were taken %d times", len(taken))
	}
	s.tally("batch_1", jobs.Tally{Total: 20, Running: 20})
}

// An item whose run never began waits again, and is given to another run.
func (s suite) testItemWaitsAgain() {
	_, lease := s.batch("batch_1", 2)
	run, runLease := s.take(lease, "run_1", 0)
	s.take(lease, "run_2", 1)
	s.endRun(run, runLease, jobs.StateFailed, func(r *jobs.Run) { r.NeverBegan, r.Waiting = true, true })
	s.tally("batch_1", jobs.Tally{Total: 2, Waiting: 1, Running: 1})
	s.items("batch_1", 0, 9, "", "run_2")
	s.take(lease, "run_3", 0)
	s.items("batch_1", 0, 9, "run_3", "run_2")
	if err := s.trySave(jobs.Change{Lease: runLease, Job: inState(run, jobs.StateFailed)}); err == nil {
		s.Error("the run that never began is stored again")
	}
	s.tally("batch_1", jobs.Tally{Total: 2, Running: 2})
}

// The log of a batch has its tallies.
func (s suite) testTallies() {
	_, lease := s.batch("batch_1", 3)
	log := []jobs.Entry{
		{Seq: 1, At: epoch, Event: notte.Event{Type: jobs.EventTally}, Tally: jobs.Tally{Total: 3, Waiting: 2, Running: 1}},
		{Seq: 2, At: epoch, Event: notte.Event{Type: jobs.EventTally}, Tally: jobs.Tally{Total: 3, Waiting: 1, Running: 1, Succeeded: 1}},
	}
	s.save(jobs.Change{Lease: lease, Entries: log})
	s.log("batch_1", 0, 9, log)
}

// A batch that has ended goes on when it is resumed, and its former holders cannot
// write it.
func (s suite) testResume() {
	job, first := s.batch("batch_1", 3)
	run, runLease := s.take(first, "run_1", 0)
	adopted := s.adopt("ann", "there", epoch.Add(2*time.Minute))
	var second, runSecond jobs.Lease
	for _, a := range adopted {
		if a.Job.ID == "batch_1" {
			second = a.Lease
		} else {
			runSecond = a.Lease
		}
	}
	s.refusesItem("another process has the batch", first, jobs.ErrLeaseLost)
	again := *inState(job, jobs.StateRunning)
	b := *job.Batch
	again.Batch = &b
	b.Resumed, b.MaxFailures = 1, 7
	if stored, lease, err := s.store.Resume(s.Context(), again, options("", false)); err != nil || lease != (jobs.Lease{}) || stored.Batch.MaxFailures != 5 {
		s.Errorf("a batch that runs is resumed: %+v, %+v, %v", stored.Batch, lease, err)
	}
	s.save(jobs.Change{Lease: second, Job: inState(job, jobs.StateInterrupted), Entries: final(1, 2)})
	s.refusesItem("the batch has ended", second, jobs.ErrEnded)
	resumed, third, err := s.store.Resume(s.Context(), again, options("", false))
	if err != nil || resumed.ID != "batch_1" || third.Fence <= second.Fence {
		s.Fatalf("Resume = %+v, %+v, %v; want a fence above %d", resumed, third, err, second.Fence)
	}
	b.Tally = jobs.Tally{Total: 3, Waiting: 2, Running: 1}
	s.stored(again)
	s.log("batch_1", 0, 9, nil)
	s.refusesItem("the batch was resumed", second, jobs.ErrLeaseLost)
	s.endRun(run, runSecond, jobs.StateClosed, func(r *jobs.Run) { r.OK = true })
	s.refuses(jobs.ErrEnded, map[string]jobs.Change{"the run of the first holder": {Lease: runLease, Job: inState(run, jobs.StateFailed)}})
	s.take(third, "run_2", 1)
	s.tally("batch_1", jobs.Tally{Total: 3, Waiting: 1, Running: 1, Succeeded: 1})
	if _, _, err := s.store.Resume(s.Context(), jobs.Job{ID: "batch_2", Batch: &jobs.Batch{}}, options("", false)); !errors.Is(err, jobs.ErrNotFound) {
		s.Errorf("an unknown batch: %v", err)
	}
}

// The runs of a batch are forgotten with it, and not before.
func (s suite) testForgetBatch() {
	job, lease := s.batch("batch_1", 1)
	run, runLease := s.take(lease, "run_1", 0)
	s.endRun(run, runLease, jobs.StateClosed, func(r *jobs.Run) { r.OK = true })
	s.renews("the batch runs", []jobs.Lease{lease}, nil, nil)
	s.forgets(epoch.Add(time.Minute), 0, map[string]bool{"run_1": true, "batch_1": true})
	s.save(jobs.Change{Lease: lease, Job: inState(job, jobs.StateClosed), Entries: final(1, 1)})
	s.forgets(epoch.Add(time.Minute), 1, map[string]bool{"run_1": false, "batch_1": false})
}
