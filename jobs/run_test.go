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

// A run whose start Notte refused, and whose record never becomes active, soon ends
// with the refusal.
func TestRunWhoseStartIsRefused(t *testing.T) {
	for _, c := range []struct {
		why  string
		step sandbox.Step
		says string
	}{
		{"500", sandbox.Status(500, "application/json", `{"detail":"the cluster is on fire"}`), "on fire"},
		{"502", sandbox.Status(502, "text/html", "<title>Bad Gateway</title>"), "502"},
		{"503", sandbox.Status(503, "application/json", `{"detail":"no capacity"}`), "no capacity"},
		{"529", sandbox.Status(529, "application/json", `{"detail":"overloaded"}`), "overloaded"},
		{"a page", sandbox.Status(200, "text/html", "<title>Sign in</title>"), "Sign in"},
		{"no JSON", sandbox.Status(200, "application/json", "no workers are free"), "no workers"},
		{"no result", sandbox.Status(200, "application/json", `{"message":"come back later"}`), "come back later"},
		{"nothing", sandbox.Status(200, "application/json", ""), "200 OK"},
	} {
		t.Run(c.why, func(t *testing.T) {
			inBubble(t, func(t *testing.T, b *fixture) {
				id := b.notte.AddFunction(sandbox.Function{Name: "n"})
				b.notte.Fault("POST", "/functions/{id}/runs/{run_id}", c.step)
				job, _ := b.end(t, b.start(t, jobs.RunSpec{Client: b.client, FunctionID: id}))
				if job.State != jobs.StateFailed || !strings.Contains(job.Run.Error, c.says) {
					t.Errorf("ended as %s: %s", job.State, job.Run.Error)
				}
				if took := job.Elapsed(time.Now()); took > 20*time.Second {
					t.Errorf("it took %v", took)
				}
			})
		})
	}
}

// A run that cannot be found is given up after two minutes, one that stays active
// after an hour.
func TestRunThatIsNeverFound(t *testing.T) {
	for _, c := range []struct {
		why         string
		fault       sandbox.Step
		least, most time.Duration
	}{
		{"not found", sandbox.Status(404, "application/json", `{"detail":"none"}`), 2 * time.Minute, 3 * time.Minute},
		{"active for ever", sandbox.Status(200, "application/json", `{"function_run_id":"r","status":"active"}`), time.Hour, time.Hour + time.Minute},
	} {
		t.Run(c.why, func(t *testing.T) {
			inBubble(t, func(t *testing.T, b *fixture) {
				id := b.notte.AddFunction(sandbox.Function{Name: "n"})
				b.notte.ScriptRun(id, sandbox.Cut())
				b.notte.Fault("GET", "/functions/{id}/runs/{run_id}", c.fault)
				job, _ := b.end(t, b.start(t, jobs.RunSpec{Client: b.client, FunctionID: id}))
				if took := job.Elapsed(time.Now()); job.State != jobs.StateInterrupted || took < c.least || took > c.most {
					t.Errorf("%s after %v: %s", job.State, took, job.Run.Error)
				}
			})
		})
	}
}

// A cancelled run says what became of it at Notte.
func TestCancelRunThatCannotBeStopped(t *testing.T) {
	for _, c := range []struct {
		why    string
		method string
		path   string
		fault  sandbox.Step
		says   string
	}{
		{"before it has an ID", "POST", "/functions/{id}/runs/create", sandbox.Status(405, "", ""), "no ID"},
		{"refused", "DELETE", "/functions/{id}/runs/{run_id}", sandbox.Status(409, "application/json", `{"detail":"too late"}`), "too late"},
	} {
		t.Run(c.why, func(t *testing.T) {
			inBubble(t, func(t *testing.T, b *fixture) {
				id := b.notte.AddFunction(sandbox.Function{Name: "n", Run: &sandbox.Outcome{After: time.Hour}})
				b.notte.Fault(c.method, c.path, c.fault)
				job := b.start(t, jobs.RunSpec{Client: b.client, FunctionID: id})
				synctest.Wait()
				job, err := b.Cancel(t.Context(), job.Owner, job.ID)
				if err != nil || job.State != jobs.StateCancelled || !strings.Contains(job.Run.Error, c.says) {
					t.Errorf("Cancel = %s %q, %v", job.State, job.Run.Error, err)
				}
			})
		})
	}
}
