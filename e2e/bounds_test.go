package e2e_test

import (
	"strings"
	"testing"
	"time"

	"github.com/anything-mcp/anything-mcp/notte/sandbox"
)

// forever repeats steps for longer than any test takes.
func forever(steps ...step) told {
	return func(s *service) []sandbox.Step {
		return []sandbox.Step{sandbox.Repeat(1000, append(s.steps(steps), sandbox.Delay(100*time.Millisecond))...)}
	}
}

// A build whose stream does not end is ended, keeps what it has brought, and
// leaves its place to another one.
func TestEndlessBuilds(t *testing.T) {
	for _, test := range []struct {
		name, flag string
		endless    step
		status     string
		says       string
	}{
		{"comments only", "--idle-timeout=1s", forever(sandbox.Raw(": keep-alive\n\n")), "interrupted", "no event came"},
		{"events", "--build-timeout=1s", forever(thinkingDelta("Hm. ")), "timeout", "given up after 1s"},
		{"silence", "--build-timeout=1s", sandbox.Stall(), "timeout", "given up after 1s"},
	} {
		t.Run(test.name, func(t *testing.T) {
			inBothContracts(t, func(t *testing.T, api *service, url string) {
				api.Script("endless",
					textDelta("Nearly there."),
					uploaded("fn-saved", "saved", nil),
					test.endless)
				h := newHostIn(t, url, t.TempDir(), test.flag, "--max-concurrent-builds=1")
				c := h.connect(modern)
				id := c.build("endless")
				c.progress(id, 1)
				if out := c.outcome(c.build("another")); !out.isError || !strings.Contains(out.text, "--max-concurrent-builds") {
					t.Errorf("a second build returned %s", out.text)
				}
				begun := time.Now()
				out := c.outcome(id)
				status, isError, says := test.status, true, test.says
				if status == "interrupted" && api.v2 {
					status, isError, says = "done", false, "stream was lost"
				}
				if out.isError != isError || out.Status != status || out.FunctionID != "fn-saved" || out.Answer != "Nearly there." || !strings.Contains(out.text, says) {
					t.Errorf("the build returned %s", out.text)
				}
				if took := time.Since(begun); took > 5*time.Second {
					t.Errorf("the build took %s", took)
				}
				if out := c.outcome(c.build("another")); out.Status != "done" {
					t.Errorf("after its end another build returned %s", out.text)
				}
				awaitRequest(t, api, func(r sandbox.Request) bool {
					return strings.Contains(string(r.Body), "endless") && !r.ClientLeft.IsZero()
				})
			})
		})
	}
}

// A run that Notte refuses to start, and never shows as active, fails with
// Notte's words within 20 seconds.
func TestRunIsRefused(t *testing.T) {
	if testing.Short() {
		t.Skip("the run is looked up for 12 seconds")
	}
	t.Parallel()
	api, url := newSandbox(t)
	api.AddFunction(sandbox.Function{ID: "fn"})
	api.Fault("POST", "/functions/{id}/runs/{run_id}", sandbox.Status(503, "application/json", `{"detail":"no browser is free"}`))
	c := newHostIn(t, url, t.TempDir()).connect(legacy)
	begun := time.Now()
	out := c.outcome(c.call("run_function", args{"function_id": "fn"}))
	if !out.isError || out.Status != "failed" || out.OK == nil || *out.OK || !strings.Contains(out.text, "no browser is free") {
		t.Errorf("the run returned %s", out.text)
	}
	if took := time.Since(begun); took > 20*time.Second {
		t.Errorf("it took %s", took)
	}
	// One request to create the run and one to start it.
	if n := requests(api, "POST", "/runs/"); n != 2 {
		t.Errorf("Notte got %d requests that post to runs, want 2", n)
	}
}
