package tools_test

import (
	"strings"
	"testing"
	"time"

	"github.com/anything-mcp/anything-mcp/notte/sandbox"
	"github.com/anything-mcp/anything-mcp/tools"
)

const page = "https://anything.notte.cc/t/11111111-2222-4333-8444-555555555555"

// detached answers the start of a build that Notte goes on with by itself.
func detached() sandbox.Step {
	return sandbox.Status(202, "application/json", `{"thread_id":"11111111-2222-4333-8444-555555555555","url":"`+page+`","status":"started"}`)
}

func TestContinueBuild(t *testing.T) {
	inBubble(t, func(t *testing.T, f *fixture) {
		first := f.call("build_automation", object{"query": "fetch the top 3 posts"})
		f.wants(first, false, object{"status": "done", "function_from": "stream", "function_version": "1", "continues": absent})
		second := f.call("build_automation", object{"query": "also return the score", "continue_build": first.str("build_id")})
		f.wants(second, false, object{
			"status": "done", "function_id": first.str("function_id"), "function_version": "2",
			"continues": first.str("build_id"), "thread_id": first.str("thread_id"),
		})
		if next := second.str("next_step"); !strings.Contains(next, "the same as before") || !strings.Contains(next, "new version") {
			t.Errorf("next_step = %q", next)
		}
		list := f.call("list_builds", object{})
		wants(t, list.object["builds"].([]any)[0].(object), object{"build_id": second.str("build_id"), "continues": first.str("build_id")})
	})
}

func TestContinueIsRefused(t *testing.T) {
	inBubble(t, func(t *testing.T, f *fixture) {
		f.notte.Script("v1", event("done", "function_id", "f-1"))
		without := f.call("build_automation", object{"query": "v1"})
		busy := f.call("build_automation", object{"query": "fetch [sandbox:slow]", "wait_seconds": 1})
		for id, want := range map[string]string{
			without.str("build_id"): "Nothing was started: the build has no thread to continue; start a new build.",
			busy.str("build_id"):    "Nothing was started: another turn of this build's thread is still running; wait until it has ended, then continue it.",
			"build_none":            "continue_build must be the build_id of an earlier build: there is none with this ID, or it has expired. Nothing was started or changed.",
		} {
			if r := f.call("build_automation", object{"query": "more", "continue_build": id}); !r.isError || r.text != want {
				t.Errorf("isError %v, %q; want %q", r.isError, r.text, want)
			}
		}
	})
}

// A detached build says what it is while it runs, and its function is probably
// its own.
func TestDetachedBuild(t *testing.T) {
	inBubble(t, func(t *testing.T, f *fixture) {
		f.serve(tools.Config{Account: always(f.client(key)), Detach: true})
		f.notte.Script("q", detached())
		running := f.call("build_automation", object{"query": "q", "wait_seconds": 5})
		f.wants(running, false, object{"status": "running", "detached": true, "thread_url": page, "total_cost_usd": absent})
		if next := running.str("next_step"); !strings.Contains(next, "reports no steps") || !strings.Contains(next, "get_build") {
			t.Errorf("next_step = %q", next)
		}
		f.notte.AddFunction(sandbox.Function{ID: "f-1", Name: "n", Source: "anything"})
		done := f.call("get_build", object{"build_id": running.str("build_id"), "wait_seconds": 3600})
		f.wants(done, false, object{"status": "done", "function_id": "f-1", "function_from": "catalogue", "total_cost_usd": nil})
		if next := done.str("next_step"); !strings.Contains(next, "probably") {
			t.Errorf("next_step = %q", next)
		}
	})
}

// A build whose function is not certain says so, and names what it may be.
func TestUncertainFunctions(t *testing.T) {
	finish := []sandbox.Step{sandbox.Chunk("finish", "finishReason", "stop"), sandbox.Done()}
	thread := sandbox.Thread("11111111-2222-4333-8444-555555555555")
	for _, c := range []struct {
		why    string
		before []sandbox.Function
		fault  bool
		steps  []sandbox.Step
		fields object
		next   string
	}{
		{"unconfirmed", nil, true, []sandbox.Step{thread, sandbox.Chunk("data-function", "data", object{"function_id": "f-1"})},
			object{"function_id": "f-1", "function_from": "stream_unconfirmed", "candidates": absent}, "could not be asked"},
		{"several", []sandbox.Function{{ID: "f-1", Name: "n"}, {ID: "f-2", Name: "m"}}, false, []sandbox.Step{thread},
			object{"function_id": absent}, "Which function it made is not known"},
		{"none", nil, false, []sandbox.Step{thread}, object{"function_id": absent, "candidates": absent}, "No function of this build was found"},
		{"doubtful end", []sandbox.Function{{ID: "f-1", Name: "n", Source: "anything"}}, false,
			[]sandbox.Step{thread, sandbox.Chunk("data-function", "data", object{"function_id": "f-1"}), sandbox.Delay(time.Second), sandbox.Cut()},
			object{"function_id": "f-1", "warning": "the build's stream was lost, so what came after the function is not known"}, "run_function"},
	} {
		t.Run(c.why, func(t *testing.T) {
			inBubble(t, func(t *testing.T, f *fixture) {
				f.notte.Script("q", append(c.steps, finish...)...)
				for _, function := range c.before {
					f.notte.AddFunction(function)
				}
				if c.fault {
					f.notte.Fault("GET", "/functions/{id}", sandbox.Status(500, "", ""))
					f.notte.Fault("GET", "/functions", sandbox.Status(500, "", ""))
				}
				r := f.call("build_automation", object{"query": "q", "wait_seconds": 600})
				f.wants(r, false, c.fields)
				f.wants(r, false, object{"status": "done"})
				if !strings.Contains(r.str("next_step"), c.next) {
					t.Errorf("next_step = %q, want it to speak of %q", r.str("next_step"), c.next)
				}
				if c.why == "several" && len(r.object["candidates"].([]any)) != 2 {
					t.Errorf("candidates = %v, want both", r.object["candidates"])
				}
			})
		})
	}
}
