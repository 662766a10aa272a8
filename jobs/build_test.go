package jobs_test

import (
	"context"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/anything-mcp/anything-mcp/jobs"
	"github.com/anything-mcp/anything-mcp/notte/sandbox"
)

// withOptions runs a test on a Manager with options, in a bubble.
func withOptions(t *testing.T, opts jobs.Options, test func(*testing.T, *fixture)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		s := sandbox.New()
		defer s.Close()
		b := &fixture{Manager: jobs.NewManager(newStore(t), opts), notte: s, client: clientOf(t, s, "key-of-ann")}
		defer stop(b)
		test(t, b)
	})
}

// A build that takes too long is ended with what it has, so that callers with the
// same query do not join it for ever.
func TestBuildTimeout(t *testing.T) {
	withOptions(t, jobs.Options{BuildTimeout: time.Hour, MaxBuilds: 1}, func(t *testing.T, b *fixture) {
		steps := []sandbox.Step{event("function_uploaded", "function_id", "f1")}
		for range 100 {
			steps = append(steps, event("text_delta", "delta", "more "), sandbox.Delay(time.Minute))
		}
		b.notte.Script("endless", steps...)
		job, _ := b.end(t, b.build(t, "endless"))
		if job.State != jobs.StateTimeout || job.Build.FunctionID != "f1" || !strings.Contains(job.Build.Reason, "1h") {
			t.Errorf("ended as %s: %+v", job.State, job.Build)
		}
		if took := job.Elapsed(time.Now()); took != time.Hour {
			t.Errorf("it took %v", took)
		}
		b.notte.Script("next", event("done"))
		b.end(t, b.build(t, "next"))
	})
}

// Neither an entry nor the joined entries hold the key, wherever it is cut.
func TestKeyInEntries(t *testing.T) {
	const key = "key-of-ann"
	for cut := 1; cut < len(key); cut++ {
		inBubble(t, func(t *testing.T, b *fixture) {
			b.notte.Script("q",
				event("text_delta", "delta", "it is "+key[:cut]), sandbox.Delay(time.Second), // an entry of its own
				event("thinking_delta", "delta", "and "+key[:cut]), event("tool_start", "name", "goto"),
				event("text_delta", "delta", key[cut:]+", they said"), event("thinking_delta", "delta", key[cut:]+"."),
				sandbox.Delay(time.Second), event("done"))
			job, log := b.end(t, b.build(t, "q"))
			said := map[string]string{}
			for _, e := range log {
				said[string(e.Type)] += e.Delta
			}
			for kind, want := range map[string]string{"text_delta": "it is [redacted], they said", "thinking_delta": "and [redacted]."} {
				if said[kind] != want {
					t.Errorf("cut at %d, the entries of %s say %q, want %q", cut, kind, said[kind], want)
				}
			}
			if strings.Contains(job.Build.Answer, key) {
				t.Errorf("the answer holds the key: %q", job.Build.Answer)
			}
		})
	}
}

// A text that ends in most of the key does not show it.
func TestKeyThatBreaksOff(t *testing.T) {
	inBubble(t, func(t *testing.T, b *fixture) {
		b.notte.Script("q", event("text_delta", "delta", "it is key-of-an"), event("done"))
		_, log := b.end(t, b.build(t, "q"))
		var said string
		for _, e := range log {
			said += e.Delta
		}
		if said != "it is [redacted]" {
			t.Errorf("the log says %q", said)
		}
	})
}

// A finished build is not returned for another when its function is gone.
func TestReuseOfAFunctionThatIsGone(t *testing.T) {
	withOptions(t, jobs.Options{ReuseWindow: 15 * time.Minute}, func(t *testing.T, b *fixture) {
		b.notte.Script("q", event("done", "function_id", "gone"))
		first, _ := b.end(t, b.build(t, "q"))
		if job, joined := b.startAgain(t, "q"); !joined || job.ID != first.ID {
			t.Errorf("before anyone has run it the build is not reused: %s", job.ID)
		}
		run, _ := b.end(t, b.start(t, jobs.RunSpec{Client: b.client, FunctionID: "gone"}))
		if run.State != jobs.StateFailed {
			t.Fatalf("the run of a function that there is not is %s", run.State)
		}
		if job, joined := b.startAgain(t, "q"); joined {
			t.Errorf("the build of a function that is gone was returned: %s", job.ID)
		}
	})
}

// Cancelling a job whose process hangs returns the running job.
func TestCancelInAProcessThatHangs(t *testing.T) {
	inTwo(t, jobs.Options{}, func(t *testing.T, p *twoManagers) {
		p.here.notte.Script("q", sandbox.Stall())
		job := p.here.build(t, "q")
		p.store.renewals.Store(true) // it hears of no cancellation
		start := time.Now()
		now, err := p.there.Cancel(t.Context(), job.Owner, job.ID)
		if err != nil || now.State != jobs.StateRunning {
			t.Errorf("Cancel = %s, %v; want it to run", now.State, err)
		}
		if took := time.Since(start); took > 20*time.Second {
			t.Errorf("it took %v", took)
		}
		p.store.renewals.Store(false)
		time.Sleep(3 * time.Second)
		if now, err := p.there.Get(t.Context(), job.Owner, job.ID); err != nil || now.State != jobs.StateCancelled {
			t.Errorf("when it hears of it the job is %s, %v", now.State, err)
		}
	})
}

// A running build that another process has shows its steps.
func TestStepsOfAnotherProcess(t *testing.T) {
	inTwo(t, jobs.Options{}, func(t *testing.T, p *twoManagers) {
		p.here.notte.Script("q", event("tool_start", "name", "a"), event("tool_start", "name", "b"),
			event("notte_session_data", "viewer_url", "https://v.test/?token=s3cret"), sandbox.Stall())
		job := p.here.build(t, "q")
		time.Sleep(time.Second)
		seen, err := p.there.Get(t.Context(), job.Owner, job.ID)
		if err != nil || strings.Join(seen.Build.Steps, " ") != "a b" || seen.Build.StepCount != 2 {
			t.Errorf("seen from there: %+v, %v", seen.Build, err)
		}
		if seen.Build.ViewerURL != "" {
			t.Error("a link is open for a process that has not got the key")
		}
		p.there.Recover(p.there.client)
		if seen, err = p.there.Get(t.Context(), job.Owner, job.ID); err != nil || seen.Build.ViewerURL != "https://v.test/?token=s3cret" {
			t.Errorf("with the key the link is %q, %v", seen.Build.ViewerURL, err)
		}
	})
}

// Stop that runs out of time says so.
func TestStopRunsOutOfTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := sandbox.New()
		defer s.Close()
		b := &fixture{Manager: jobs.NewManager(slowStore{newStore(t)}, jobs.Options{}), notte: s, client: clientOf(t, s, "key-of-ann")}
		s.Script("q", sandbox.Stall())
		b.build(t, "q")
		synctest.Wait()
		ctx, cancel := context.WithTimeout(t.Context(), 500*time.Millisecond)
		defer cancel()
		if err := b.Stop(ctx); err == nil {
			t.Errorf("Stop = %v", err)
		}
		if err := b.Stop(t.Context()); err != nil {
			t.Errorf("Stop again = %v", err)
		}
	})
}
