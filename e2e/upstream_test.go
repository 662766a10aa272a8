package e2e_test

import (
	"strings"
	"testing"

	"github.com/anything-mcp/anything-mcp/notte/sandbox"
)

// maxLogLine bounds a line of the log, in bytes.
const maxLogLine = 20_000

// However much Notte says, the lines of the log are bounded, and links in them
// are cut down to their hosts.
func TestLogOfHugeErrors(t *testing.T) {
	const secret = "path-e2e-93c1d6"
	link := "https://storage.example/" + secret + "/v1.py "
	huge := "the storage failed: " + strings.Repeat(link, 8<<20/len(link))
	for _, format := range []string{"text", "json"} {
		t.Run(format, func(t *testing.T) {
			inBothContracts(t, func(t *testing.T, api *service, url string) {
				h := newHostWith(t, url, []string{"ANYTHING_MCP_LOG_FORMAT=" + format}, "--state-dir", t.TempDir())
				c := h.connect(modern)
				for name, steps := range map[string][]step{
					"refused":    {sandbox.Status(502, "application/json", `{"error":"`+huge+`"}`)},
					"plain":      {sandbox.Status(500, "text/plain", huge)},
					"header":     {sandbox.Header("Location", "https://other.example/"+strings.Repeat(secret, 10_000)), sandbox.Status(302, "", "")},
					"event":      {statusEvent("planning"), failed(huge, huge)},
					"not JSON":   {statusEvent("planning"), sandbox.Raw("data: " + huge + "\n\n"), sandbox.Reset()},
					"field":      {statusEvent("planning"), sandbox.Raw(strings.ReplaceAll(huge, " ", "") + "\n\n"), sandbox.Reset()},
					"event name": {statusEvent("planning"), sandbox.Event(event{"type": huge}), sandbox.Reset()},
				} {
					api.Script(name, steps...)
					if out := c.outcome(c.build(name)); !out.isError {
						t.Errorf("%s: the build returned %s", name, out.text)
					}
					api.AddFunction(sandbox.Function{ID: "fn"})
					api.FaultNext(1, "POST", "/functions/{id}/runs/create", steps...)
					if out := c.outcome(c.call("run_function", args{"function_id": "fn"})); !out.isError {
						t.Errorf("%s: the run returned %s", name, out.text)
					}
				}
				// The stream of a run fails, which is logged, and its record tells the rest.
				for name, step := range map[string]sandbox.Step{
					"lost": sandbox.Event(event{"type": "error", "error": huge}),
					"page": sandbox.Status(500, "application/json", `{"detail":"`+huge+`"}`),
				} {
					api.AddFunction(sandbox.Function{ID: name, Run: &sandbox.Outcome{Result: "fine"}})
					api.ScriptRun(name, step)
					c.outcome(c.call("run_function", args{"function_id": name, "wait_seconds": 1}))
					h.stderr.await(t, "the failure of a run's stream", hasAll("a run's stream was lost", "the storage failed"))
				}
				h.stop()
				for _, line := range h.stderr.lines() {
					if len(line) > maxLogLine || strings.Contains(line, "/"+secret) {
						t.Errorf("a line of the log has %d bytes: %.1000q", len(line), line)
					}
				}
				if len(h.stderr.lines()) < 14 {
					t.Errorf("the log has only %d lines", len(h.stderr.lines()))
				}
			})
		})
	}
}
