package tools_test

import (
	"encoding/json"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/anything-mcp/anything-mcp/notte"
	"github.com/anything-mcp/anything-mcp/notte/sandbox"
	"github.com/anything-mcp/anything-mcp/progress"
	"github.com/anything-mcp/anything-mcp/tools"
)

// takesTasks is the capabilities of a client that takes tasks.
var takesTasks = object{"extensions": object{"io.modelcontextprotocol/tasks": object{}}}

// withTasks runs a test with a server that answers with tasks.
func withTasks(t *testing.T, test func(*testing.T, *fixture)) {
	t.Helper()
	inBubble(t, func(t *testing.T, f *fixture) {
		f.serve(tools.Config{Account: always(f.client(key)), Tasks: true})
		test(t, f)
	})
}

// start calls a tool as a client that takes tasks.
func (f *fixture) start(tool string, args object) result {
	f.t.Helper()
	return f.callModern(takesTasks, tool, args)
}

// task returns the task with an ID.
func (f *fixture) task(id string) object {
	f.t.Helper()
	raw, found, err := f.server.Tasks.Get(f.t.Context(), id)
	if !found || err != nil {
		f.t.Fatalf("the task %q: found %v, %v", id, found, err)
	}
	var task object
	if err := json.Unmarshal(raw, &task); err != nil {
		f.t.Fatal(err)
	}
	return task
}

func TestTaskOfALongBuild(t *testing.T) {
	withTasks(t, func(t *testing.T, f *fixture) {
		f.notte.Script("q", sandbox.Delay(time.Minute),
			event("notte_session_data", "viewer_url", "https://v.test/?token=s3cret"),
			event("tool_start", "name", "goto"), sandbox.Delay(time.Minute),
			event("function_uploaded", "function_id", "f-1", "function_name", "hn"), sandbox.Delay(2*time.Minute),
			event("done", "total_cost_usd", 0.43))
		start := time.Now()
		created := f.start("build_automation", object{"query": "q", "wait_seconds": 3600})
		if took := time.Since(start); took != 300*time.Millisecond {
			t.Errorf("the call took %v, want 300ms", took)
		}
		if created.resultType != "task" || created.isError || created.meta["io.modelcontextprotocol/serverInfo"] == nil {
			t.Errorf("result type %q, isError %v, _meta %v", created.resultType, created.isError, created.meta)
		}
		wants(t, created.object, object{
			"status": "working", "statusMessage": "Build started", "ttlMs": float64(keep.Milliseconds()), "pollIntervalMs": 2000.0,
			"createdAt": "2000-01-01T00:00:00Z", "lastUpdatedAt": "2000-01-01T00:00:00Z", "result": absent,
		})
		id := created.str("taskId")
		time.Sleep(90 * time.Second)
		wants(t, f.task(id), object{
			"taskId": id, "status": "working", "result": absent,
			"statusMessage": "Using goto. Watch live: https://v.test/?token=s3cret", "lastUpdatedAt": "2000-01-01T00:01:30Z",
		})
		time.Sleep(time.Minute)
		wants(t, f.task(id), object{"statusMessage": "Function created: hn (f-1). Watch live: https://v.test/?token=s3cret"})
		time.Sleep(time.Hour)
		ended := f.task(id)
		wants(t, ended, object{
			"status": "completed", "statusMessage": "Build done. Function created: hn (f-1)",
			"createdAt": "2000-01-01T00:00:00Z", "lastUpdatedAt": "2000-01-01T00:04:00Z",
		})
		waited := f.start("get_build", object{"build_id": id})
		f.wants(waited, false, object{"status": "done"})
		wants(t, ended["result"].(object), object{"resultType": "complete", "structuredContent": waited.object, "isError": absent})
		if n := len(f.notte.Requests()); n != 1 {
			t.Errorf("%d requests went to Notte, want 1", n)
		}
	})
}

