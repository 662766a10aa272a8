package jobs_test

import (
	"context"
	"errors"
	"log/slog"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/anything-mcp/anything-mcp/jobs"
	"github.com/anything-mcp/anything-mcp/notte/sandbox"
)

// startAgain asks for a build of a query that may be joined.
func (b *fixture) startAgain(t *testing.T, query string) (jobs.Job, bool) {
	t.Helper()
	job, joined, err := b.Start(t.Context(), jobs.BuildSpec{Client: b.client, Query: query})
	if err != nil {
		t.Fatalf("Start(%s): %v", query, err)
	}
	return job, joined
}

// A build that runs, is being started, or has just ended is joined although the
// store fails: the same query is never billed twice.
func TestNothingIsBilledTwiceWhileTheStoreFails(t *testing.T) {
	inTwo(t, jobs.Options{ReuseWindow: 15 * time.Minute}, func(t *testing.T, p *twoManagers) {
		b := p.here
		b.notte.Script("ended", event("done", "function_id", "f"))
		b.notte.Script("runs", sandbox.Stall())
		b.notte.Script("new", sandbox.Stall())
		ended, _ := b.end(t, b.build(t, "ended"))
		running := b.build(t, "runs")
		synctest.Wait()
		p.store.fail(true)
		if job, joined := b.startAgain(t, "runs"); !joined || job.ID != running.ID {
			t.Errorf("a running build: joined %v, got %s", joined, job.ID)
		}
		if job, joined := b.startAgain(t, "ended"); !joined || job.ID != ended.ID || job.Build.FunctionID != "f" {
			t.Errorf("a build that has just ended: joined %v, got %s", joined, job.ID)
		}
		fresh, joined := b.startAgain(t, "new")
		if joined || !fresh.Volatile {
			t.Errorf("a new build: joined %v, volatile %v", joined, fresh.Volatile)
		}
		if job, joined := b.startAgain(t, "new"); !joined || job.ID != fresh.ID {
			t.Errorf("a build that could not be stored: joined %v, got %s", joined, job.ID)
		}
		synctest.Wait()
		if n := b.starts(); n != 3 {
			t.Errorf("%d builds were started, want 3", n)
		}
		time.Sleep(16 * time.Minute)
		if _, joined := b.startAgain(t, "ended"); joined {
			t.Error("a build was reused after the window")
		}
	})
}

// A job that the store could not take is stored as soon as the store can be written,
// with its log and its cost, like any other job.
func TestUnrecordedJobIsStoredLater(t *testing.T) {
	inTwo(t, jobs.Options{}, func(t *testing.T, p *twoManagers) {
		b := p.here
		b.notte.Script("ends", event("tool_start", "name", "goto"), sandbox.Delay(time.Minute),
			event("text_delta", "delta", "all of it"), event("done", "function_id", "f", "total_cost_usd", 0.5))
		b.notte.Script("runs", event("tool_start", "name", "goto"), sandbox.Delay(time.Hour), event("done"))
		p.store.fail(true)
		ends, runs := b.build(t, "ends"), b.build(t, "runs")
		b.end(t, ends)
		list, err := b.List(t.Context(), jobs.Query{Owner: ends.Owner, Kind: jobs.KindBuild, Limit: 10})
		if err != nil || len(list) != 2 {
			t.Errorf("while the store fails the list has %d builds, %v; want 2", len(list), err)
		}
		p.store.fail(false)
		time.Sleep(3 * time.Second)
		for _, job := range []jobs.Job{ends, runs} {
			now, err := b.Get(t.Context(), job.Owner, job.ID)
			if err != nil || now.Volatile {
				t.Errorf("here %s is volatile %v, %v", job.Build.Query, now.Volatile, err)
			}
			stored, err := p.there.Get(t.Context(), job.Owner, job.ID)
			if err != nil || stored.State != now.State || len(stored.Build.Steps) != 1 || stored.Build.Answer != now.Build.Answer {
				t.Errorf("another process sees %s as %+v, %v", job.Build.Query, stored.Build, err)
			}
		}
		_, log := p.there.end(t, ends)
		if len(log) != 3 || log[0].Name != "goto" || log[1].Delta != "all of it" || !log[2].Final {
			t.Errorf("its log is %+v", log)
		}
		sum, err := p.there.Spending(t.Context(), ends.Owner, ends.StartedAt)
		if want := (jobs.Spending{USD: 0.5, Builds: 1}); err != nil || sum != want {
			t.Errorf("spent %+v, %v; want %+v", sum, err, want)
		}
		if job, joined := b.startAgain(t, "runs"); !joined || job.ID != runs.ID {
			t.Errorf("the running one is not joined: %s", job.ID)
		}
	})
}

