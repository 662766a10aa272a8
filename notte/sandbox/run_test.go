package sandbox_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/anything-mcp/anything-mcp/notte/sandbox"
)

// built builds query and returns the ID of the function.
func built(t *testing.T, s *sandbox.Server, query string) string {
	t.Helper()
	return find(build(t, s, query), "function_uploaded")["function_id"].(string)
}

func startBody(id, variables string, stream bool) string {
	return fmt.Sprintf(`{"workflow_id":%q,"variables":%s,"stream":%t}`, id, variables, stream)
}

func TestRunOfABuiltFunction(t *testing.T) {
	for _, test := range []struct {
		query, variables string
		items            int
		field, value     string
	}{
		{news, `{}`, 3, "count", "3"},
		{news, `{"count":"5"}`, 5, "count", "5"},
		{news, `{"count":7}`, 7, "count", "7"},
		{news, `{"count":"0"}`, 1, "count", "1"},
		{news, `{"count":"1000"}`, 50, "count", "50"},
		{"read example.org/a now", `{}`, 3, "url", "https://example.org/a"},
		{"read example.org/a now", `{"url":"https://b.test/"}`, 3, "url", "https://b.test/"},
		{"what is the weather", `null`, 3, "query", "what is the weather"},
		{"what is the weather", `{"query":"other"}`, 3, "query", "other"},
	} {
		t.Run(test.query+test.variables, func(t *testing.T) {
			inBubble(t, func(t *testing.T, s *sandbox.Server) {
				id := built(t, s, test.query)
				began := time.Now()
				got := ok(t, s, "POST", "/functions/"+id+"/runs/start", startBody(id, test.variables, false))
				if took := time.Since(began); took != 2*time.Second {
					t.Errorf("the run took %v", took)
				}
				result := got["result"].(map[string]any)
				if got["status"] != "closed" || got["function_id"] != id || got["session_id"] == "" || result["sandbox"] != true {
					t.Errorf("got %v", got)
				}
				if n := len(result["items"].([]any)); n != test.items {
					t.Errorf("%d items, want %d", n, test.items)
				}
				if value := fmt.Sprint(result[test.field]); value != test.value {
					t.Errorf("%s is %q", test.field, value)
				}
				run := ok(t, s, "GET", "/functions/"+id+"/runs/"+got["function_run_id"].(string), "")
				if text := run["result"].(string); !strings.Contains(text, "'sandbox': True") {
					t.Errorf("looked up: %v", run)
				}
			})
		})
	}
}

func TestRunsThatFail(t *testing.T) {
	inBubble(t, func(t *testing.T, s *sandbox.Server) {
		s.AddFunction(sandbox.Function{ID: "strict", Variables: []sandbox.Variable{{Name: "user"}, {Name: "page"}, {Name: "size", Default: new("1")}}})
		for _, test := range []struct{ id, variables, want string }{
			{built(t, s, news), `{"count":"it's"}`, `ValueError: invalid literal for int() with base 10: "it's"`},
			{built(t, s, "x [sandbox:broken]"), `{}`, "Traceback (most recent call last)"},
			{"strict", `{}`, "ValueError: Missing required parameters for run function: ['page', 'user']"},
			{"strict", `{"user":"u","page":"1","x":1,"User":2}`, "ValueError: Unexpected variable names for run function: ['User', 'x'] (expected variable names: ['page', 'size', 'user'])"},
		} {
			got := ok(t, s, "POST", "/functions/"+test.id+"/runs/start", startBody(test.id, test.variables, false))
			text, _ := got["result"].(string)
			if got["status"] != "closed" || !strings.HasPrefix(text, "Script execution failed: ") || !strings.Contains(text, test.want) {
				t.Errorf("%s: got %v", test.variables, got)
			}
		}
	}, sandbox.WithSpeed(0))
}

