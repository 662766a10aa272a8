package jobs_test

import (
	"encoding/json"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/anything-mcp/anything-mcp/jobs"
	"github.com/anything-mcp/anything-mcp/notte"
	"github.com/anything-mcp/anything-mcp/notte/sandbox"
)

func TestRun(t *testing.T) {
	result := func(status string, result any) sandbox.Step {
		inner, _ := json.Marshal(object{"function_id": "f", "session_id": "s1", "status": status, "result": result})
		return event("result", "message", string(inner))
	}
	for _, c := range []struct {
		why    string
		steps  []sandbox.Step
		state  jobs.State
		ok     bool
		result string
	}{
		{"closed", []sandbox.Step{event("session_start", "message", "s1"), event("log", "message", "l1"), result("closed", object{"n": 1})}, jobs.StateClosed, true, `{"n":1}`},
		{"failed", []sandbox.Step{result("failed", "why")}, jobs.StateFailed, false, `"why"`},
		{"closed with a traceback", []sandbox.Step{result("closed", "Script execution failed: no button")}, jobs.StateClosed, false, `"Script execution failed: no button"`},
	} {
		t.Run(c.why, func(t *testing.T) {
			inBubble(t, func(t *testing.T, b *fixture) {
				id := b.notte.AddFunction(sandbox.Function{ID: "f", Name: "n"})
				b.notte.ScriptRun(id, c.steps...)
				job, _ := b.end(t, b.start(t, jobs.RunSpec{Client: b.client, FunctionID: id, Variables: json.RawMessage(`{"a":"1"}`)}))
				if job.State != c.state || job.Run.OK != c.ok || string(job.Run.Result) != c.result || job.Run.RunID == "" {
					t.Errorf("job = %+v %+v", job, job.Run)
				}
				if !c.ok && job.Run.Error == "" {
					t.Error("a failed run says nothing of why")
				}
			})
		})
	}
}

func TestRunWhoseStreamIsLost(t *testing.T) {
	for _, lost := range []struct {
		why  string
		step sandbox.Step
	}{{"cut", sandbox.Cut()}, {"reset", sandbox.Reset()}, {"gateway", sandbox.Status(504, "text/html", "<title>504</title>")}} {
		t.Run(lost.why, func(t *testing.T) {
			inBubble(t, func(t *testing.T, b *fixture) {
				id := b.notte.AddFunction(sandbox.Function{
					Name: "n", Run: &sandbox.Outcome{Result: object{"n": 1}, After: 3 * time.Minute},
				})
				b.notte.ScriptRun(id, lost.step)
				job, _ := b.end(t, b.start(t, jobs.RunSpec{Client: b.client, FunctionID: id}))
				if job.State != jobs.StateClosed || !job.Run.OK || !strings.Contains(string(job.Run.Result), "n") {
					t.Errorf("job = %+v %+v", job, job.Run)
				}
				if age := job.Elapsed(time.Now()); age < 3*time.Minute || age > 4*time.Minute {
					t.Errorf("took %v, want about 3 minutes", age)
				}
			})
		})
	}
}

func TestRunWhoseResultIsNoEnd(t *testing.T) {
	inBubble(t, func(t *testing.T, b *fixture) {
		id := b.notte.AddFunction(sandbox.Function{Name: "n", Run: &sandbox.Outcome{Result: 1, After: time.Minute}})
		b.notte.ScriptRun(id, event("result", "message", `{"status":"active"}`))
		job, _ := b.end(t, b.start(t, jobs.RunSpec{Client: b.client, FunctionID: id}))
		if job.State != jobs.StateClosed || !job.Run.OK {
			t.Errorf("looked up by its ID the run is %+v", job.Run)
		}
		b.notte.Fault("POST", "/functions/{id}/runs/create", sandbox.Status(405, "", ""))
		job, _ = b.end(t, b.start(t, jobs.RunSpec{Client: b.client, FunctionID: id}))
		if job.State != jobs.StateInterrupted || job.Run.Error == "" {
			t.Errorf("without an ID the run is %s: %+v", job.State, job.Run)
		}
	})
}

func TestRunStoppedElsewhere(t *testing.T) {
	inBubble(t, func(t *testing.T, b *fixture) {
		id := b.notte.AddFunction(sandbox.Function{Name: "n"})
		b.notte.ScriptRun(id, event("result", "message", `{"status":"stopped"}`))
		job, _ := b.end(t, b.start(t, jobs.RunSpec{Client: b.client, FunctionID: id}))
		if job.State != jobs.StateCancelled || job.Run.OK {
			t.Errorf("job = %s %+v", job.State, job.Run)
		}
	})
}

func TestRunWithoutCreate(t *testing.T) {
	inBubble(t, func(t *testing.T, b *fixture) {
		id := b.notte.AddFunction(sandbox.Function{Name: "n"})
		b.notte.Fault("POST", "/functions/{id}/runs/create", sandbox.Status(405, "application/json", `{"detail":"Method Not Allowed"}`))
		job, _ := b.end(t, b.start(t, jobs.RunSpec{Client: b.client, FunctionID: id}))
		if job.State != jobs.StateClosed || !job.Run.OK {
			t.Errorf("job = %+v %+v", job, job.Run)
		}
	})
}

func TestRunOfNoFunction(t *testing.T) {
	inBubble(t, func(t *testing.T, b *fixture) {
		job, _ := b.end(t, b.start(t, jobs.RunSpec{Client: b.client, FunctionID: "none"}))
		if job.State != jobs.StateFailed || job.Run.OK || job.Run.Error == "" {
			t.Errorf("job = %+v %+v", job, job.Run)
		}
	})
}

func TestCancelRun(t *testing.T) {
	inBubble(t, func(t *testing.T, b *fixture) {
		id := b.notte.AddFunction(sandbox.Function{
			Name: "n", Run: &sandbox.Outcome{After: time.Hour},
		})
		job := b.start(t, jobs.RunSpec{Client: b.client, FunctionID: id})
		synctest.Wait()
		job, err := b.Cancel(t.Context(), job.Owner, job.ID)
		if err != nil || job.State != jobs.StateCancelled {
			t.Errorf("Cancel = %+v, %v", job, err)
		}
		run, err := b.client.GetRun(t.Context(), id, job.Run.RunID)
		if err != nil || run.Status == notte.RunActive {
			t.Errorf("at Notte the run is %s, %v", run.Status, err)
		}
	})
}
