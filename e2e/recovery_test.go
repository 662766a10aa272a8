package e2e_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/anything-mcp/anything-mcp/notte/sandbox"
)

// takeover bounds the time in which a dead process's jobs are taken over.
const takeover = time.Minute

// awaitTakeover waits for a request to Notte that only the heir of a dead
// process makes.
func awaitTakeover(t *testing.T, api *sandbox.Server, match func(sandbox.Request) bool) {
	t.Helper()
	ctx, stop := context.WithTimeout(t.Context(), takeover)
	defer stop()
	if _, err := api.WaitRequest(ctx, match); err != nil {
		t.Fatalf("nobody has taken over what a dead process left within %s: %v", takeover, err)
	}
}

// stray is what a process leaves behind that is killed at its work.
type stray struct {
	closed, active               outcome // runs: one will have ended meanwhile, one goes on
	uploaded, unfinished         outcome // builds: one has told of its function, one has not
	closedFn, activeFn, uploadFn string
}

// leaveBehind starts all that on a server, and kills it.
func leaveBehind(t *testing.T, api *sandbox.Server, h *host, c *conn) stray {
	t.Helper()
	s := stray{uploadFn: api.AddFunction(sandbox.Function{Name: "uploaded"})}
	s.closedFn = api.AddFunction(sandbox.Function{Name: "closed", Run: &sandbox.Outcome{After: -1, Logs: []string{"begun"}}})
	s.activeFn = api.AddFunction(sandbox.Function{Name: "active", Run: &sandbox.Outcome{After: -1, Logs: []string{"begun"}}})
	viewer := sandbox.Event(event{"type": "notte_session_data", "viewer_url": "https://viewer.example/?token=" + viewerToken})
	uploaded := sandbox.Event(event{"type": "function_uploaded", "function_id": s.uploadFn, "name": "uploaded"})
	api.Script("uploaded", viewer, uploaded, sandbox.Stall())
	api.Script("unfinished", viewer, working("planning"), sandbox.Stall())

	handle := func(tool string, arguments args) outcome {
		arguments["wait_seconds"] = 0
		return c.outcome(c.call(tool, arguments))
	}
	s.closed = handle("run_function", args{"function_id": s.closedFn})
	s.active = handle("run_function", args{"function_id": s.activeFn, "variables": args{"n": "1"}})
	s.uploaded = handle("build_automation", args{"query": "uploaded"})
	s.unfinished = handle("build_automation", args{"query": "unfinished"})
	for _, fn := range []string{s.closedFn, s.activeFn} {
		awaitRequest(t, api, func(r sandbox.Request) bool {
			id, ok := strings.CutPrefix(r.Path, "/functions/"+fn+"/runs/")
			return ok && r.Method == "POST" && id != "create"
		})
	}
	c.progress(c.call("get_build", args{"build_id": s.unfinished.BuildID}), 1)
	c.seesFunction(s.uploaded.BuildID)
	h.kill()
	return s
}

