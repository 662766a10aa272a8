package tools_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/anything-mcp/anything-mcp/jobs"
	"github.com/anything-mcp/anything-mcp/notte/sandbox"
	"github.com/anything-mcp/anything-mcp/progress"
	"github.com/anything-mcp/anything-mcp/tools"
)

// lister adds a function whose runs come to outcome, and which takes two variables.
func (f *fixture) lister(outcome sandbox.Outcome) (id string) {
	return f.notte.AddFunction(sandbox.Function{Name: "lister", Run: &outcome, Variables: []sandbox.Variable{
		{Name: "n", Type: "int"}, {Name: "lang", Type: "str", Default: new("'en'")},
	}})
}

func numbers(n int) (items []object) {
	for i := range n {
		items = append(items, object{"n": i})
	}
	return items
}

// runStarts counts the runs that Notte was asked to create.
func (f *fixture) runStarts() (n int) {
	for _, r := range f.notte.Requests() {
		if strings.HasSuffix(r.Path, "/runs/create") {
			n++
		}
	}
	return n
}

func TestBatchToTheEnd(t *testing.T) {
	inBubble(t, func(t *testing.T, f *fixture) {
		id := f.lister(sandbox.Outcome{Result: object{"ok": 1}, After: 10 * time.Second})
		sink := newSink()
		r := f.callContext(progress.WithSink(t.Context(), sink), "run_batch", object{
			"function_id": id, "items": []any{object{"n": 0}, `{"n":"1","lang":"fr"}`, object{"n": 2}, object{"n": 3}},
			"variables": object{"lang": "de"}, "concurrency": 2, "wait_seconds": 600,
		})
		f.wants(r, false, object{"status": "closed", "ok": true, "total": 4.0, "succeeded": 4.0, "failed": 0.0, "not_started": 0.0, "joined": absent,
			"result_uri": "batch://" + r.str("batch_id") + "/results", "elapsed_seconds": 20.0})
		results, _ := r.object["results"].([]any)
		for i, one := range results {
			wants(t, one.(object), object{"index": float64(i), "status": "closed", "ok": true, "result": object{"ok": 1.0}})
		}
		if len(results) != 4 {
			t.Errorf("%d results: %s", len(results), r.text)
		}
		var sent []string
		for _, r := range f.notte.Requests() {
			if i := bytes.Index(r.Body, []byte(`"variables":`)); i >= 0 {
				sent = append(sent, string(r.Body[i:]))
			}
		}
		if all := strings.Join(sent, "\n"); len(sent) != 4 || !strings.Contains(all, `{"lang":"de","n":0}`) || !strings.Contains(all, `{"lang":"fr","n":"1"}`) {
			t.Errorf("the runs got\n%s", all)
		}
		last := -1.0
		for _, u := range sink.updates {
			if u.Done <= last || u.Total != 4 || u.Done > 4 {
				t.Errorf("after %v comes %+v", last, u)
			}
			last = u.Done
		}
		if all := strings.Join(sink.lines, "\n"); last < 2 || !strings.Contains(all, "2 of 4 done, 2 running") {
			t.Errorf("progress ends at %v of 4:\n%s", last, all)
		}
		f.wants(f.call("get_run", object{"run_id": r.str("batch_id"), "offset": 3}), false, object{"run_id": r.str("batch_id"), "status": "closed"})
		part := f.call("get_run", object{"run_id": r.str("batch_id"), "offset": 1, "limit": 2})
		if some, _ := part.object["results"].([]any); len(some) != 2 || !strings.Contains(part.str("next_step"), "items 1 to 2 of 4; for those after them call get_run with this batch_id as run_id and offset 3") {
			t.Errorf("two results: %s", part.text)
		}
		f.wants(f.call("get_run", object{"run_id": r.str("batch_id"), "path": "/0"}), true, nil)
		lines := strings.Split(strings.TrimSpace(f.readAs("application/jsonl", r.str("result_uri"))), "\n")
		if len(lines) != 4 || !strings.HasPrefix(lines[3], `{"index":3,"run_id":"run_`) {
			t.Errorf("the resource is %q", lines)
		}
		if got := f.listed(); len(got) != 1 || got[0] != r.str("result_uri") {
			t.Errorf("the listed resources are %v", got)
		}
		runs, _ := f.call("list_runs", object{}).object["runs"].([]any)
		if len(runs) != 1 || runs[0].(object)["batch_id"] != r.str("batch_id") {
			t.Errorf("the list has %v", runs)
		}
	})
}

