package tools_test

import (
	"strings"
	"testing"
	"time"

	"github.com/anything-mcp/anything-mcp/notte/sandbox"
	"github.com/anything-mcp/anything-mcp/tools"
)

func TestBuildToTheEnd(t *testing.T) {
	inBubble(t, func(t *testing.T, f *fixture) {
		f.notte.Script("q",
			event("status", "status", "running"),
			event("notte_session_data", "viewer_url", "https://v.test/?token=s3cret"),
			event("tool_start", "name", "goto\x1b[31m"), sandbox.Delay(30*time.Second),
			event("text_delta", "delta", "Top 3:\n1. \x1b]0;x\x07a"),
			event("function_uploaded", "function_id", "f-1", "function_name", "hn"),
			event("done", "total_cost_usd", 0.43, "function_id", "f-1", "metadata", object{"thread_id": "t-1"}),
		)
		f.wants(f.call("build_automation", object{"query": " q "}), false, object{
			"status": "done", "query": "q", "function_id": "f-1", "function_name": "hn", "total_cost_usd": 0.43,
			"thread_id": "t-1", "answer": "Top 3:\n1. a", "steps": []any{"goto"}, "elapsed_seconds": 30.0,
			"viewer_url": absent, "joined": absent, "error": absent, "started_at": "2000-01-01T00:00:00Z",
		})
		if !strings.Contains(f.log.String(), "cost_usd=0.43") {
			t.Errorf("the call's line in the log lacks its cost:\n%s", f.log)
		}
	})
}

func TestBuildLongerThanTheCall(t *testing.T) {
	inBubble(t, func(t *testing.T, f *fixture) {
		f.notte.Script("q", event("notte_session_data", "viewer_url", "https://v.test/?token=s3cret"),
			sandbox.Delay(4*time.Minute), event("done"))
		start := time.Now()
		running := f.call("build_automation", object{"query": "q"})
		if took := time.Since(start); took != tools.DefaultWait {
			t.Errorf("returned after %v, want %v", took, tools.DefaultWait)
		}
		f.wants(running, false, object{"status": "running", "viewer_url": "https://v.test/?token=s3cret", "total_cost_usd": absent})
		if !strings.Contains(running.str("next_step"), "get_build") {
			t.Errorf("next_step = %q", running.str("next_step"))
		}
		again := f.call("build_automation", object{"query": "q", "wait_seconds": 0})
		f.wants(again, false, object{"status": "running", "joined": true, "build_id": running.str("build_id")})
		f.wants(f.call("get_build", object{"build_id": running.str("build_id"), "wait_seconds": 3600}), false,
			object{"status": "done", "total_cost_usd": nil, "elapsed_seconds": 240.0})
		if n := len(f.notte.Requests()); n != 1 {
			t.Errorf("%d requests went to Notte, want 1", n)
		}
	})
}

func TestBuildFailures(t *testing.T) {
	uploaded := event("function_uploaded", "function_id", "f-1", "function_name", "n")
	for _, c := range []struct {
		why    string
		steps  []sandbox.Step
		fields object
		next   string
	}{
		{"error", []sandbox.Step{event("error", "error", "E", "detail", "D")},
			object{"status": "error", "error": "E", "detail": "D", "total_cost_usd": nil, "function_id": absent}, "billed again"},
		{"timeout", []sandbox.Step{event("timeout", "reason", "R", "detail", "D")},
			object{"status": "timeout", "reason": "R", "detail": "D"}, "billed again"},
		{"cancelled", []sandbox.Step{event("cancelled", "reason", "R")},
			object{"status": "cancelled", "reason": "R"}, "only if the user asks"},
		{"cut after the function was made", []sandbox.Step{uploaded, sandbox.Cut()},
			object{"status": "interrupted", "function_id": "f-1", "total_cost_usd": nil}, "run_function"},
		{"cut before", []sandbox.Step{sandbox.Cut()},
			object{"status": "interrupted", "function_id": absent, "total_cost_usd": nil}, "not known"},
		{"401", []sandbox.Step{sandbox.Status(401, "application/json", `{"detail":"bad key `+key+`"}`)},
			object{"status": "error"}, ""},
	} {
		t.Run(c.why, func(t *testing.T) {
			inBubble(t, func(t *testing.T, f *fixture) {
				f.notte.Script("q", c.steps...)
				r := f.call("build_automation", object{"query": "q"})
				f.wants(r, true, c.fields)
				if !strings.Contains(r.str("next_step"), c.next) {
					t.Errorf("next_step = %q, want it to speak of %q", r.str("next_step"), c.next)
				}
			})
		})
	}
}

func TestCancelBuild(t *testing.T) {
	inBubble(t, func(t *testing.T, f *fixture) {
		f.notte.Script("q", sandbox.Stall())
		id := f.call("build_automation", object{"query": "q", "wait_seconds": 1}).str("build_id")
		f.wants(f.call("cancel_build", object{"build_id": id}), false, object{"status": "cancelled", "build_id": id})
		f.wants(f.call("cancel_build", object{"build_id": id}), false, object{"status": "cancelled"})
		f.wants(f.call("get_build", object{"build_id": id}), true, object{"status": "cancelled"})
	})
}

func TestRefusedBuild(t *testing.T) {
	inBubble(t, func(t *testing.T, f *fixture) {
		for _, query := range []string{"a", "b"} {
			f.notte.Script(query, sandbox.Stall())
			f.wants(f.call("build_automation", object{"query": query, "wait_seconds": 1}), false, object{"status": "running"})
		}
		r := f.call("build_automation", object{"query": "c"})
		if !r.isError || !strings.HasPrefix(r.text, "Nothing was started: ") || !strings.HasSuffix(r.text, limitAdvice) {
			t.Errorf("over the limit: isError %v, %q", r.isError, r.text)
		}
		if err := f.jobs.Stop(t.Context()); err != nil {
			t.Fatal(err)
		}
		r = f.call("build_automation", object{"query": "c"})
		if !r.isError || !strings.Contains(r.text, "is stopping") || !strings.Contains(r.text, "nothing was started") {
			t.Errorf("from a server that stops: isError %v, %q", r.isError, r.text)
		}
		if n := len(f.notte.Requests()); n != 2 {
			t.Errorf("%d requests went to Notte, want 2", n)
		}
	})
}

func TestLongAnswer(t *testing.T) {
	inBubble(t, func(t *testing.T, f *fixture) {
		f.notte.Script("q", event("text_delta", "delta", strings.Repeat("é", 35_000)), event("done"))
		answer := f.call("build_automation", object{"query": "q"}).str("answer")
		if want := strings.Repeat("é", 30_000) + " [… 10000 more bytes left out]"; answer != want {
			t.Errorf("the answer has %d bytes and ends in %q", len(answer), answer[len(answer)-40:])
		}
	})
}