// A process is killed while builds and runs of its are under way at Notte. The
// next one finds the outcome of each run by its ID, with patience for the one
// that goes on; the builds are interrupted, with what is known of them and what
// they may have made. Nothing is started again.
func TestTakingOver(t *testing.T) {
	if testing.Short() {
		t.Skip("a lease has to run out, which takes half a minute")
	}
	t.Parallel()
	api, url := newSandbox(t)
	dir := t.TempDir()
	h := newHostIn(t, url, dir)
	left := leaveBehind(t, api, h, h.connect(legacy))
	endRun(t, api, left.closedFn, sandbox.Outcome{Result: args{"n": 1}})
	candidate := api.AddFunction(sandbox.Function{Name: "made by the unfinished build"})

	heir := newHostIn(t, url, dir)
	c := heir.connect(modern)
	for _, id := range []int{
		c.call("get_run", args{"run_id": left.active.RunID, "wait_seconds": 0}), c.look(left.uploaded.BuildID), c.look(left.unfinished.BuildID),
	} {
		if out := c.outcome(id); out.Status != "running" && out.Status != "interrupted" {
			t.Errorf("what was left behind is now %s", out.text)
		}
	}
	awaitTakeover(t, api, func(r sandbox.Request) bool {
		return r.Method == "GET" && strings.HasPrefix(r.Path, "/functions/"+left.activeFn+"/runs/")
	})
	closed := c.outcome(c.call("get_run", args{"run_id": left.closed.RunID}))
	if closed.Status != "closed" || closed.OK == nil || !*closed.OK || !strings.Contains(string(closed.Result), `"n"`) && !strings.Contains(string(closed.Result), `'n'`) {
		t.Errorf("the run that ended while nobody looked is %s", closed.text)
	}
	if out := c.outcome(c.call("get_run", args{"run_id": left.active.RunID, "wait_seconds": 0})); out.Status != "running" {
		t.Errorf("the run that goes on is %s", out.text)
	}
	follow := c.call("get_run", args{"run_id": left.active.RunID})
	endRun(t, api, left.activeFn, sandbox.Outcome{Status: "failed", Result: "no such button"})
	if out := c.outcome(follow); out.Status != "failed" || !strings.Contains(out.text, "no such button") {
		t.Errorf("the run that failed later came to %s", out.text)
	}

	uploaded := c.outcome(c.call("get_build", args{"build_id": left.uploaded.BuildID}))
	if uploaded.Status != "interrupted" || uploaded.FunctionID != left.uploadFn || !strings.Contains(uploaded.text, "run_function") {
		t.Errorf("the build with a function is %s", uploaded.text)
	}
	if out := c.outcome(c.call("run_function", args{"function_id": uploaded.FunctionID})); out.Status != "closed" {
		t.Errorf("the function that was saved runs to %s", out.text)
	}
	unfinished := c.outcome(c.call("get_build", args{"build_id": left.unfinished.BuildID}))
	var offered []string
	for _, f := range unfinished.Candidates {
		offered = append(offered, f.FunctionID)
	}
	if unfinished.Status != "interrupted" || !slices.Contains(offered, candidate) || slices.Contains(offered, left.uploadFn) {
		t.Errorf("the unfinished build is %s; want it interrupted, with %s as a candidate and without %s, which is another's", unfinished.text, candidate, left.uploadFn)
	}
	heir.leave()
	checkStarts(t, api, left)
	checkTraces(t, dir, viewerToken, apiKey)
	checkSound(t, dir)
}

// A function that a build was told to have made is not forgotten, though its
// process is killed the moment it has said so, in the middle of the build.
func TestToldFunctionIsKept(t *testing.T) {
	t.Parallel()
	rounds := 10
	if testing.Short() {
		rounds = 3
	}
	api, url := newSandbox(t)
	dir := t.TempDir()
	for n := range rounds {
		query, function := fmt.Sprintf("upload %d", n), fmt.Sprintf("fn-%d", n)
		wait, open := gate(t)
		api.Script(query, working("planning"), wait, sandbox.Event(event{"type": "function_uploaded", "function_id": function, "name": query}), sandbox.Stall())
		h := newHostIn(t, url, dir)
		c := h.connect(bothEras[n%2])
		build := c.handle(query)
		c.progress(c.call("get_build", args{"build_id": build.BuildID}), 1)
		open()
		c.seesFunction(build.BuildID)
		h.kill()
		next := newHostIn(t, url, dir)
		c = next.connect(bothEras[n%2])
		if out := c.outcome(c.look(build.BuildID)); out.FunctionID != function {
			t.Errorf("the build, whose function %s was told, is now %s", function, out.text)
		}
		next.kill()
	}
}

// seesFunction asks for a running build until it has a function.
func (c *conn) seesFunction(buildID string) {
	c.t.Helper()
	for begun := time.Now(); ; {
		out := c.outcome(c.look(buildID))
		switch {
		case out.FunctionID != "":
			return
		case out.Status != "running" || time.Since(begun) > patience:
			c.t.Fatalf("a build that makes a function and stalls is %s", out.text)
		}
	}
}

// checkStarts checks that nothing was started again.
func checkStarts(t *testing.T, api *sandbox.Server, left stray) {
	t.Helper()
	for query, n := range starts(t, api) {
		if n != 1 {
			t.Errorf("%q was started %d times", query, n)
		}
	}
	for _, fn := range []string{left.closedFn, left.activeFn} {
		// One to create the run and one to start it.
		if n := requests(api, "POST", "/functions/"+fn+"/runs/"); n != 2 {
			t.Errorf("a run took %d requests to start, want 2", n)
		}
	}
}

// endRun ends the run of a function.
func endRun(t *testing.T, api *sandbox.Server, functionID string, end sandbox.Outcome) {
	t.Helper()
	prefix := "/functions/" + functionID + "/runs/"
	for _, r := range api.Requests() {
		if id, ok := strings.CutPrefix(r.Path, prefix); ok && r.Method == "POST" && id != "create" {
			if err := api.EndRun(id, end); err != nil {
				t.Fatal(err)
			}
			return
		}
	}
	t.Fatalf("the function %s was never run", functionID)
}