func TestRunStream(t *testing.T) {
	inBubble(t, func(t *testing.T, s *sandbox.Server) {
		id := built(t, s, news)
		created := ok(t, s, "POST", "/functions/"+id+"/runs/create", `{"local":false}`)
		path := "/functions/" + id + "/runs/" + created["function_run_id"].(string)
		if created["status"] != "created" || created["function_id"] != id {
			t.Errorf("created %v", created)
		}
		if run := ok(t, s, "GET", path, ""); run["status"] != "created" || run["result"] != nil {
			t.Errorf("before its start: %v", run)
		}
		body := fmt.Sprintf(`{"workflow_id":%q,"workflow_run_id":%q,"variables":{"count":"2"},"stream":true}`, id, created["function_run_id"])
		resp := send(t, s, request(t.Context(), "POST", path, body))
		if kind := resp.Header.Get("Content-Type"); kind != "text/event-stream" {
			t.Errorf("content type %q", kind)
		}
		events := readEvents(t, resp.Body)
		var kinds []string
		for _, e := range events {
			kinds = append(kinds, e["type"].(string))
		}
		if want := []string{"session_start", "log", "result"}; !slices.Equal(slices.Compact(slices.Clone(kinds)), want) {
			t.Errorf("events %v", kinds)
		}
		if !strings.Contains(fmt.Sprint(events), "\x1b[32m") {
			t.Error("no line has a colour")
		}
		var result map[string]any
		if err := json.Unmarshal([]byte(find(events, "result")["message"].(string)), &result); err != nil {
			t.Fatal(err)
		}
		if result["status"] != "closed" || result["function_run_id"] != created["function_run_id"] ||
			result["session_id"] != find(events, "session_start")["message"] {
			t.Errorf("result %v", result)
		}
		run := ok(t, s, "GET", path, "")
		if run["status"] != "closed" || len(run["logs"].([]any)) != len(events)-2 || fmt.Sprint(run["variables"]) != "map[count:2]" {
			t.Errorf("looked up: %v", run)
		}
		if status, v := call(t, s, "POST", path, body); status != http.StatusConflict {
			t.Errorf("a second start: %d %v", status, v)
		}
	})
}

func TestAbandonedRunGoesOn(t *testing.T) {
	inBubble(t, func(t *testing.T, s *sandbox.Server) {
		id := s.AddFunction(sandbox.Function{Run: &sandbox.Outcome{
			Result: []any{nil, true, 1.5, "it's", map[string]int{"a": 1}}, Logs: []string{"one", "two"}, After: 90 * time.Second,
		}})
		ctx, cancel := context.WithTimeout(t.Context(), 40*time.Second)
		defer cancel()
		_, err := s.Client().Do(request(ctx, "POST", "/functions/"+id+"/runs/start", startBody(id, `{}`, false)))
		if !errors.Is(err, context.DeadlineExceeded) {
			t.Fatalf("got %v", err)
		}
		run := onlyRun(t, s, id, "true")
		if run["status"] != "active" || fmt.Sprint(run["logs"]) != "[one]" || run["result"] != nil {
			t.Errorf("after 40s: %v", run)
		}
		<-time.After(50 * time.Second)
		run = onlyRun(t, s, id, "false")
		if want := `[None, True, 1.5, "it's", {'a': 1}]`; run["status"] != "closed" || run["result"] != want {
			t.Errorf("after 90s: %v", run)
		}
		if active := ok(t, s, "GET", "/functions/"+id+"/runs", "")["items"].([]any); len(active) != 0 {
			t.Errorf("active after its end: %v", active)
		}
	})
}

func onlyRun(t *testing.T, s *sandbox.Server, functionID, onlyActive string) map[string]any {
	t.Helper()
	items := ok(t, s, "GET", "/functions/"+functionID+"/runs?only_active="+onlyActive, "")["items"].([]any)
	if len(items) != 1 {
		t.Fatalf("%d runs: %v", len(items), items)
	}
	return items[0].(map[string]any)
}

