package tools_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/anything-mcp/anything-mcp/jobs"
	"github.com/anything-mcp/anything-mcp/notte"
	"github.com/anything-mcp/anything-mcp/notte/sandbox"
	"github.com/anything-mcp/anything-mcp/progress"
	"github.com/anything-mcp/anything-mcp/tools"
)

// withApps runs a test with a server that shows the build monitor, and that returns a
// finished build for a quarter of an hour.
func withApps(t *testing.T, test func(*testing.T, *fixture)) {
	t.Helper()
	inBubble(t, func(t *testing.T, f *fixture) {
		f.jobs = jobs.NewManager(newStore(t), jobs.Options{Logger: f.logger(), ReuseWindow: 15 * time.Minute})
		t.Cleanup(func() { f.jobs.Stop(context.Background()) })
		f.serve(tools.Config{Account: always(f.client(key)), Apps: true})
		test(t, f)
	})
}

// entries returns the entries of an answer of follow_job, each as one line.
func entries(r result) (lines []string) {
	all, _ := r.object["entries"].([]any)
	for _, one := range all {
		e, _ := one.(object)
		lines = append(lines, fmt.Sprint(e["at"], " ", e["type"], " ", e["text"]))
	}
	return lines
}

func wantEntries(t *testing.T, r result, want ...string) {
	t.Helper()
	if got, want := strings.Join(entries(r), "\n"), strings.Join(want, "\n"); got != want {
		t.Errorf("entries:\n%s\nwant:\n%s", got, want)
	}
}

func TestFollowABuild(t *testing.T) {
	withApps(t, func(t *testing.T, f *fixture) {
		f.notte.Script("q", event("status", "status", "running"), event("notte_session_data", "viewer_url", "https://v.test/?token=s3cret"),
			event("thinking_delta", "delta", "I look at "), event("thinking_delta", "delta", "the page\u202e."),
			event("tool_start", "name", "goto\x1b[31m"), sandbox.Delay(30*time.Second),
			event("text_delta", "delta", "Three new"), sandbox.Delay(time.Second),
			event("text_delta", "delta", ":\n1. a"), event("function_uploaded", "function_id", "f-1", "function_name", "hn"),
			sandbox.Delay(9*time.Second), event("done", "total_cost_usd", 0.43))
		none := f.call("follow_job", object{"query": "q", "wait_seconds": 3})
		f.wants(none, false, object{"job": absent, "entries": []any{}, "next": 0.0, "more": absent, "simulated": absent})

		id := f.call("build_automation", object{"query": "q", "wait_seconds": 1}).str("build_id")
		byQuery := f.call("follow_job", object{"query": " q\n"})
		wantEntries(t, byQuery, "0 status running", "0 notte_session_data <nil>", "0 thinking I look at the page.", "0 tool_start goto")
		job, _ := byQuery.object["job"].(object)
		wants(t, job, object{"build_id": id, "status": "running", "viewer_url": "https://v.test/?token=s3cret"})
		if strings.Contains(fmt.Sprint(byQuery.object["entries"]), "s3cret") {
			t.Errorf("the viewer's token is in the entries: %v", byQuery.object["entries"])
		}
		build := f.call("get_build", object{"build_id": id, "wait_seconds": 0})
		if got, want := mustJSON(t, job), mustJSON(t, build.object); got != want {
			t.Errorf("job:\n%s\nget_build:\n%s", got, want)
		}

		start := time.Now()
		quiet := f.call("follow_job", object{"job_id": id, "after": byQuery.object["next"], "wait_seconds": 5})
		if took := time.Since(start); took != 5*time.Second {
			t.Errorf("a quiet build was followed for %v, want 5s", took)
		}
		f.wants(quiet, false, object{"entries": []any{}, "next": byQuery.object["next"]})
		text := f.call("follow_job", object{"job_id": id, "after": quiet.object["next"], "wait_seconds": 99})
		if took := time.Since(start); took != 25*time.Second {
			t.Errorf("a call waits for %v, want 20s at most", took-5*time.Second)
		}
		text = f.call("follow_job", object{"job_id": id, "after": text.object["next"], "wait_seconds": 20})
		wantEntries(t, text, "30.2 text Three new")
		time.Sleep(2 * time.Second)
		text = f.call("follow_job", object{"job_id": id, "after": text.object["next"], "wait_seconds": 20})
		wantEntries(t, text, "31 text :\n1. a", "31 function_uploaded hn")
		ended := f.call("follow_job", object{"job_id": id, "after": text.object["next"], "wait_seconds": 20})
		wantEntries(t, ended, "40 done <nil>")
		wants(t, ended.object["job"].(object), object{"status": "done", "total_cost_usd": 0.43, "viewer_url": absent})
		after := f.call("follow_job", object{"job_id": id, "after": ended.object["next"], "wait_seconds": 20})
		f.wants(after, false, object{"entries": []any{}, "next": ended.object["next"]})

		whole := f.call("follow_job", object{"query": "q"})
		wantEntries(t, whole, "0 status running", "0 notte_session_data <nil>", "0 thinking I look at the page.", "0 tool_start goto",
			"30.2 text Three new:\n1. a", "31 function_uploaded hn", "40 done <nil>")
		time.Sleep(15 * time.Minute)
		f.wants(f.call("follow_job", object{"query": "q"}), false, object{"job": absent, "entries": []any{}})
		f.wants(f.call("follow_job", object{"job_id": id}), false, object{"job": ended.object["job"]})
	})
}

