package tools_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/anything-mcp/anything-mcp/notte/sandbox"
)

func TestListBuilds(t *testing.T) {
	inBubble(t, func(t *testing.T, f *fixture) {
		for i := range 25 {
			query := fmt.Sprintf("query %02d %s", i, strings.Repeat("x", 100))
			f.notte.Script(query, event("function_uploaded", "function_id", fmt.Sprint("f", i), "function_name", "n"),
				event("done", "total_cost_usd", 0.1))
			f.call("build_automation", object{"query": query})
			time.Sleep(time.Minute)
		}
		f.notte.Script("bad", sandbox.Cut())
		f.call("build_automation", object{"query": "bad"})

		first := f.call("list_builds", object{})
		f.wants(first, false, object{"spent_today_usd": 2.5, "spent_30_days_usd": 2.5, "unknown_costs_30_days": 1.0})
		builds := first.object["builds"].([]any)
		if len(builds) != 20 {
			t.Fatalf("%d builds on the first page, want 20", len(builds))
		}
		newest, next := builds[0].(object), builds[1].(object)
		if newest["status"] != "interrupted" || newest["total_cost_usd"] != nil {
			t.Errorf("the newest is %v", newest)
		}
		if next["function_id"] != "f24" || next["total_cost_usd"] != 0.1 || len([]rune(next["query"].(string))) != 80 {
			t.Errorf("the one before it is %v", next)
		}
		if n := len(first.text); n > 20*350 {
			t.Errorf("20 builds take %d bytes", n)
		}
		rest := f.call("list_builds", object{"cursor": first.str("next_cursor")})
		if builds := rest.object["builds"].([]any); len(builds) != 6 || rest.str("next_cursor") != "" || builds[5].(object)["function_id"] != "f0" {
			t.Errorf("the second page is %s", rest.text)
		}
		done := f.call("list_builds", object{"status": "done", "limit": 1})
		if builds := done.object["builds"].([]any); len(builds) != 1 || builds[0].(object)["function_id"] != "f24" {
			t.Errorf("one that is done: %s", done.text)
		}
	})
}

func TestListRuns(t *testing.T) {
	inBubble(t, func(t *testing.T, f *fixture) {
		f.wants(f.call("list_runs", nil), false, object{"runs": []any{}})
		f.runOf(sandbox.Outcome{Result: 1}, object{})
		second := f.runOf(sandbox.Outcome{Result: "Script execution failed: x"}, object{})
		all := f.call("list_runs", object{}).object["runs"].([]any)
		if len(all) != 2 {
			t.Fatalf("%d runs", len(all))
		}
		one := f.call("list_runs", object{"function_id": second.str("function_id")}).object["runs"].([]any)
		if len(one) != 1 || one[0].(object)["run_id"] != second.str("run_id") || one[0].(object)["ok"] != false {
			t.Errorf("runs of one function: %v", one)
		}
	})
}

func TestCandidates(t *testing.T) {
	inBubble(t, func(t *testing.T, f *fixture) {
		f.notte.AddFunction(sandbox.Function{ID: "old", Name: "before"})
		time.Sleep(time.Hour)
		f.notte.Script("other", event("function_uploaded", "function_id", "taken", "function_name", "t"), event("done"))
		f.notte.Script("cut", sandbox.Delay(time.Minute), sandbox.Cut())
		id := f.call("build_automation", object{"query": "cut", "wait_seconds": 0}).str("build_id")
		f.notte.AddFunction(sandbox.Function{ID: "taken", Name: "another's"})
		f.call("build_automation", object{"query": "other"})
		f.notte.AddFunction(sandbox.Function{ID: "maybe", Name: "the\x1b[31m one"})
		time.Sleep(2 * time.Minute)
		r := f.call("get_build", object{"build_id": id})
		f.wants(r, true, object{"status": "interrupted", "function_id": absent})
		candidates, _ := r.object["candidates"].([]any)
		if len(candidates) != 1 || candidates[0].(object)["function_id"] != "maybe" || candidates[0].(object)["name"] != "the one" {
			t.Errorf("candidates = %v", r.object["candidates"])
		}
		if !strings.Contains(r.str("next_step"), "may be its function") {
			t.Errorf("next_step = %q", r.str("next_step"))
		}
		starts := 0
		for _, q := range f.notte.Requests() {
			if q.Path == "/api/anything/start" {
				starts++
			}
		}
		if starts != 2 {
			t.Errorf("%d starts, want 2", starts)
		}
	})
}