func TestStopRun(t *testing.T) {
	inBubble(t, func(t *testing.T, s *sandbox.Server) {
		id := s.AddFunction(sandbox.Function{Run: &sandbox.Outcome{Result: "never", Logs: []string{"a"}, After: time.Hour}})
		runID, err := s.AddRun(id, sandbox.Outcome{Result: "kept", After: time.Minute})
		if err != nil {
			t.Fatal(err)
		}
		answer := make(chan map[string]any)
		go func() {
			answer <- ok(t, s, "POST", "/functions/"+id+"/runs/start", startBody(id, `{}`, false))
		}()
		<-time.After(time.Minute)
		for _, run := range ok(t, s, "GET", "/functions/"+id+"/runs?only_active=false", "")["items"].([]any) {
			path := "/functions/" + id + "/runs/" + run.(map[string]any)["function_run_id"].(string)
			if stopped := ok(t, s, "DELETE", path, ""); stopped["status"] != "stopped" {
				t.Errorf("stopping: %v", stopped)
			}
		}
		if got := <-answer; got["status"] != "failed" || got["result"] != "Run was stopped" {
			t.Errorf("the waiting caller got %v", got)
		}
		if run := ok(t, s, "GET", "/functions/"+id+"/runs/"+runID, ""); run["status"] != "closed" || run["result"] != "kept" {
			t.Errorf("the run that had ended: %v", run)
		}
		created := ok(t, s, "POST", "/functions/"+id+"/runs/create", `{}`)["function_run_id"].(string)
		ok(t, s, "DELETE", "/functions/"+id+"/runs/"+created, "")
		start := fmt.Sprintf(`{"function_id":%q,"function_run_id":%q}`, id, created)
		if status, _ := call(t, s, "POST", "/functions/"+id+"/runs/"+created, start); status != http.StatusConflict {
			t.Errorf("starting a run stopped before: %d", status)
		}
	})
}

func TestEndRun(t *testing.T) {
	inBubble(t, func(t *testing.T, s *sandbox.Server) {
		id := s.AddFunction(sandbox.Function{Run: &sandbox.Outcome{Logs: []string{"a"}, After: -1}})
		resp := send(t, s, request(t.Context(), "POST", "/functions/"+id+"/runs/start", startBody(id, `{}`, true)))
		<-time.After(24 * time.Hour)
		runID := onlyRun(t, s, id, "true")["function_run_id"].(string)
		if err := s.EndRun(runID, sandbox.Outcome{Status: "failed", Result: 7, Logs: []string{"a", "b"}}); err != nil {
			t.Fatal(err)
		}
		events := readEvents(t, resp.Body)
		if len(events) != 4 || !strings.Contains(events[3]["message"].(string), `"result":7,"status":"failed"`) {
			t.Errorf("got %v", events)
		}
		if err := s.EndRun(runID, sandbox.Outcome{}); err == nil || !strings.Contains(err.Error(), "is failed") {
			t.Errorf("ending it again: %v", err)
		}
		if err := s.EndRun("none", sandbox.Outcome{}); err == nil {
			t.Error("ended no run")
		}
		if _, err := s.AddRun("none", sandbox.Outcome{}); err == nil {
			t.Error("added a run of no function")
		}
	})
}

func TestScriptRun(t *testing.T) {
	inBubble(t, func(t *testing.T, s *sandbox.Server) {
		id := s.AddFunction(sandbox.Function{Run: &sandbox.Outcome{Result: "found", After: time.Minute}})
		s.ScriptRun(id, sandbox.Event(map[string]string{"type": "log", "message": "x"}), sandbox.Reset())
		start := func(stream bool) *http.Request {
			return request(t.Context(), "POST", "/functions/"+id+"/runs/start", startBody(id, `{}`, stream))
		}
		if data, err := io.ReadAll(send(t, s, start(true)).Body); err == nil || !strings.Contains(string(data), `"x"`) {
			t.Errorf("got %q, %v", data, err)
		}
		if run := onlyRun(t, s, id, "false"); run["status"] != "active" {
			t.Errorf("the run whose stream was reset: %v", run)
		}
		<-time.After(time.Minute)
		if run := onlyRun(t, s, id, "false"); run["status"] != "closed" || run["result"] != "found" {
			t.Errorf("the same run a minute later: %v", run)
		}
		s.ScriptRun(id, sandbox.Raw(": x\n\n"), sandbox.Demo())
		if data := readAll(send(t, s, start(true))); !strings.HasPrefix(data, ": x\n\ndata: {\"type\":\"session_start\"") {
			t.Errorf("got %q", data)
		}
		s.ScriptRun(id)
		if data := readAll(send(t, s, start(false))); !strings.Contains(data, `"result":"found"`) {
			t.Errorf("got %q", data)
		}
	})
}

