package e2e_test

import (
	"encoding/json"
	"strings"
	"testing"
	"time"
)

// raw calls a tool with arguments as a host writes them.
func (c *conn) raw(tool, arguments string) outcome {
	c.t.Helper()
	return c.outcome(c.request("tools/call", map[string]any{"name": tool, "arguments": json.RawMessage(arguments)}))
}

// starts returns how many builds and runs Notte was asked for.
func starts(api *service) int {
	return requests(api, "POST", "/start") + requests(api, "POST", "/runs/create")
}

// Arguments as hosts and models write them. Nothing is started but what a gateway or
// a user was shown.
func TestArguments(t *testing.T) {
	forEachTransport(t, bothEras, func(t *testing.T, api *service, c *conn, _ *process) {
		function := c.raw("build_automation", `{"query":"normal shown"}`)
		if function.Status != "done" {
			t.Fatalf("the build returned %s", function.text)
		}
		run := c.raw("run_function", `{"function_id":"`+function.FunctionID+`"}`)
		ids := strings.NewReplacer("BUILD", function.BuildID, "FUNCTION", function.FunctionID, "RUN", run.RunID)
		for _, a := range []struct {
			why, tool, arguments string
			want                 string // of the text
			starts               int
		}{
			{"n8n adds the ID of its call", "build_automation", `{"query":"normal a","toolCallId":"call_1"}`, `"status":"done"`, 1},
			{"hosts add more", "build_automation", `{"toolCallId":1,"sessionId":"s","action":"sendMessage","chatInput":"x","query":"normal b"}`, `"query":"normal b"`, 1},
			{"a name in another case is not ours", "build_automation", `{"query":"normal c","Query":"normal hidden"}`, `"query":"normal c"`, 1},
			{"nor is one with a long s", "build_automation", `{"query":"normal d","wait_seconds":45,"wait_ſeconds":0}`, `"status":"done"`, 1},
			{"a number as a string", "build_automation", `{"query":"normal e","wait_seconds":"5"}`, `"query":"normal e"`, 1},
			{"a boolean as a string", "build_automation", `{"query":"normal shown","force_new":"false"}`, `"joined":true`, 0},
			{"nothing as a string", "build_automation", `{"query":"normal shown","force_new":"","wait_seconds":"null","continue_build":"null"}`, `"joined":true`, 0},
			{"a wait that is too long", "get_build", `{"build_id":"BUILD","wait_seconds":5000}`, `"status":"done"`, 0},
			{"a wait that is no whole number", "get_build", `{"build_id":"BUILD","wait_seconds":2.5}`, `"status":"done"`, 0},
			{"an ID in backticks", "get_build", "{\"build_id\":\" `BUILD`\\n\"}", `"status":"done"`, 0},
			{"an ID in quotes", "run_function", `{"function_id":"\"FUNCTION\""}`, `"ok":true`, 1},
			{"variables as a string", "run_function", `{"function_id":"FUNCTION","variables":"{\"query\":\"3\"}"}`, `"ok":true`, 1},
			{"variables as an object", "run_function", `{"function_id":"FUNCTION","variables":{"query":"3"}}`, `"ok":true`, 1},
			{"arguments as a string", "list_builds", `"{\"limit\":2}"`, `"builds":[`, 0},
			{"a limit as a string", "list_builds", `{"limit":"5"}`, `"builds":[`, 0},
			{"no arguments of PHP", "list_builds", `[]`, `"builds":[`, 0},

			{"not a number", "build_automation", `{"query":"normal f","wait_seconds":"5x"}`, `it is "5x". Nothing was started or changed.`, 0},
			{"no query", "build_automation", `{"toolCallId":"call_1"}`, "query must be text of 1 to 20,000 characters: it is missing", 0},
			{"a misspelt query", "build_automation", `{"qurey":"normal g"}`, `takes no argument "qurey": write query if that is meant`, 0},
			{"a query in another case", "build_automation", `{"Query":"normal g"}`, `takes no argument "Query": write query`, 0},
			{"a part of a name", "run_function", `{"function":"FUNCTION"}`, `takes no argument "function": write function_id`, 0},
			{"a query twice", "build_automation", `{"query":"normal shown","query":"normal hidden"}`, `two members "query"`, 0},
			{"a query over its bound", "build_automation", `{"query":"` + strings.Repeat("x", 20_001) + `"}`, "it is a text of 20,001 characters", 0},
			{"a build_id as function_id", "run_function", `{"function_id":"BUILD"}`, "it is a build_id, which get_build takes; the function_id of that build is " + function.FunctionID, 0},
			{"a run_id as function_id", "run_function", `{"function_id":"RUN"}`, "it is a run_id, which get_run takes; the function_id of that run is " + function.FunctionID, 0},
			{"a function_id as build_id", "get_build", `{"build_id":"FUNCTION"}`, "the build that made the function is " + function.BuildID, 0},
			{"variables that are a list", "run_function", `{"function_id":"FUNCTION","variables":[1,2,3]}`, "it is a list with 3 members", 0},
			{"arguments that are a list", "list_builds", `[1]`, "they are a list with 1 member", 0},
			{"a query that is a number", "build_automation", `{"query":7}`, "it is the number 7", 0},
		} {
			before := starts(api)
			out := c.raw(a.tool, ids.Replace(a.arguments))
			if !strings.Contains(out.text, a.want) {
				t.Errorf("%s: %s(%.200s) was answered with %.500s", a.why, a.tool, a.arguments, out.text)
			}
			if n := starts(api) - before; n != a.starts {
				t.Errorf("%s: %s(%.200s) started %d, want %d", a.why, a.tool, a.arguments, n, a.starts)
			}
		}
	})
}