// Wrong items are refused before anything starts, and are named by their index.
func TestBadBatches(t *testing.T) {
	inBubble(t, func(t *testing.T, f *fixture) {
		id := f.lister(sandbox.Outcome{})
		large := object{"n": 1, "lang": strings.Repeat("x", 257<<10)}
		for why, c := range map[string]struct {
			args object
			says []string
		}{
			"no function":     {object{"items": numbers(2)}, []string{"function_id", "missing"}},
			"not at Notte":    {object{"function_id": "00000000-0000-4000-8000-000000000000", "items": numbers(2)}, []string{"The account has no function with the ID 00000000-0000-4000-8000-000000000000: find_functions"}},
			"no items":        {object{"function_id": id}, []string{"items", "there are none"}},
			"an empty list":   {object{"function_id": id, "items": []any{}}, []string{"there are none"}},
			"no list":         {object{"function_id": id, "items": object{"n": 1}}, []string{"items must be", "list of JSON objects", "an object with 1 member"}},
			"no object":       {object{"function_id": id, "items": []any{object{"n": 1}, 7}}, []string{"element 1 is the number 7"}},
			"wrong variables": {object{"function_id": id, "items": []any{object{"n": 1}, object{}, object{"n": "x"}, object{"n": 1, "cuont": 2}}}, []string{"items[1]: n is missing", "items[2]: n must be a whole number", `items[3]: there is no variable "cuont"`, "takes n: integer"}},
			"all wrong":       {object{"function_id": id, "items": make([]object, 40)}, []string{"items[0]", "items[9]", "and 30 more"}},
			"too many":        {object{"function_id": id, "items": numbers(101)}, []string{"101 items", "100 at most"}},
			"too large":       {object{"function_id": id, "items": []any{object{"n": 1}, large}}, []string{"items[1]: it has 258 KiB"}},
			"the key":         {object{"function_id": id, "items": []any{object{"n": 1, "lang": "x" + key}}}, []string{"items[0]: it holds the API key"}},
			"a run to resume": {object{"resume": "run_1"}, []string{"resume must be", "it is a run_id"}},
			"unknown":         {object{"resume": "batch_1"}, []string{"resume must be", "there is none with this ID"}},
			"both":            {object{"resume": "batch_1", "items": numbers(2)}, []string{"resume"}},
		} {
			r := f.call("run_batch", c.args)
			for _, word := range append(c.says, "Nothing was started") {
				if !r.isError || !strings.Contains(r.text, word) {
					t.Errorf("%s: %q does not say %q", why, r.text, word)
				}
			}
		}
		f.wants(f.call("get_build", object{"build_id": "batch_1"}), true, nil)
		if n := f.runStarts(); n != 0 {
			t.Errorf("%d runs were created", n)
		}
	})
}

// The name of a pin stands for its function and what it fixes.
func TestBatchOfAPin(t *testing.T) {
	inBubble(t, func(t *testing.T, f *fixture) {
		id := f.lister(sandbox.Outcome{})
		f.wants(f.call("pin_function", object{"function_id": id, "name": "lister", "fixed": object{"lang": "fr"}}), false, object{"pinned_as": "lister"})
		for _, item := range []object{{"n": "x"}, {"n": 1, "lang": "en"}, {}} {
			r := f.call("run_batch", object{"function_id": "lister", "items": []any{object{"n": 1}, item}})
			if !r.isError || !strings.Contains(r.text, `the function "lister", which takes n: integer: items[1]: `) {
				t.Errorf("%v: %q", item, r.text)
			}
		}
		if n := f.runStarts(); n != 0 {
			t.Errorf("%d runs were created", n)
		}
		r := f.call("run_batch", object{"function_id": "lister", "items": numbers(2), "wait_seconds": 60})
		f.wants(r, false, object{"function_id": id, "succeeded": 2.0})
		french := 0
		for _, request := range f.notte.Requests() {
			if strings.Contains(string(request.Body), `"lang":"fr"`) {
				french++
			}
		}
		if french != 2 {
			t.Errorf("%d runs had what the pin fixes, want 2", french)
		}
		f.notte.UpdateFunction(id, func(n *sandbox.Function) {
			n.Variables = append(n.Variables, sandbox.Variable{Name: "page", Type: "int"})
		})
		<-time.After(2 * time.Minute)
		r = f.call("run_batch", object{"function_id": "lister", "items": numbers(2)})
		if !r.isError || !strings.Contains(r.text, "has changed since it was pinned: it now needs page: integer") {
			t.Errorf("a pin whose function has changed: %q", r.text)
		}
	})
}

func TestBatchThatRuns(t *testing.T) {
	inBubble(t, func(t *testing.T, f *fixture) {
		id := f.lister(sandbox.Outcome{After: time.Hour})
		args := object{"function_id": id, "items": numbers(9), "wait_seconds": 5}
		r := f.call("run_batch", args)
		f.wants(r, false, object{"status": "running", "running": 3.0, "not_started": 6.0, "results": absent})
		batch := r.str("batch_id")
		f.wants(f.call("run_batch", args), false, object{"batch_id": batch, "joined": true})
		f.wants(f.call("run_batch", object{"resume": batch, "wait_seconds": 0}), false, object{"batch_id": batch, "joined": true})
		r = f.call("cancel_run", object{"run_id": batch})
		f.wants(r, false, object{"run_id": batch, "status": "cancelled", "not_started": 6.0, "failed": 3.0})
		r = f.call("get_run", object{"run_id": batch})
		f.wants(r, true, object{"status": "cancelled"})
		results, _ := r.object["results"].([]any)
		if len(results) != 9 {
			t.Fatalf("%d results", len(results))
		}
		wants(t, results[2].(object), object{"status": "cancelled", "ok": false})
		wants(t, results[3].(object), object{"index": 3.0, "status": "not_started", "run_id": absent, "ok": absent})
		r = f.call("run_batch", object{"resume": batch, "concurrency": 6, "wait_seconds": 5})
		f.wants(r, false, object{"batch_id": batch, "status": "running", "running": 6.0, "not_started": 0.0})
		if n := f.runStarts(); n != 9 {
			t.Errorf("%d runs were created, want 9", n)
		}
		r = f.call("get_run", object{"run_id": results[0].(object)["run_id"]})
		f.wants(r, true, object{"status": "cancelled"})
	})
}