func TestProgressBeforeATask(t *testing.T) {
	withTasks(t, func(t *testing.T, f *fixture) {
		f.notte.Script("q", sandbox.Stall())
		sink := newSink()
		ctx := progress.WithSink(t.Context(), sink)
		f.callParams(ctx, "build_automation", object{"name": "build_automation", "arguments": object{"query": "q"}, "_meta": object{
			"io.modelcontextprotocol/protocolVersion": "2026-07-28", "io.modelcontextprotocol/clientCapabilities": takesTasks,
		}})
		sink.want(t, "0s Build started")
		if took := time.Since(sink.begin); took < 300*time.Millisecond || took > 350*time.Millisecond {
			t.Errorf("the call took %v, want 300ms and the gap after progress", took)
		}
	})
}

func TestTaskOfARun(t *testing.T) {
	withTasks(t, func(t *testing.T, f *fixture) {
		id := f.notte.AddFunction(sandbox.Function{Name: "f", Run: &sandbox.Outcome{
			Result: object{"n": 1}, Logs: []string{"12:00 | INFO | main | page 1"}, After: time.Minute,
		}})
		created := f.start("run_function", object{"function_id": id, "wait_seconds": 0})
		wants(t, created.object, object{"status": "working"})
		time.Sleep(2 * time.Minute)
		ended := f.task(created.str("taskId"))
		wants(t, ended, object{"status": "completed", "statusMessage": "Run closed", "lastUpdatedAt": "2000-01-01T00:01:00Z"})
		wants(t, ended["result"].(object)["structuredContent"].(object), object{"status": "closed", "ok": true, "result": object{"n": 1.0}})
	})
}

func TestJobThatEndsAtOnceIsNoTask(t *testing.T) {
	withTasks(t, func(t *testing.T, f *fixture) {
		f.notte.Script("q", sandbox.Delay(299*time.Millisecond), event("done", "total_cost_usd", 0.01))
		built := f.start("build_automation", object{"query": "q", "wait_seconds": 0})
		f.wants(built, false, object{"status": "done", "taskId": absent})
		refused := f.start("build_automation", object{"query": ""})
		f.wants(refused, true, object{"taskId": absent})
		if built.resultType != "complete" || refused.resultType != "complete" {
			t.Errorf("result types %q, %q", built.resultType, refused.resultType)
		}
		// tasks/get also works for a job that the call did not return as a task.
		wants(t, f.task(built.str("build_id")), object{"status": "completed"})
	})
}

func TestJobThatEndsBadlyIsACompletedTask(t *testing.T) {
	withTasks(t, func(t *testing.T, f *fixture) {
		f.notte.Script("q", sandbox.Delay(time.Minute), event("error", "error", "the page\x1b[31m is gone"))
		id := f.start("build_automation", object{"query": "q"}).str("taskId")
		time.Sleep(time.Hour)
		ended := f.task(id)
		wants(t, ended, object{"status": "completed", "statusMessage": "Build error: the page is gone", "error": absent})
		wants(t, ended["result"].(object), object{"resultType": "complete", "isError": true})
	})
}

func TestCancelTask(t *testing.T) {
	withTasks(t, func(t *testing.T, f *fixture) {
		f.notte.Script("q", event("function_uploaded", "function_id", "f-1", "function_name", "hn"), sandbox.Stall())
		id := f.start("build_automation", object{"query": "q"}).str("taskId")
		for range 2 { // the second finds it cancelled
			if found, err := f.server.Tasks.Cancel(t.Context(), id); !found || err != nil {
				t.Fatalf("cancelling: found %v, %v", found, err)
			}
		}
		cancelled := f.task(id)
		wants(t, cancelled, object{"status": "cancelled", "result": absent})
		for _, want := range []string{"Build cancelled", "may still finish the build and bill it", "Function created: hn (f-1)"} {
			if text := cancelled["statusMessage"].(string); !strings.Contains(text, want) {
				t.Errorf("statusMessage = %q, want it to say %q", text, want)
			}
		}
		if found, err := f.server.Tasks.Update(t.Context(), id, nil); !found || err != nil {
			t.Errorf("updating: found %v, %v", found, err)
		}
	})
}