func TestStartRefusals(t *testing.T) {
	for _, test := range []struct {
		name, body string
		change     func(http.Header)
		want       int
		loc        string
	}{
		{"no key", `{"function_id":"f"}`, func(h http.Header) { h.Del("Authorization"); h.Del("X-Notte-Api-Key") }, 401, ""},
		{"no run key", `{"function_id":"f"}`, func(h http.Header) { h.Del("X-Notte-Api-Key") }, 422, "[header x-notte-api-key]"},
		{"another run key", `{"function_id":"f"}`, func(h http.Header) { h.Set("X-Notte-Api-Key", "other") }, 403, ""},
		{"no JSON", `{`, nil, 422, "[body 0]"},
		{"more than JSON", `{"function_id":"f"}{}`, nil, 422, "[body 0]"},
		{"no object", `[]`, nil, 422, "[body]"},
		{"other content type", `{"function_id":"f"}`, func(h http.Header) { h.Set("Content-Type", "text/plain") }, 422, "[body]"},
		{"no ID", `{}`, nil, 422, "[body function_id]"},
		{"another ID", `{"workflow_id":"g"}`, nil, 422, "[body workflow_id]"},
		{"variables", `{"function_id":"f","variables":[]}`, nil, 422, "[body variables]"},
		{"stream", `{"function_id":"f","stream":"yes"}`, nil, 422, "[body stream]"},
	} {
		t.Run(test.name, func(t *testing.T) {
			inBubble(t, func(t *testing.T, s *sandbox.Server) {
				s.AddFunction(sandbox.Function{ID: "f"})
				r := request(t.Context(), "POST", "/functions/f/runs/start", test.body)
				if test.change != nil {
					test.change(r.Header)
				}
				resp := send(t, s, r)
				var v struct{ Detail any }
				if err := json.NewDecoder(resp.Body).Decode(&v); err != nil || resp.StatusCode != test.want {
					t.Fatalf("got %s, %v; want %d", resp.Status, err, test.want)
				}
				if test.loc != "" {
					first := v.Detail.([]any)[0].(map[string]any)
					if fmt.Sprint(first["loc"]) != test.loc || first["msg"] == "" || first["type"] == "" {
						t.Errorf("detail %v, want loc %s", v.Detail, test.loc)
					}
				}
				if runs := ok(t, s, "GET", "/functions/f/runs?only_active=false", "")["items"].([]any); len(runs) != 0 {
					t.Errorf("a refused start made %v", runs)
				}
			}, sandbox.WithSpeed(0))
		})
	}
}

func TestCreatedRunWantsItsID(t *testing.T) {
	inBubble(t, func(t *testing.T, s *sandbox.Server) {
		s.AddFunction(sandbox.Function{ID: "f"})
		path := "/functions/f/runs/" + ok(t, s, "POST", "/functions/f/runs/create", `{"local":true}`)["function_run_id"].(string)
		for body, want := range map[string]int{
			`{"function_id":"f"}`:                           422,
			`{"function_id":"f","workflow_run_id":"other"}`: 422,
		} {
			if status, v := call(t, s, "POST", path, body); status != want {
				t.Errorf("%s: %d %v", body, status, v)
			}
		}
		for _, body := range []string{`{"local":"no"}`, `7`} {
			if status, v := call(t, s, "POST", "/functions/f/runs/create", body); status != 422 {
				t.Errorf("create %s: %d %v", body, status, v)
			}
		}
	})
}
