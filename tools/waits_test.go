package tools_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/mark3labs/mcp-go/mcp"
	"github.com/mark3labs/mcp-go/server"

	"github.com/anything-mcp/anything-mcp/notte/sandbox"
	"github.com/anything-mcp/anything-mcp/progress"
	"github.com/anything-mcp/anything-mcp/tools"
)

// session is a legacy session.
type session string

func (session) Initialize()                                         {}
func (session) Initialized() bool                                   { return true }
func (session) NotificationChannel() chan<- mcp.JSONRPCNotification { return nil }
func (s session) SessionID() string                                 { return string(s) }

var _ server.ClientSession = session("")

// goneSink is the progress of a client that is gone.
type goneSink struct{}

func (goneSink) Send(context.Context, progress.Update) error { return errors.New("gone") }

// leave makes a call that its client leaves after 5 seconds.
func (f *fixture) leave(tool string, args object) {
	f.t.Helper()
	ctx, cancel := context.WithTimeout(f.t.Context(), 5*time.Second)
	defer cancel()
	f.callContext(ctx, tool, args)
}

// A host that leaves each call after a few seconds gets the ID of the build from the
// second call on, since only the first waits.
func TestRepeatedWait(t *testing.T) {
	const quick, full = time.Second, tools.DefaultWait
	for _, c := range []struct {
		why   string
		first func(f *fixture) // what this client did before
		tool  string
		args  object
		took  time.Duration // at most quick, or else exactly
	}{
		{"the client left", func(f *fixture) { f.leave("build_automation", object{"query": "q"}) }, "build_automation", nil, quick},
		{"the client is gone, and its context does not say so yet", func(f *fixture) {
			f.callContext(progress.WithSink(f.t.Context(), goneSink{}), "build_automation", object{"query": "q"})
			time.Sleep(5 * time.Second)
		}, "build_automation", nil, quick},
		{"twice", func(f *fixture) {
			f.leave("build_automation", object{"query": "q"})
			f.leave("build_automation", object{"query": "q"})
		}, "build_automation", nil, quick},
		{"its call still waits", func(f *fixture) {
			go f.call("build_automation", object{"query": "q"})
			time.Sleep(5 * time.Second)
		}, "build_automation", nil, quick},
		{"it says how long to wait", func(f *fixture) { f.leave("build_automation", object{"query": "q"}) }, "build_automation", object{"wait_seconds": 20}, 20 * time.Second},
		{"it goes on with get_build", func(f *fixture) { f.leave("build_automation", object{"query": "q"}) }, "get_build", nil, quick},
		{"it left get_build", func(f *fixture) {
			id := f.call("build_automation", object{"query": "q", "wait_seconds": 0}).str("build_id")
			f.leave("get_build", object{"build_id": id})
		}, "get_build", nil, quick},
		{"its call was answered", func(f *fixture) { f.call("build_automation", object{"query": "q", "wait_seconds": 5}) }, "build_automation", nil, full},
		{"its call did not wait", func(f *fixture) { f.call("build_automation", object{"query": "q", "wait_seconds": 0}) }, "build_automation", nil, full},
		{"it waited for another build", func(f *fixture) {
			f.call("build_automation", object{"query": "q", "wait_seconds": 0})
			time.Sleep(time.Second)
			f.leave("build_automation", object{"query": "other"})
		}, "build_automation", nil, full},
		{"it left and came back with another session", func(f *fixture) {
			ctx, cancel := context.WithTimeout(f.t.Context(), 5*time.Second)
			defer cancel()
			f.callContext(f.server.MCP.WithContext(ctx, session("another")), "build_automation", object{"query": "q"})
		}, "build_automation", nil, quick},
		{"another host waits, in 2026-07-28", func(f *fixture) {
			go f.callAs("another", "build_automation", object{"query": "q"})
			time.Sleep(5 * time.Second)
		}, "build_automation", nil, full},
		{"another client waits", func(f *fixture) {
			ctx := f.server.MCP.WithContext(f.t.Context(), session("another"))
			go f.callContext(ctx, "build_automation", object{"query": "q"})
			time.Sleep(5 * time.Second)
		}, "build_automation", nil, full},
	} {
		t.Run(c.why, func(t *testing.T) {
			inBubble(t, func(t *testing.T, f *fixture) {
				for _, query := range []string{"q", "other"} {
					f.notte.Script(query, sandbox.Delay(4*time.Minute), event("done"))
				}
				c.first(f)
				builds := f.call("list_builds", object{}).object["builds"].([]any)
				id := builds[len(builds)-1].(object)["build_id"] // the oldest is that of q
				args := object{"query": "q"}
				if c.tool == "get_build" {
					args = object{"build_id": id}
				}
				for name, value := range c.args {
					args[name] = value
				}
				start := time.Now()
				r := f.call(c.tool, args)
				if took := time.Since(start); took > c.took || c.took > quick && took != c.took {
					t.Errorf("answered after %v, want %v", took, c.took)
				}
				f.wants(r, false, object{"status": "running", "build_id": id})
				if told := strings.Contains(r.str("next_step"), "This call did not wait"); told != (c.took == quick) {
					t.Errorf("next_step = %q", r.str("next_step"))
				}
				time.Sleep(4 * time.Minute)
				f.wants(f.call("get_build", object{"build_id": id}), false, object{"status": "done"})
			})
		})
	}
}

// The same for a run. run_function never joins a run, so the client finds it in the
// list.
func TestRepeatedWaitForARun(t *testing.T) {
	inBubble(t, func(t *testing.T, f *fixture) {
		function := f.notte.AddFunction(sandbox.Function{Name: "f", Run: &sandbox.Outcome{Result: 1, After: 3 * time.Minute}})
		f.leave("run_function", object{"function_id": function})
		runs := f.call("list_runs", object{}).object["runs"].([]any)
		id := runs[0].(object)["run_id"]
		start := time.Now()
		r := f.call("get_run", object{"run_id": id})
		f.wants(r, false, object{"status": "running", "run_id": id})
		if took := time.Since(start); took > time.Second || !strings.Contains(r.str("next_step"), "This call did not wait") {
			t.Errorf("answered after %v: %s", took, r.text)
		}
		f.wants(f.call("get_run", object{"run_id": id, "wait_seconds": 600}), false, object{"status": "closed"})
	})
}