// Results come whole and in order, as many as fit into an answer; one that does not is
// cut.
func TestPagesOfABatch(t *testing.T) {
	inBubble(t, func(t *testing.T, f *fixture) {
		id := f.lister(sandbox.Outcome{Result: strings.Repeat("é", 12_000)})
		r := f.call("run_batch", object{"function_id": id, "items": numbers(7), "wait_seconds": 60})
		batch, next, pages := r.str("batch_id"), 0, 0
		for next < 7 {
			results, _ := r.object["results"].([]any)
			if len(r.text) > 64_000 || len(results) == 0 {
				t.Fatalf("a page has %d results and %d bytes", len(results), len(r.text))
			}
			for _, one := range results {
				wants(t, one.(object), object{"index": float64(next), "result": strings.Repeat("é", 12_000)})
				next++
			}
			if pages++; next < 7 {
				if !strings.Contains(r.str("next_step"), fmt.Sprintf("get_run with this batch_id as run_id and offset %d", next)) {
					t.Fatalf("next_step = %q", r.str("next_step"))
				}
				r = f.call("get_run", object{"run_id": batch, "offset": next})
			}
		}
		if pages != 4 {
			t.Errorf("%d pages, want 4", pages)
		}
		f.wants(f.call("get_run", object{"run_id": batch, "offset": 7}), true, nil)

		huge := f.lister(sandbox.Outcome{Result: strings.Repeat("x", 100_000)})
		r = f.call("run_batch", object{"function_id": huge, "items": numbers(2), "wait_seconds": 60})
		results, _ := r.object["results"].([]any)
		if len(results) != 2 {
			t.Fatalf("%d results", len(results))
		}
		one := results[1].(object)
		wants(t, one, object{"result_truncated": true, "result_bytes": 100_002.0})
		f.wants(f.call("get_run", object{"run_id": one["run_id"], "offset": 4000}), false, object{"status": "closed"})

		job, err := f.jobs.Get(t.Context(), f.client(key).Owner(), r.str("batch_id"))
		if err != nil {
			t.Fatal(err)
		}
		var lines bytes.Buffer
		if err := tools.WriteBatch(t.Context(), &lines, f.jobs, job); err != nil {
			t.Fatal(err)
		}
		for line := range strings.Lines(lines.String()) {
			var one struct{ Result string }
			if err := json.Unmarshal([]byte(line), &one); err != nil || len(one.Result) != 100_000 {
				t.Errorf("a line has a result of %d bytes, %v", len(one.Result), err)
			}
		}
	})
}

func TestBatchWithAFailure(t *testing.T) {
	inBubble(t, func(t *testing.T, f *fixture) {
		id := f.lister(sandbox.Outcome{Status: "failed", Result: "no button"})
		r := f.call("run_batch", object{"function_id": id, "items": numbers(6), "concurrency": 1, "max_failures": 2, "wait_seconds": 60})
		f.wants(r, true, object{"status": "failed", "ok": false, "failed": 2.0, "not_started": 4.0})
		if next := r.str("next_step"); !strings.Contains(next, "resume") || !strings.Contains(r.text, "no button") {
			t.Errorf("next_step = %q in %s", next, r.text)
		}
	})
}

// A batch can be answered with a task.
func TestBatchAsTask(t *testing.T) {
	inBubble(t, func(t *testing.T, f *fixture) {
		f.serve(tools.Config{Account: always(f.client(key)), Tasks: true})
		id := f.lister(sandbox.Outcome{Result: 1, After: time.Minute})
		r := f.callModern(takesTasks, "run_batch", object{"function_id": id, "items": numbers(4)})
		if r.resultType != "task" {
			t.Fatalf("the answer is %+v", r)
		}
		list, err := f.jobs.List(t.Context(), jobs.Query{Owner: f.client(key).Owner(), Kind: jobs.KindBatch, Limit: 1})
		if err != nil || len(list) != 1 {
			t.Fatalf("List = %v, %v", list, err)
		}
		raw, _, err := f.server.Tasks.Get(t.Context(), list[0].ID)
		if err != nil || !strings.Contains(string(raw), `"statusMessage":"0 of 4 done, 3 running"`) {
			t.Errorf("while it runs: %s, %v", raw, err)
		}
		time.Sleep(3 * time.Minute)
		raw, _, err = f.server.Tasks.Get(t.Context(), list[0].ID)
		if err != nil || !strings.Contains(string(raw), `"status":"completed"`) || !strings.Contains(string(raw), `"index":3`) {
			t.Errorf("at its end: %s, %v", raw, err)
		}
	})
}