func mustJSON(t testing.TB, v any) string {
	t.Helper()
	raw, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return string(raw)
}

// A call that has nothing to return yet returns as soon as the build is there.
func TestFollowWaitsForTheBuild(t *testing.T) {
	withApps(t, func(t *testing.T, f *fixture) {
		f.notte.Script("q", event("status", "status", "running"), sandbox.Delay(time.Minute), event("done"))
		time.AfterFunc(3*time.Second, func() { f.call("build_automation", object{"query": "q", "wait_seconds": 0}) })
		start := time.Now()
		r := f.call("follow_job", object{"query": "q", "wait_seconds": 20})
		if took := time.Since(start); took > 4*time.Second {
			t.Errorf("returned after %v", took)
		}
		if r.object["job"] == nil {
			t.Errorf("no job: %s", r.text)
		}
	})
}

func TestFollowARun(t *testing.T) {
	withApps(t, func(t *testing.T, f *fixture) {
		id := f.notte.AddFunction(sandbox.Function{Name: "f", Run: &sandbox.Outcome{Result: object{"a": 1}, Logs: []string{"one", "two"}, After: 3 * time.Second}})
		sink := newSink()
		ctx := progress.WithSink(t.Context(), sink)
		run := f.call("run_function", object{"function_id": id, "wait_seconds": 0})
		var r result
		var lines []string
		for next := any(0); r.object == nil || r.object["job"].(object)["status"] == "running"; next = r.object["next"] {
			r = f.callContext(ctx, "follow_job", object{"job_id": run.str("run_id"), "after": next, "wait_seconds": 20})
			lines = append(lines, entries(r)...)
		}
		got := strings.Join(lines, "\n")
		for _, want := range []string{" log one", " log two", " result <nil>"} {
			if !strings.Contains(got, want) {
				t.Errorf("the entries lack %q:\n%s", want, got)
			}
		}
		wants(t, r.object["job"].(object), object{"run_id": run.str("run_id"), "status": "closed", "ok": true, "result": object{"a": 1.0}})
		sink.want(t) // no progress, although the calls have a token
	})
}

// A build whose outcome is unknown has its candidates in the job, and a failure is no
// failure of the call.
func TestFollowAnInterruptedBuild(t *testing.T) {
	withApps(t, func(t *testing.T, f *fixture) {
		f.notte.Script("q", sandbox.Delay(time.Minute), sandbox.Cut())
		id := f.call("build_automation", object{"query": "q", "wait_seconds": 0}).str("build_id")
		time.Sleep(30 * time.Second)
		function := f.notte.AddFunction(sandbox.Function{Name: "hn", Source: "anything"})
		time.Sleep(time.Hour)
		r := f.call("follow_job", object{"job_id": id})
		f.wants(r, false, object{"more": absent})
		job, _ := r.object["job"].(object)
		wants(t, job, object{"status": "interrupted"})
		if !strings.Contains(mustJSON(t, job["candidates"]), function) {
			t.Errorf("the job has no candidates: %v", job)
		}
	})
}

