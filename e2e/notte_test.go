package e2e_test

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/anything-mcp/anything-mcp/notte/sandbox"
)

// hasAll returns a match for lines that contain all the words.
func hasAll(words ...string) func(string, message) bool {
	return func(line string, _ message) bool {
		for _, word := range words {
			if !strings.Contains(line, word) {
				return false
			}
		}
		return true
	}
}

// A run whose stream breaks is looked up by its ID, and not started again.
func TestRunIsLookedUp(t *testing.T) {
	forEachTransport(t, bothEras, func(t *testing.T, api *service, c *conn, _ *process) {
		api.AddFunction(sandbox.Function{ID: "fn", Run: &sandbox.Outcome{
			Result: map[string]any{"posts": []any{"one"}}, After: 300 * time.Millisecond,
		}})
		api.ScriptRun("fn", sandbox.Event(event{"type": "session_start", "message": "s-1"}), sandbox.Reset())
		out := c.outcome(c.call("run_function", args{"function_id": "fn"}))
		if out.isError || out.Status != "closed" || out.OK == nil || !*out.OK || !strings.Contains(string(out.Result), "one") {
			t.Errorf("the run returned %s", out.text)
		}
		created, started := requests(api, "POST", "/runs/create"), requests(api, "POST", "/runs/")
		if looked := requests(api, "GET", "/runs/"); created != 1 || started != 2 || looked == 0 {
			t.Errorf("Notte got %d requests to create a run, %d in all that post to runs, %d to look at it", created, started, looked)
		}
	})
}

// If Notte cannot create a run, the run is started without an ID.
func TestRunWithoutCreate(t *testing.T) {
	forEachTransport(t, []era{modern}, func(t *testing.T, api *service, c *conn, _ *process) {
		api.AddFunction(sandbox.Function{ID: "fn", Run: &sandbox.Outcome{Result: "Traceback (most recent call last): boom"}})
		api.Fault("POST", "/functions/{id}/runs/create", sandbox.Status(http.StatusMethodNotAllowed, "application/json", `{"detail":"Method Not Allowed"}`))
		out := c.outcome(c.call("run_function", args{"function_id": "fn"}))
		if !out.isError || out.OK == nil || *out.OK || out.Status != "closed" {
			t.Errorf("a run that ended in a traceback returned %s", out.text)
		}
		if n := requests(api, "POST", "/runs/start"); n != 1 {
			t.Errorf("the run was started %d times", n)
		}
	})
}

// A build whose stream breaks keeps what came before.
func TestBuildIsCut(t *testing.T) {
	forEachTransport(t, bothEras, func(t *testing.T, api *service, c *conn, _ *process) {
		api.Script("break", statusEvent("planning"),
			textDelta("Nearly there."),
			uploaded("fn-saved", "saved", nil),
			sandbox.Reset())
		status, isError := api.cutAfterFunction()
		out := c.outcome(c.build("break"))
		if out.isError != isError || out.Status != status || out.FunctionID != "fn-saved" || out.TotalCostUSD != nil ||
			!strings.Contains(out.Answer, "Nearly") || !strings.Contains(out.text, `"total_cost_usd":null`) {
			t.Errorf("the build returned %s", out.text)
		}
	})
}

// The key is sent to Notte only, even if Notte's answers contain it or redirect
// elsewhere. Every output is searched for it at the end.
func TestSecrets(t *testing.T) {
	forEachTransport(t, bothEras, func(t *testing.T, api *service, c *conn, p *process) {
		elsewhere := 0
		stranger := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { elsewhere++ }))
		defer stranger.Close()

		echo := `Authorization: Bearer ` + apiKey
		for name, steps := range map[string][]step{
			"refused":    {sandbox.Status(401, "application/json", `{"message":"`+echo+`","detail":{"headers":"`+echo+`"}}`)},
			"html":       {sandbox.Status(503, "text/html", `<html><title>`+echo+`</title><body>`+echo+`</body></html>`)},
			"a page":     {sandbox.Status(200, "text/html", `<title>`+echo+`</title>`)},
			"redirected": {sandbox.Header("Location", stranger.URL+"/?key="+apiKey), sandbox.Status(307, "", "")},
			"told": {statusEvent(echo), toolStart(echo),
				failed(echo, echo)},
			"cut": {textDelta(echo), sandbox.Reset()},
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
		api.Script("piecemeal",
			textDelta("The key is "+apiKey[:7]),
			textDelta(apiKey[7:]+", they say."), done("fn-piecemeal"))
		if out := c.outcome(c.build("piecemeal")); !strings.Contains(out.Answer, "they say") {
			t.Errorf("the answer is %q", out.Answer)
		}
		if elsewhere != 0 {
			t.Errorf("another host got %d requests", elsewhere)
		}
		checkSecrets(t, "the log", p.stderr.String())
	})
}

// A running build shows its viewer link. The log never contains it, and a build
// that has ended does not show it.
func TestViewerLink(t *testing.T) {
	forEachTransport(t, bothEras, func(t *testing.T, api *service, c *conn, _ *process) {
		link := "https://viewer.notte.cc/session?a=1&token=" + viewerToken
		wait, open := gate(t)
		api.Script("show me", viewer(link), wait, done("fn"))
		first := c.build("show me")
		c.progress(first, 1)
		handle := c.outcome(c.call("build_automation", args{"query": "show me", "wait_seconds": 0}))
		for begun := time.Now(); handle.ViewerURL != link; {
			if handle.Status != "running" || time.Since(begun) > awaitTimeout {
				t.Fatalf("the running build returned %s", handle.text)
			}
			handle = c.outcome(c.call("get_build", args{"build_id": handle.BuildID, "wait_seconds": 0}))
		}
		open()
		if out := c.outcome(first); strings.Contains(out.text, viewerToken) {
			t.Errorf("the build that has ended returned %s", out.text)
		}
	})
}
