package e2e_test

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/anything-mcp/anything-mcp/notte/sandbox"
)

// takeoverTimeout bounds the time until another process takes over the jobs of a
// dead one.
const takeoverTimeout = time.Minute

// awaitTakeover waits for a request to Notte that only a process makes which has
// taken over a job.
func awaitTakeover(t *testing.T, api *service, match func(sandbox.Request) bool) {
	t.Helper()
	ctx, stop := context.WithTimeout(t.Context(), takeoverTimeout)
	defer stop()
	if _, err := api.WaitRequest(ctx, match); err != nil {
		t.Fatalf("no process took over the jobs of a dead one within %s: %v", takeoverTimeout, err)
	}
}

// abandoned holds the running jobs of a killed process.
type abandoned struct {
	closed, active               outcome // runs: closed ends while no process looks, active goes on
	uploaded, unfinished         outcome // builds: uploaded has reported a function, unfinished has not
	closedFn, activeFn, uploadFn string
}

// abandonJobs starts the jobs on a server and kills it.
func abandonJobs(t *testing.T, api *service, h *host, c *conn) abandoned {
	t.Helper()
	s := abandoned{uploadFn: api.AddFunction(sandbox.Function{Name: "uploaded"})}
	s.closedFn = api.AddFunction(sandbox.Function{Name: "closed", Run: &sandbox.Outcome{After: -1, Logs: []string{"begun"}}})
	s.activeFn = api.AddFunction(sandbox.Function{Name: "active", Variables: []sandbox.Variable{{Name: "n", Type: "int"}}, Run: &sandbox.Outcome{After: -1, Logs: []string{"begun"}}})
	viewer := viewer("https://viewer.notte.cc/?token=" + viewerToken)
	uploaded := uploaded(s.uploadFn, "uploaded", nil)
	api.Script("uploaded", viewer, uploaded, sandbox.Stall())
	api.Script("unfinished", viewer, statusEvent("planning"), sandbox.Stall())

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
	c.awaitFunction(s.uploaded.BuildID)
	h.kill()
	return s
}