func TestFollowRefusals(t *testing.T) {
	withApps(t, func(t *testing.T, f *fixture) {
		f.notte.Script("q", event("done"))
		id := f.call("build_automation", object{"query": "q"}).str("build_id")
		function := f.notte.AddFunction(sandbox.Function{Name: "f", Run: &sandbox.Outcome{Result: 1}})
		run := f.call("run_function", object{"function_id": function}).str("run_id")
		for other, args := range map[string]object{
			"get_build": {"build_id": "build_f73tdufmcx5uhpgf7zgqi7gnss"},
			"get_run":   {"run_id": "run_f73tdufmcx5uhpgf7zgqi7gnss"},
		} {
			for _, unknown := range args {
				f.sameSentence(object{"job_id": unknown}, other, args)
			}
		}
		f.sameSentence(object{"job_id": "hn"}, "get_build", object{"build_id": "hn"})
		r := f.call("follow_job", object{})
		f.wants(r, true, nil)
		if !strings.Contains(r.text, "job_id must be a build_id or run_id") {
			t.Errorf("without arguments: %q", r.text)
		}
		r = f.call("follow_job", object{"job_id": id, "after": -1})
		f.wants(r, true, nil)
		if want := "after must be the next of the answer before: it is the number -1."; r.text != want {
			t.Errorf("%q, want %q", r.text, want)
		}
		f.serve(tools.Config{Account: always(f.client("sk-test-another-key")), Apps: true})
		f.sameSentence(object{"job_id": id}, "get_build", object{"build_id": id})
		f.sameSentence(object{"job_id": run}, "get_run", object{"run_id": run})
		f.wants(f.call("follow_job", object{"query": "q"}), false, object{"job": absent})
	})
}

// sameSentence checks that follow_job refuses arguments with the sentence with which
// another tool refuses its own.
func (f *fixture) sameSentence(args object, tool string, other object) {
	f.t.Helper()
	got, want := f.call("follow_job", args), f.call(tool, other)
	if !got.isError || !want.isError || got.text != want.text {
		f.t.Errorf("follow_job(%v): isError %v, %q\n%s(%v): isError %v, %q", args, got.isError, got.text, tool, other, want.isError, want.text)
	}
}

// However much has happened, an answer is bounded, and the answers together have all.
func TestFollowIsBounded(t *testing.T) {
	quotes := 300
	if testing.Short() {
		quotes = 60 // each answer has the whole text
	}
	for name, steps := range map[string][]sandbox.Step{
		"many":   {sandbox.Repeat(1000, event("tool_start", "name", "goto"))},
		"large":  {sandbox.Repeat(100, event("status", "status", strings.Repeat("\"é\\", 700)))},
		"text":   {sandbox.Repeat(quotes, event("text_delta", "delta", strings.Repeat("\"", 1000)), event("thinking_delta", "delta", "x"))},
		"merged": {sandbox.Repeat(300, event("text_delta", "delta", strings.Repeat("ab ", 100)), sandbox.Delay(time.Second))},
	} {
		t.Run(name, func(t *testing.T) {
			withApps(t, func(t *testing.T, f *fixture) {
				f.notte.Script("q", append(steps, event("done"))...)
				id := f.call("build_automation", object{"query": "q", "wait_seconds": 3600}).str("build_id")
				count, last := 0, 0.0
				for r := (result{object: object{"more": true, "next": 0.0}}); r.object["more"] == true; {
					r = f.call("follow_job", object{"job_id": id, "after": r.object["next"]})
					job := mustJSON(t, r.object["job"])
					n, size := len(entries(r)), len(r.text)+len(mustJSON(t, r.text))
					if n > 200 || size > 64<<10 && size > 3*len(job)+(16<<10) {
						t.Errorf("an answer has %d entries and %d bytes, with a job of %d bytes", n, size, len(job))
					}
					if n == 0 {
						t.Fatal("an answer says that there is more, and has nothing")
					}
					for _, one := range r.object["entries"].([]any) {
						e := one.(object)
						if seq := e["seq"].(float64); seq <= last {
							t.Fatalf("entry %v comes after entry %v", seq, last)
						}
						last = e["seq"].(float64)
						if text, _ := e["text"].(string); utf8.RuneCountInString(text) > 2000 {
							t.Errorf("a text has %d characters", utf8.RuneCountInString(text))
						}
					}
					count += n
				}
				t.Logf("%d entries", count)
				if wanted := map[string]int{"many": 1001, "large": 101}[name]; wanted > 0 && count != wanted {
					t.Errorf("%d entries, want %d", count, wanted)
				}
			})
		})
	}
}

