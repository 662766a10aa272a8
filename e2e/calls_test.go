package e2e_test

import (
	"encoding/json"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/anything-mcp/anything-mcp/notte/sandbox"
)

// gate returns a step that waits until open is called.
func gate(t *testing.T) (wait sandbox.Step, open func()) {
	ch := make(chan struct{})
	t.Cleanup(func() {
		select {
		case <-ch:
		default:
			close(ch)
		}
	})
	return sandbox.Wait(ch), func() { close(ch) }
}

// A build and a run work in every version of the protocol.
func TestVersions(t *testing.T) {
	versions := []era{"2024-11-05", "2025-03-26", "2025-06-18", legacy, modern}
	forEachTransport(t, versions, func(t *testing.T, api *service, c *conn, _ *process) {
		var listed struct {
			Tools      []struct{ Name string }
			ResultType string
		}
		m := c.answer(c.request("tools/list", nil))
		if err := json.Unmarshal(m.Result, &listed); err != nil {
			t.Fatalf("tools/list: %v: %s", err, m.Result)
		}
		var names []string
		for _, tool := range listed.Tools {
			names = append(names, tool.Name)
		}
		for _, want := range []string{"build_automation", "get_build", "cancel_build", "run_function", "get_run", "cancel_run"} {
			if !slices.Contains(names, want) {
				t.Errorf("tools/list lacks %s: it has %v", want, names)
			}
		}
		if complete := listed.ResultType == "complete"; complete != (c.era >= modern) {
			t.Errorf("resultType is %q in %s", listed.ResultType, c.era)
		}

		built := c.outcome(c.build("fetch the top 3 posts"))
		if built.isError || built.Status != "done" || built.FunctionID == "" || built.TotalCostUSD == nil {
			t.Fatalf("the build returned %s", built.text)
		}
		ran := c.outcome(c.call("run_function", args{"function_id": built.FunctionID, "variables": args{"count": "2"}}))
		if ran.isError || ran.OK == nil || !*ran.OK || len(ran.Result) == 0 {
			t.Fatalf("the run returned %s", ran.text)
		}
		if bad := c.outcome(c.call("build_automation", args{"query": 7})); !bad.isError || bad.BuildID != "" {
			t.Errorf("a query that is a number was answered with %s", bad.text)
		}
		if m := c.answer(c.call("no_such_tool", nil)); m.Error == nil || m.Error.Code != -32602 {
			t.Errorf("an unknown tool was answered with %+v", m)
		}
	})
}

// Twenty concurrent builds of five hundred events each send at least 2 updates, and
// at most 4 a second. The order of the messages is checked when the process has
// ended.
func TestProgress(t *testing.T) {
	runForEachTransport(t, bothEras, oneByOne, func(t *testing.T, api *service, c *conn, _ *process) {
		const builds, steps = 20, 5
		ids := map[int]string{}
		wait, open := gate(t)
		began := time.Now()
		for n := range builds {
			query := fmt.Sprintf("build number %d", n)
			script := []step{statusEvent("planning")}
			for step := range steps {
				script = append(script,
					toolStart(fmt.Sprintf("step_%d_of_%d", step, n)),
					burst(98, textDelta("x\n")),
					sandbox.Delay(120*time.Millisecond))
			}
			api.Script(query, append(script, wait, done(fmt.Sprintf("fn-%d", n)))...)
			ids[c.build(query)] = fmt.Sprintf("fn-%d", n)
		}
		for id := range ids {
			c.progress(id, 2)
		}
		open()
		for id, function := range ids {
			if out := c.outcome(id); out.FunctionID != function {
				t.Errorf("call %d returned %s, want %s", id, out.text, function)
			}
			if n, most := c.journal(id).updates(id), 2+int(4*time.Since(began).Seconds()); n > most {
				t.Errorf("call %d got %d updates, want at most %d", id, n, most)
			}
		}
	})
}

// A call that does not wait returns a handle. get_build with the handle sends the
// progress and returns the result.
func TestHandle(t *testing.T) {
	forEachTransport(t, bothEras, func(t *testing.T, api *service, c *conn, _ *process) {
		wait, open := gate(t)
		api.Script("take your time", statusEvent("planning"), wait, done("fn"))
		handle := c.outcome(c.call("build_automation", args{"query": "take your time", "wait_seconds": 0}))
		if handle.isError || handle.Status != "running" {
			t.Fatalf("a call that does not wait was answered with %s", handle.text)
		}
		id := c.call("get_build", args{"build_id": handle.BuildID})
		c.progress(id, 1)
		open()
		if out := c.outcome(id); out.Status != "done" || out.FunctionID != "fn" || out.BuildID != handle.BuildID {
			t.Errorf("get_build was answered with %s", out.text)
		}
	})
}

// Two calls with the same query wait for one build. The second says how long it
// waits, because otherwise it would not wait again.
func TestJoining(t *testing.T) {
	forEachTransport(t, bothEras, func(t *testing.T, api *service, c *conn, _ *process) {
		wait, open := gate(t)
		api.Script("only once", statusEvent("planning"), wait, done("fn"))
		first := c.build("only once")
		c.progress(first, 1)
		second := c.call("build_automation", args{"query": "only once", "wait_seconds": 60})
		c.progress(second, 1)
		open()
		a, b := c.outcome(first), c.outcome(second)
		if a.BuildID != b.BuildID || a.Joined || !b.Joined || a.Status != "done" || b.Status != "done" {
			t.Errorf("the calls returned\n%s\n%s", a.text, b.text)
		}
		if n := requests(api, "POST", "/start"); n != 1 {
			t.Errorf("Notte was asked for %d builds", n)
		}
	})
}

// A cancelled call gets no answer. Its build goes on.
func TestCancellation(t *testing.T) {
	forEachTransport(t, bothEras, func(t *testing.T, api *service, c *conn, p *process) {
		wait, open := gate(t)
		api.Script("go on without me", statusEvent("planning"), wait, statusEvent("still there"), done("fn"))
		cancelled := c.build("go on without me")
		c.progress(cancelled, 1)
		c.cancel(cancelled)
		p.stderr.await(t, "the end of the cancelled call", hasAll("build_automation", "caller left"))
		before := c.journal(cancelled).updates(cancelled)

		second := c.call("build_automation", args{"query": "go on without me", "wait_seconds": 60})
		c.progress(second, 1)
		open()
		if out := c.outcome(second); out.Status != "done" || !out.Joined {
			t.Errorf("the build returned %s", out.text)
		}
		c.ping()
		for _, m := range c.journal(cancelled).messages(t) {
			if m.answers(cancelled) {
				t.Errorf("the cancelled call was answered: %s", m.Result)
			}
		}
		if n := c.journal(cancelled).updates(cancelled); n != before {
			t.Errorf("the cancelled call got %d more updates", n-before)
		}
	})
}

// Many waiting calls do not delay another request.
func TestManyWaiting(t *testing.T) {
	calls := 150
	if testing.Short() {
		calls = 50
	}
	forEachTransport(t, bothEras, func(t *testing.T, api *service, c *conn, _ *process) {
		wait, open := gate(t)
		var ids []int
		for n := range calls {
			query := fmt.Sprintf("wait %d", n)
			api.Script(query, statusEvent("planning"), wait, done(""))
			ids = append(ids, c.build(query))
		}
		for _, id := range ids {
			c.progress(id, 1)
		}
		c.ping()
		open()
		for _, id := range ids {
			if out := c.outcome(id); out.Status != "done" {
				t.Errorf("call %d returned %s", id, out.text)
			}
		}
	})
}
