package tools_test

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/anything-mcp/anything-mcp/notte/sandbox"
)

// runOf runs a function that comes to outcome.
func (f *fixture) runOf(outcome sandbox.Outcome, args object) result {
	f.t.Helper()
	args["function_id"] = f.notte.AddFunction(sandbox.Function{
		Name: "f", Run: &outcome, Variables: []sandbox.Variable{{Name: "count", Type: "int", Default: new("1")}},
	})
	return f.call("run_function", args)
}

func TestRunToTheEnd(t *testing.T) {
	inBubble(t, func(t *testing.T, f *fixture) {
		var logs []string
		for range 30 {
			logs = append(logs, "12:00:00 | \x1b[32mINFO\x1b[0m | main | hello")
		}
		r := f.runOf(sandbox.Outcome{Result: object{"posts": []int{1, 2}}, Logs: logs, After: 2 * time.Second},
			object{"variables": object{"count": "3"}})
		f.wants(r, false, object{"status": "closed", "ok": true, "result": object{"posts": []any{1.0, 2.0}}, "result_bytes": 15.0,
			"result_truncated": absent, "error": absent, "elapsed_seconds": 2.0})
		if r.str("run_id") == "" || r.str("function_run_id") == "" || r.str("session_id") == "" {
			t.Errorf("IDs are missing: %s", r.text)
		}
		lines, _ := r.object["logs"].([]any)
		if len(lines) != 20 || strings.Contains(r.text, "\\u001b") {
			t.Errorf("%d lines of log in %s", len(lines), r.text)
		}
		last := f.notte.Requests()
		if body := string(last[len(last)-1].Body); !strings.Contains(body, `"count":"3"`) {
			t.Errorf("the variables did not arrive: %s", body)
		}
	})
}

func TestRunFailures(t *testing.T) {
	trace := "Script execution failed: Traceback (most recent call last):\n  File \"main.py\", line 3\nValueError: no button"
	for _, c := range []struct {
		why     string
		outcome sandbox.Outcome
		fields  object
		says    string
	}{
		{"closed with a traceback", sandbox.Outcome{Result: trace}, object{"status": "closed", "ok": false}, "no button"},
		{"failed", sandbox.Outcome{Status: "failed", Result: "out of memory"}, object{"status": "failed", "ok": false}, "out of memory"},
	} {
		t.Run(c.why, func(t *testing.T) {
			inBubble(t, func(t *testing.T, f *fixture) {
				r := f.runOf(c.outcome, object{})
				f.wants(r, true, c.fields)
				if !strings.Contains(r.str("error"), c.says) {
					t.Errorf("error = %q, want it to say %q", r.str("error"), c.says)
				}
			})
		})
	}
}

func TestRunLongerThanTheCall(t *testing.T) {
	inBubble(t, func(t *testing.T, f *fixture) {
		r := f.runOf(sandbox.Outcome{Result: 1, After: 3 * time.Minute}, object{})
		f.wants(r, false, object{"status": "running", "ok": absent})
		if !strings.Contains(r.str("next_step"), "get_run") {
			t.Errorf("next_step = %q", r.str("next_step"))
		}
		f.wants(f.call("get_run", object{"run_id": r.str("run_id"), "wait_seconds": 600}), false, object{"status": "closed", "ok": true, "result": 1.0})
	})
}

func TestCancelRun(t *testing.T) {
	inBubble(t, func(t *testing.T, f *fixture) {
		r := f.runOf(sandbox.Outcome{After: -1}, object{"wait_seconds": 1})
		f.wants(f.call("cancel_run", object{"run_id": r.str("run_id")}), false, object{"status": "cancelled", "ok": false})
		f.wants(f.call("get_build", object{"build_id": r.str("run_id")}), true, nil)
	})
}

func TestLongResultInPages(t *testing.T) {
	inBubble(t, func(t *testing.T, f *fixture) {
		whole := []string{strings.Repeat("é€𝄞\"\\", 12_345), strings.Repeat("<&>", 9_876)}
		r := f.runOf(sandbox.Outcome{Result: whole}, object{})
		f.wants(r, false, object{"ok": true, "result_truncated": true})
		pages, id := r.str("result"), r.str("run_id")
		if len(pages) > 60_000 {
			t.Errorf("the preview has %d bytes", len(pages))
		}
		for r.object["result_truncated"] == true {
			r = f.call("get_run", object{"run_id": id, "offset": len(pages)})
			pages += r.str("result")
		}
		var got []string
		if err := json.Unmarshal([]byte(pages), &got); err != nil || len(got) != 2 || got[0] != whole[0] || got[1] != whole[1] {
			t.Errorf("the pages do not make up the result: %v, %d bytes", err, len(pages))
		}
		if r.object["result_bytes"] != float64(len(pages)) {
			t.Errorf("result_bytes = %v, want %d", r.object["result_bytes"], len(pages))
		}
		f.wants(f.call("get_run", object{"run_id": id, "offset": len(pages)}), true, nil)
	})
}