// A client that leaves ends its wait, for a build that is there and for one that is
// not, and the server that stops ends it too.
func TestFollowEndsWithItsCaller(t *testing.T) {
	withApps(t, func(t *testing.T, f *fixture) {
		f.notte.Script("q", sandbox.Delay(time.Hour), event("done"))
		id := f.call("build_automation", object{"query": "q", "wait_seconds": 0}).str("build_id")
		for _, args := range []object{{"job_id": id, "after": 99, "wait_seconds": 20}, {"query": "other", "wait_seconds": 20}} {
			ctx, leave := context.WithCancelCause(t.Context())
			time.AfterFunc(time.Second, func() { leave(errors.New("left")) })
			start := time.Now()
			f.callContext(ctx, "follow_job", args)
			if took := time.Since(start); took != time.Second {
				t.Errorf("follow_job(%v) ended after %v, want 1s", args, took)
			}
		}
		time.AfterFunc(time.Second, func() { f.jobs.Stop(context.Background()) })
		r := f.call("follow_job", object{"job_id": id, "after": 99, "wait_seconds": 20})
		wants(t, r.object["job"].(object), object{"status": "interrupted"})
	})
}

// While a host waits with a call of its own, a page that follows the job does not make
// the host's next call return at once.
func TestFollowIsNoWait(t *testing.T) {
	withApps(t, func(t *testing.T, f *fixture) {
		f.notte.Script("q", sandbox.Delay(time.Hour), event("done"))
		id := f.call("build_automation", object{"query": "q", "wait_seconds": 0}).str("build_id")
		ctx, leave := context.WithCancel(t.Context())
		time.AfterFunc(time.Second, leave)
		f.callContext(ctx, "follow_job", object{"job_id": id, "after": 99, "wait_seconds": 20})
		start := time.Now()
		f.call("get_build", object{"build_id": id})
		if took := time.Since(start); took != tools.DefaultWait {
			t.Errorf("get_build waited %v, want %v", took, tools.DefaultWait)
		}
	})
}

// A person's page calls a tool without MCP.
func TestCallForAPage(t *testing.T) {
	inBubble(t, func(t *testing.T, f *fixture) { // without MCP Apps
		f.notte.Script("q", event("done"))
		id := f.call("build_automation", object{"query": "q"}).str("build_id")
		got, found := f.server.Call(t.Context(), "follow_job", json.RawMessage(`{"job_id":"`+id+`"}`))
		if !found || got.IsError || !strings.Contains(mustJSON(t, got), `"status":"done"`) {
			t.Errorf("found %v, %s", found, mustJSON(t, got))
		}
		if _, found := f.server.Call(t.Context(), "unknown", nil); found {
			t.Error("an unknown tool is found")
		}
		f.serve(tools.Config{Account: func(context.Context) (*notte.Client, error) { return f.client(""), nil }})
		got, _ = f.server.Call(t.Context(), "follow_job", json.RawMessage(`{"query":"q"}`))
		if !got.IsError || !strings.Contains(mustJSON(t, got), noKeyAdvice) {
			t.Errorf("without a key: %s", mustJSON(t, got))
		}
	})
}