func TestTasksAreTheirOwnersOnly(t *testing.T) {
	withTasks(t, func(t *testing.T, f *fixture) {
		f.notte.Script("q", sandbox.Stall())
		id := f.start("build_automation", object{"query": "q"}).str("taskId")
		owners := f.server
		for _, stranger := range []notte.APIKey{"sk-of-someone-else", ""} {
			f.serve(tools.Config{Account: always(f.client(stranger)), Tasks: true})
			for _, id := range []string{id, "build_x"} {
				_, got, getErr := f.server.Tasks.Get(t.Context(), id)
				updated, updateErr := f.server.Tasks.Update(t.Context(), id, nil)
				cancelled, cancelErr := f.server.Tasks.Cancel(t.Context(), id)
				if got || updated || cancelled || getErr != nil || updateErr != nil || cancelErr != nil {
					t.Errorf("with the key %q, %s: got %v %v, updated %v %v, cancelled %v %v", string(stranger), id,
						got, getErr, updated, updateErr, cancelled, cancelErr)
				}
			}
		}
		f.server = owners
		wants(t, f.task(id), object{"status": "working"})
	})
}

func TestTaskOnlyWhereDeclaredAndOn(t *testing.T) {
	inBubble(t, func(t *testing.T, f *fixture) {
		f.notte.Script("q", sandbox.Stall())
		for _, c := range []struct {
			why  string
			on   bool
			caps object
		}{
			{"off", false, takesTasks},
			{"undeclared", true, object{}},
			{"declared with no object", true, object{"extensions": object{"io.modelcontextprotocol/tasks": true}}},
			{"the tasks of 2025-11-25", true, object{"tasks": object{}}},
		} {
			f.serve(tools.Config{Account: always(f.client(key)), Tasks: c.on})
			start := time.Now()
			r := f.callModern(c.caps, "build_automation", object{"query": "q", "wait_seconds": 3})
			if took := time.Since(start); took < 3*time.Second || r.resultType != "complete" {
				t.Errorf("%s: answered after %v with the type %q, want 3s or a little more and complete", c.why, took, r.resultType)
			}
			f.wants(r, false, object{"status": "running", "taskId": absent})
			if told := f.discovers(); told != c.on {
				t.Errorf("%s: the extension is declared: %v", c.why, told)
			}
		}
		if r := f.start("list_builds", object{}); r.resultType != "complete" {
			t.Errorf("list_builds is answered with the type %q", r.resultType)
		}
		id := f.start("build_automation", object{"query": "q"}).str("taskId")
		f.wants(f.start("get_build", object{"build_id": id, "wait_seconds": 0}), false, object{"status": "running", "taskId": absent})
	})
}

// discovers reports whether server/discover lists the extension.
func (f *fixture) discovers() bool {
	f.t.Helper()
	var discovered struct {
		Capabilities struct{ Extensions object }
	}
	f.request(f.t.Context(), "server/discover", object{"_meta": object{
		"io.modelcontextprotocol/protocolVersion":    "2026-07-28",
		"io.modelcontextprotocol/clientCapabilities": object{},
	}}, &discovered)
	return reflect.DeepEqual(discovered.Capabilities.Extensions, takesTasks["extensions"])
}

func TestTasksAreNotDeclaredToLegacyClients(t *testing.T) {
	f := newFixture(t, key)
	f.serve(tools.Config{Account: always(f.client(key)), Tasks: true})
	if caps := f.initialize().Capabilities; len(caps.Extensions) != 0 || caps.Tasks != nil {
		t.Errorf("capabilities = %+v", caps)
	}
}

func TestTaskOutlivesItsServer(t *testing.T) {
	withTasks(t, func(t *testing.T, f *fixture) {
		store := newStore(t)
		f.notte.Script("q", event("function_uploaded", "function_id", "f-1"), sandbox.Stall())
		f.jobs = f.newManager(store)
		f.serve(tools.Config{Account: always(f.client(key)), Tasks: true})
		id := f.start("build_automation", object{"query": "q"}).str("taskId")
		if err := f.jobs.Stop(t.Context()); err != nil {
			t.Fatal(err)
		}
		f.jobs = f.newManager(store)
		f.serve(tools.Config{Account: always(f.client(key)), Tasks: true})
		ended := f.task(id)
		wants(t, ended, object{"status": "completed"})
		wants(t, ended["result"].(object), object{"isError": true})
		wants(t, ended["result"].(object)["structuredContent"].(object), object{"status": "interrupted", "function_id": "f-1"})
	})
}