// With a limit to check, a build that cannot be recorded is refused.
func TestLimitsThatCannotBeChecked(t *testing.T) {
	inTwo(t, jobs.Options{DailyBudgetUSD: 5}, func(t *testing.T, p *twoManagers) {
		p.store.creates.Store(true)
		_, _, err := p.here.Start(t.Context(), jobs.BuildSpec{Client: p.here.client, Query: "q"})
		if !errors.Is(err, errDisk) || !strings.Contains(err.Error(), "limits") {
			t.Errorf("Start = %v", err)
		}
		id := p.here.notte.AddFunction(sandbox.Function{Name: "n"})
		p.here.end(t, p.here.start(t, jobs.RunSpec{Client: p.here.client, FunctionID: id})) // has no limit
		if n := p.here.starts(); n != 0 {
			t.Errorf("%d builds were started", n)
		}
	})
}

// A process that is to end waits for a store that fails, as long as it may.
func TestStopWaitsForTheStore(t *testing.T) {
	inTwo(t, jobs.Options{}, func(t *testing.T, p *twoManagers) {
		b := p.here
		b.notte.Script("ended", event("done", "function_id", "f", "total_cost_usd", 0.5))
		b.notte.Script("runs", event("function_uploaded", "function_id", "g"), sandbox.Stall())
		p.store.fail(true)
		ended, _ := b.end(t, b.build(t, "ended"))
		runs := b.build(t, "runs")
		synctest.Wait()
		time.AfterFunc(5*time.Second, func() { p.store.fail(false) })
		ctx, done := context.WithTimeout(t.Context(), 9*time.Second)
		defer done()
		begun := time.Now()
		if err := b.Stop(ctx); err != nil || time.Since(begun) > 6*time.Second {
			t.Errorf("Stop = %v after %v", err, time.Since(begun))
		}
		for id, want := range map[string]jobs.State{ended.ID: jobs.StateDone, runs.ID: jobs.StateInterrupted} {
			if job, err := p.there.Get(t.Context(), ended.Owner, id); err != nil || job.State != want || job.FunctionID() == "" {
				t.Errorf("stored is %s %+v, %v; want it %s with its function", job.State, job.Build, err, want)
			}
		}
		if sum, err := p.there.Spending(t.Context(), ended.Owner, ended.StartedAt); err != nil || sum.USD != 0.5 || sum.Builds != 2 {
			t.Errorf("spent %+v, %v", sum, err)
		}
	})
}

// When the time is over the process says what it loses.
func TestStopSaysWhatIsLost(t *testing.T) {
	var log strings.Builder
	inTwo(t, jobs.Options{Logger: slog.New(slog.NewTextHandler(&log, nil))}, func(t *testing.T, p *twoManagers) {
		b := p.here
		b.notte.Script("q", event("done", "function_id", "f-lost", "total_cost_usd", 0.5))
		p.store.fail(true)
		job, _ := b.end(t, b.build(t, "q"))
		ctx, done := context.WithTimeout(t.Context(), 9*time.Second)
		defer done()
		if err := b.Stop(ctx); err == nil || !strings.Contains(err.Error(), "could not be stored: 1") {
			t.Errorf("Stop = %v", err)
		}
		said := log.String()
		said = said[strings.LastIndex(said[:strings.LastIndex(said, "lost when this process ends")], "\n")+1:]
		for _, want := range []string{"level=ERROR", job.ID, "function=f-lost", "cost_usd=0.5"} {
			if !strings.Contains(said, want) {
				t.Errorf("the log does not say %s: %s", want, log.String())
			}
		}
	})
}