// A process is killed while its builds and runs go on at Notte. The next process
// finds the result of each run by its ID, and waits for the run that goes on. It
// ends the builds as interrupted, with what is known of them and the functions
// that they may have made. It starts nothing again.
func TestTakingOver(t *testing.T) {
	inBothContracts(t, func(t *testing.T, api *service, url string) {
		if testing.Short() {
			t.Skip("a lease has to run out, which takes half a minute")
		}
		dir := t.TempDir()
		h := newHostIn(t, url, dir)
		left := abandonJobs(t, api, h, h.connect(legacy))
		endRun(t, api, left.closedFn, sandbox.Outcome{Result: args{"n": 1}})
		candidate := api.AddFunction(sandbox.Function{Name: "made by the unfinished build"})

		cut, _ := api.cutAfterFunction()
		heir := newHostIn(t, url, dir)
		c := heir.connect(modern)
		for _, id := range []int{
			c.call("get_run", args{"run_id": left.active.RunID, "wait_seconds": 0}), c.getNow(left.uploaded.BuildID), c.getNow(left.unfinished.BuildID),
		} {
			if out := c.outcome(id); out.Status != "running" && out.Status != "interrupted" && out.Status != cut {
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
			t.Errorf("the run that failed later returned %s", out.text)
		}

		uploaded := c.outcome(c.call("get_build", args{"build_id": left.uploaded.BuildID}))
		if uploaded.Status != cut || uploaded.FunctionID != left.uploadFn || !strings.Contains(uploaded.text, "run_function") {
			t.Errorf("the build with a function is %s", uploaded.text)
		}
		if out := c.outcome(c.call("run_function", args{"function_id": uploaded.FunctionID})); out.Status != "closed" {
			t.Errorf("a run of the saved function returned %s", out.text)
		}
		unfinished := c.outcome(c.call("get_build", args{"build_id": left.unfinished.BuildID}))
		var offered []string
		for _, f := range unfinished.Candidates {
			offered = append(offered, f.FunctionID)
		}
		if unfinished.Status != "interrupted" || !slices.Contains(offered, candidate) || slices.Contains(offered, left.uploadFn) {
			t.Errorf("the unfinished build is %s; want it interrupted, with %s as a candidate and without %s, which belongs to another build", unfinished.text, candidate, left.uploadFn)
		}
		heir.stop()
		checkStarts(t, api, left)
		checkFiles(t, dir, viewerToken, apiKey)
		checkDatabase(t, dir)
	})
}

// A command that shows one job takes it over if its process was killed, and shows how
// it ended.
func TestCommandTakesOver(t *testing.T) {
	inBothContracts(t, func(t *testing.T, api *service, url string) {
		dir := t.TempDir()
		h := newHostIn(t, url, dir)
		left := abandonJobs(t, api, h, h.connect(legacy))
		endRun(t, api, left.closedFn, sandbox.Outcome{Result: args{"n": 1}})
		expireLeases(t, dir)
		cut, _ := api.cutAfterFunction()
		for _, c := range []struct{ command, id, status, says string }{
			{"builds", left.uploaded.BuildID, cut, left.uploadFn},
			{"builds", left.unfinished.BuildID, "interrupted", left.unfinished.BuildID},
			{"runs", left.closed.RunID, "closed", `"result"`},
			{"runs", left.active.RunID, "running", left.activeFn},
		} {
			out := command(t, url, c.command, c.id, "--json", "--state-dir", dir)
			var job outcome
			if err := json.Unmarshal([]byte(out), &job); err != nil || job.Status != c.status || !strings.Contains(out, c.says) {
				t.Errorf("%s %s printed %s, %v; want it %s", c.command, c.id, out, err, c.status)
			}
		}
		checkStarts(t, api, left)
	})
}

// expireLeases has the leases of all jobs run out.
func expireLeases(t *testing.T, dir string) {
	t.Helper()
	db, err := sql.Open("sqlite", filepath.Join(dir, "jobs.db"))
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	if _, err := db.Exec("UPDATE leases SET expires_at = 1"); err != nil {
		t.Fatal(err)
	}
}

// The function of a running build is stored before it is shown: a process that is
// killed right after it has shown the function does not lose it.
func TestToldFunctionIsKept(t *testing.T) {
	inBothContracts(t, func(t *testing.T, api *service, url string) {
		rounds := 10
		if testing.Short() {
			rounds = 3
		}
		dir := t.TempDir()
		for n := range rounds {
			query, function := fmt.Sprintf("upload %d", n), fmt.Sprintf("fn-%d", n)
			wait, open := gate(t)
			api.Script(query, statusEvent("planning"), wait, uploaded(function, query, nil), sandbox.Stall())
			h := newHostIn(t, url, dir)
			c := h.connect(bothEras[n%2])
			build := c.startBuild(query)
			c.progress(c.call("get_build", args{"build_id": build.BuildID}), 1)
			open()
			c.awaitFunction(build.BuildID)
			h.kill()
			next := newHostIn(t, url, dir)
			c = next.connect(bothEras[n%2])
			if out := c.outcome(c.getNow(build.BuildID)); out.FunctionID != function {
				t.Errorf("the build, whose function %s was told, is now %s", function, out.text)
			}
			next.kill()
		}
	})
}

// awaitFunction calls get_build until the running build has a function.
func (c *conn) awaitFunction(buildID string) {
	c.t.Helper()
	for begun := time.Now(); ; {
		out := c.outcome(c.getNow(buildID))
		switch {
		case out.FunctionID != "":
			return
		case out.Status != "running" || time.Since(begun) > awaitTimeout:
			c.t.Fatalf("a build that makes a function and stalls is %s", out.text)
		}
	}
}

// checkStarts checks that nothing was started again.
func checkStarts(t *testing.T, api *service, left abandoned) {
	t.Helper()
	for query, n := range startsByQuery(t, api) {
		if n != 1 {
			t.Errorf("%q was started %d times", query, n)
		}
	}
	for _, fn := range []string{left.closedFn, left.activeFn} {
		// One creates the run and one starts it.
		if n := requests(api, "POST", "/functions/"+fn+"/runs/"); n != 2 {
			t.Errorf("a run took %d requests to start, want 2", n)
		}
	}
}

// endRun ends the function's only run.
func endRun(t *testing.T, api *service, functionID string, end sandbox.Outcome) {
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