// A host waits for a build for which another host waits already.
func TestAnotherHostWaits(t *testing.T) {
	for _, e := range bothEras {
		t.Run(string(e), func(t *testing.T) {
			inBothContracts(t, func(t *testing.T, api *service, url string) {
				s := newHTTPServer(t, url, nil)
				a, b := s.connect(t, e), s.connect(t, e)
				b.name = "another"
				wait, open := gate(t)
				api.Script("shared", statusEvent("planning"), wait, done("fn"))
				first := a.build("shared")
				a.progress(first, 1)
				second := b.build("shared")
				b.progress(second, 1)
				open()
				for _, out := range []outcome{a.outcome(first), b.outcome(second)} {
					if out.Status != "done" || strings.Contains(out.text, "did not wait") {
						t.Errorf("a host was answered with %s", out.text)
					}
				}
			})
		})
	}
}

// A client that leaves its calls after a moment gets the ID of its build from the
// second call on.
func TestImpatientClient(t *testing.T) {
	forEachTransport(t, bothEras, func(t *testing.T, api *service, c *conn, p *process) {
		wait, open := gate(t)
		var ids []string
		for _, way := range []string{"cancelled", "still open", "disconnected"} {
			query := "a host that waits 5 seconds, " + way
			api.Script(query, statusEvent("planning"), wait, done(""))
			first := c.build(query)
			c.progress(first, 1)
			w, isHTTP := c.wire.(*webClient)
			switch {
			case way == "cancelled":
				c.cancel(first)
			case way == "disconnected" && isHTTP:
				w.find(first).disconnect()
			}
			if way != "still open" {
				p.stderr.await(t, "the end of the first call", hasAll("build_automation", "caller left"))
			}
			var out outcome
			for range 2 {
				start := time.Now()
				out = c.outcome(c.build(query))
				if out.Status != "running" || out.BuildID == "" || !out.Joined || !strings.Contains(out.text, "This call did not wait") {
					t.Errorf("%s: the next call returned %s", way, out.text)
				}
				if took := time.Since(start); took > 20*time.Second {
					t.Errorf("%s: the next call took %s, want much less than the 45s of a first one", way, took)
				}
			}
			ids = append(ids, out.BuildID)
		}
		open()
		for _, id := range ids {
			if out := c.outcome(c.call("get_build", args{"build_id": id, "wait_seconds": 60})); out.Status != "done" {
				t.Errorf("get_build was answered with %s", out.text)
			}
		}
		if n := requests(api, "POST", "/start"); n != 3 {
			t.Errorf("Notte was asked for %d builds, want 3", n)
		}
	})
}