// A job that could not be saved once is no longer volatile when it has been.
func TestVolatileForAWhile(t *testing.T) {
	inTwo(t, jobs.Options{}, func(t *testing.T, p *twoManagers) {
		b := p.here
		b.notte.Script("q", sandbox.Delay(time.Second), event("tool_start", "name", "a"), sandbox.Delay(time.Minute), event("done"))
		job := b.build(t, "q")
		volatile := func() bool {
			now, err := b.Get(t.Context(), job.Owner, job.ID)
			if err != nil {
				t.Fatal(err)
			}
			return now.Volatile
		}
		p.store.saves.Store(true)
		time.Sleep(2 * time.Second)
		if !volatile() {
			t.Error("while it cannot be saved the job is not volatile")
		}
		p.store.saves.Store(false)
		time.Sleep(3 * time.Second)
		if volatile() {
			t.Error("saved after all, the job is still volatile")
		}
	})
}

// A process is paused for longer than its leases, another ends its build as
// interrupted, and the first then receives the real end of the build.
func TestKnownOutcomeReplacesInterrupted(t *testing.T) {
	inTwo(t, jobs.Options{}, func(t *testing.T, p *twoManagers) {
		b := p.here
		b.notte.Script("q", event("tool_start", "name", "a"), sandbox.Delay(time.Minute), event("tool_start", "name", "b"),
			sandbox.Delay(time.Minute), event("done", "function_id", "f", "total_cost_usd", 0.5))
		job := b.build(t, "q")
		synctest.Wait()
		p.store.renewals.Store(true) // as in a process that is stopped
		p.there.Recover(p.there.client)
		if ended, _ := p.there.end(t, job); ended.State != jobs.StateInterrupted {
			t.Fatalf("taken over the build is %s", ended.State)
		}
		p.store.renewals.Store(false)
		if ended, _ := b.end(t, job); ended.State != jobs.StateDone {
			t.Errorf("here the build is %s", ended.State)
		}
		time.Sleep(20 * time.Second)
		ended, log := p.there.end(t, job)
		if ended.State != jobs.StateDone || ended.Build.FunctionID != "f" || ended.Build.TotalCostUSD == nil || len(ended.Build.Steps) != 2 {
			t.Errorf("there the build is %s %+v", ended.State, ended.Build)
		}
		if len(log) != 3 || log[1].Name != "b" || !log[2].Final {
			t.Errorf("its log is %+v", log)
		}
		sum, err := p.there.Spending(t.Context(), job.Owner, job.StartedAt)
		if want := (jobs.Spending{USD: 0.5, Builds: 1}); err != nil || sum != want {
			t.Errorf("spent %+v, %v; want %+v", sum, err, want)
		}
	})
}

// The same, and the end comes while the store is just refusing a step that came
// before it.
func TestKnownOutcomeAfterARefusedStep(t *testing.T) {
	inTwo(t, jobs.Options{}, func(t *testing.T, p *twoManagers) {
		b := p.here
		b.notte.Script("q", event("tool_start", "name", "a"), sandbox.Delay(time.Minute), event("tool_start", "name", "b"),
			sandbox.Delay(500*time.Millisecond), event("done", "function_id", "f", "total_cost_usd", 0.5))
		job := b.build(t, "q")
		synctest.Wait()
		p.store.renewals.Store(true)
		p.there.Recover(p.there.client)
		if ended, _ := p.there.end(t, job); ended.State != jobs.StateInterrupted {
			t.Fatalf("taken over the build is %s", ended.State)
		}
		p.store.slow.Store(true)
		if ended, _ := b.end(t, job); ended.State != jobs.StateDone {
			t.Errorf("here the build is %s", ended.State)
		}
		time.Sleep(20 * time.Second)
		ended, log := p.there.end(t, job)
		if ended.State != jobs.StateDone || ended.Build.FunctionID != "f" || len(log) != 3 {
			t.Errorf("there the build is %s %+v with the log %+v", ended.State, ended.Build, log)
		}
	})
}
