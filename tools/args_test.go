package tools_test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/anything-mcp/anything-mcp/notte/sandbox"
)

// raw is arguments as a host writes them.
func raw(s string) json.RawMessage { return json.RawMessage(s) }

// What is refused starts nothing, and the sentence says what is right.
func TestBadInput(t *testing.T) {
	inBubble(t, func(t *testing.T, f *fixture) {
		long := strings.Repeat("é", 20_001)
		for _, c := range []struct {
			tool string
			args any
			want string
		}{
			{"build_automation", object{}, "query must be text of 1 to 20,000 characters: it is missing."},
			{"build_automation", nil, "query must be"},
			{"build_automation", []int{1}, "The arguments of build_automation must be one JSON object with query, wait_seconds, force_new, continue_build: they are a list with 1 member."},
			{"build_automation", raw(`"q"`), `must be one JSON object with query, wait_seconds, force_new, continue_build: they are "q".`},
			{"build_automation", raw(`"[{\"query\":\"q\"}]"`), "must be one JSON object"},
			{"build_automation", raw(`"{\"query\":\"q\"} {}"`), "must be one JSON object"},
			{"build_automation", raw(`7`), "they are the number 7."},
			{"build_automation", raw(`{"query":"shown","query":"hidden"}`), `they are an object with two members "query".`},
			{"build_automation", raw(`"{\"query\":\"shown\",\"query\":\"hidden\"}"`), `two members "query".`},
			{"build_automation", raw(`{"query":"q","x":1,"x":2}`), `two members "x".`},
			{"build_automation", object{"query": " \n"}, "it is missing."},
			{"build_automation", object{"query": nil}, "it is missing."},
			{"build_automation", object{"query": "null"}, `it is "null".`},
			{"build_automation", object{"query": 7}, "query must be text of 1 to 20,000 characters: it is the number 7."},
			{"build_automation", object{"query": true}, "it is true."},
			{"build_automation", object{"query": []int{}}, "it is a list with 0 members."},
			{"build_automation", object{"query": object{"text": "q"}}, "it is an object with 1 member."},
			{"build_automation", object{"query": long}, "it is a text of 20,001 characters."},
			{"build_automation", object{"prompt": "q"}, `query must be text of 1 to 20,000 characters: it is missing, and build_automation takes no argument "prompt".`},
			{"build_automation", object{"qurey": "q"}, `build_automation takes no argument "qurey": write query if that is meant. The arguments are query, wait_seconds, force_new, continue_build.`},
			{"build_automation", object{"Query": "q"}, "write query if that is meant."},
			{"build_automation", object{"query": "", "Query": "q"}, "write query if that is meant."},
			{"build_automation", object{"query": "q", "forceNew": true}, "write force_new if that is meant."},
			{"build_automation", object{"query": "q", "wait_ſeconds": 5}, "write wait_seconds if that is meant."},
			{"build_automation", object{"query": "q", "build_id": "build_x"}, "write continue_build if that is meant."},
			{"build_automation", object{"query": "q", "wait_seconds": "5x"}, `wait_seconds must be a whole number of seconds from 0 to 3600: it is "5x".`},
			{"build_automation", object{"query": "q", "wait_seconds": "NaN"}, `it is "NaN".`},
			{"build_automation", object{"query": "q", "wait_seconds": "0x10"}, `it is "0x10".`},
			{"build_automation", object{"query": "q", "wait_seconds": "true"}, `it is "true".`},
			{"build_automation", object{"query": "q", "wait_seconds": true}, "it is true."},
			{"build_automation", object{"query": "q", "wait_seconds": []int{5}}, "it is a list with 1 member."},
			{"build_automation", object{"query": "q", "force_new": "yes"}, `force_new must be true or false: it is "yes".`},
			{"build_automation", object{"query": "q", "force_new": 1}, "it is the number 1."},
			{"build_automation", object{"query": "q", "continue_build": 5}, "it is the number 5."},
			{"get_build", object{}, "build_id must be the build_id that build_automation returned: it is missing."},
			{"get_build", object{"build_id": "null"}, `it is "null".`},
			{"get_build", object{"buildId": "build_x"}, "write build_id if that is meant."},
			{"get_build", object{"build_id": "build_x"}, "there is none with this ID, or it has expired."},
			{"cancel_build", object{"build_id": "build_x"}, "there is none with this ID, or it has expired."},
			{"run_function", object{}, "function_id must be a function's ID of 1 to 128 letters, digits, - or _: it is missing."},
			{"run_function", object{"function": "f"}, "write function_id if that is meant."},
			{"run_function", object{"function_id": "../x"}, `it is "../x".`},
			{"run_function", object{"function_id": "f", "variables": []int{1, 2, 3}}, "variables must be a JSON object with a value for each variable, of at most 256 KiB: it is a list with 3 members."},
			{"run_function", object{"function_id": "f", "variables": "x"}, `it is "x".`},
			{"run_function", object{"function_id": "f", "variables": "[1]"}, `it is "[1]".`},
			{"run_function", object{"function_id": "f", "variables": `{"a":1`}, `it is "{\"a\":1".`},
			{"run_function", object{"function_id": "f", "variables": 5}, "it is the number 5."},
			{"run_function", object{"function_id": "f", "variables": raw(`{"a":1,"a":2}`)}, `it is an object with two members "a".`},
			{"run_function", object{"function_id": "f", "variables": object{"x": strings.Repeat("y", 256<<10)}}, "it has 257 KiB."},
			{"run_function", object{"function_id": "f", "variable": object{}}, "write variables if that is meant."},
			{"get_run", object{"run_id": "run_x", "offset": -1}, "offset must be a whole number below the size of the result: it is the number -1."},
			{"get_run", object{"run_id": "run_x", "offset": "2.5"}, `it is "2.5".`},
			{"get_run", object{"run_id": "run_x", "offset": raw("99999999999999999999")}, "it is the number 99999999999999999999."},
			{"get_run", object{"run_id": 3}, "run_id must be the run_id that run_function returned, or a batch_id: it is the number 3."},
			{"cancel_run", object{"run_id": ""}, "it is missing."},
			{"list_builds", object{"status": "closed"}, `status must be one of running, done, error, timeout, cancelled, interrupted: it is "closed".`},
			{"list_builds", object{"limit": 0}, "limit must be a whole number from 1 to 100: it is the number 0."},
			{"list_builds", object{"limit": "101"}, `it is "101".`},
			{"list_builds", object{"limit": 2.5}, "it is the number 2.5."},
			{"list_builds", object{"limits": 5}, "write limit if that is meant."},
			{"list_builds", object{"cursor": "x"}, `cursor must be the next_cursor of an earlier page: it is "x".`},
			{"list_runs", object{"status": "done"}, "status must be one of running, closed"},
			{"list_runs", object{"function_id": "a/b"}, `function_id must be a function's ID of 1 to 128 letters, digits, - or _: it is "a/b".`},
		} {
			r := f.call(c.tool, c.args)
			if !r.isError || !strings.Contains(r.text, c.want) || r.object != nil {
				t.Errorf("%s(%.80v): isError %v, %q\nwant %q", c.tool, c.args, r.isError, r.text, c.want)
			}
			const nothing = " Nothing was started or changed."
			reads := strings.HasPrefix(c.tool, "get_") || strings.HasPrefix(c.tool, "list_")
			if said := strings.HasSuffix(r.text, nothing); said == reads {
				t.Errorf("%s: %q, want it to say%q: %t", c.tool, r.text, nothing, !reads)
			}
			if len(r.text) > 400 {
				t.Errorf("%s: %d bytes are more than a sentence or two: %s", c.tool, len(r.text), r.text)
			}
		}
		if n := len(f.notte.Requests()); n != 0 {
			t.Errorf("bad input made %d requests", n)
		}
		if strings.Contains(f.log.String(), "level=INFO") || strings.Contains(f.log.String(), "level=WARN") {
			t.Errorf("a refused call is in the log above debug:\n%.1000s", f.log)
		}
	})
}

// What hosts add or write in their own way is understood.
func TestLenientInput(t *testing.T) {
	for _, c := range []struct {
		why    string
		tool   string
		args   string // FUNCTION, BUILD and RUN are IDs
		fields object
	}{
		{"n8n adds the call's ID", "build_automation", `{"query":"normal","toolCallId":"call_1"}`, object{"status": "done", "query": "normal"}},
		{"all that hosts add", "build_automation", `{"query":"normal","sessionId":"s","action":"sendMessage","chatInput":"hi","tool":{"name":"x"},"explanation":"why","random_string":"","_meta":{},"id":"1"}`, object{"status": "done"}},
		{"a hidden argument by another case", "build_automation", `{"query":"normal","Query":"hidden"}`, object{"query": "normal"}},
		{"the same before ours", "build_automation", `{"QUERY":"hidden","query":"normal"}`, object{"query": "normal"}},
		{"another case of an argument that is given", "build_automation", `{"query":"sc:slow=25 r","force_new":false,"FORCE_NEW":true}`, object{"joined": true}},
		{"a number as a string", "build_automation", `{"query":"normal","wait_seconds":"5"}`, object{"elapsed_seconds": 5.0}},
		{"in quotes", "build_automation", `{"query":"normal","wait_seconds":" \"5.0\" "}`, object{"elapsed_seconds": 5.0}},
		{"booleans as strings", "build_automation", `{"query":"sc:slow=25 r","force_new":"false"}`, object{"joined": true}},
		{"of Python", "build_automation", `{"query":"sc:slow=25 r","force_new":"True"}`, object{"joined": absent}},
		{"empty strings", "build_automation", `{"query":"normal","wait_seconds":"","force_new":"","continue_build":""}`, object{"status": "done"}},
		{"nothing, as a string", "build_automation", `{"query":"normal","wait_seconds":"null","force_new":"undefined","continue_build":"None"}`, object{"status": "done"}},
		{"null", "build_automation", `{"query":"normal","wait_seconds":null,"continue_build":null}`, object{"status": "done"}},
		{"a wait that is too long", "build_automation", `{"query":"normal","wait_seconds":5000}`, object{"status": "done"}},
		{"one beyond all numbers", "get_build", `{"build_id":"BUILD","wait_seconds":1e300}`, object{"status": "done"}},
		{"one below 0", "build_automation", `{"query":"sc:slow=25 b","wait_seconds":-1}`, object{"status": "running", "elapsed_seconds": 0.0}},
		{"a fraction", "build_automation", `{"query":"sc:slow=25 c","wait_seconds":2.5}`, object{"status": "running", "elapsed_seconds": 3.0}},
		{"a fraction as a string", "build_automation", `{"query":"sc:slow=25 d","wait_seconds":"1.4"}`, object{"status": "running", "elapsed_seconds": 1.0}},
		{"arguments as a string", "list_builds", `"{\"limit\":1}"`, object{}},
		{"with blanks", "build_automation", `" {\"query\": \"normal\"}\n"`, object{"status": "done"}},
		{"no arguments as a string", "list_builds", `""`, object{"next_cursor": absent}},
		{"no arguments of PHP", "list_builds", `[]`, object{"next_cursor": absent}},
		{"the same as a string", "list_builds", `"[]"`, object{"next_cursor": absent}},
		{"no arguments", "list_builds", `null`, object{"next_cursor": absent}},
		{"an ID in quotes", "get_build", `{"build_id":"\"BUILD\""}`, object{"status": "done"}},
		{"in backticks, with a line end", "get_build", "{\"build_id\":\"`BUILD`\\r\\n\"}", object{"status": "done"}},
		{"in a word processor's quotes, with a byte order mark", "get_build", `{"build_id":"\ufeff“BUILD” "}`, object{"status": "done"}},
		{"of a run", "get_run", `{"run_id":" 'RUN'"}`, object{"status": "closed"}},
		{"of a function", "run_function", "{\"function_id\":\"`FUNCTION`\"}", object{"ok": true}},
		{"a status in quotes", "list_runs", `{"status":"'closed'","function_id":" FUNCTION "}`, object{"next_cursor": absent}},
		{"variables", "run_function", `{"function_id":"FUNCTION","variables":{"count":"3"}}`, object{"ok": true}},
		{"variables as a string", "run_function", `{"function_id":"FUNCTION","variables":" {\"count\":\"3\"} "}`, object{"ok": true}},
		{"no variables", "run_function", `{"function_id":"FUNCTION","variables":""}`, object{"ok": true}},
		{"no variables of PHP", "run_function", `{"function_id":"FUNCTION","variables":[]}`, object{"ok": true}},
		{"an offset as a string", "get_run", `{"run_id":"RUN","offset":"0"}`, object{"status": "closed"}},
	} {
		t.Run(c.why, func(t *testing.T) {
			inBubble(t, func(t *testing.T, f *fixture) {
				f.call("build_automation", object{"query": "sc:slow=25 r", "wait_seconds": 0})
				build := f.call("build_automation", object{"query": "normal"})
				function := f.notte.AddFunction(sandbox.Function{Name: "f", Run: &sandbox.Outcome{Result: 1}, Variables: []sandbox.Variable{{Name: "count", Default: new("1")}}})
				run := f.call("run_function", object{"function_id": function})
				args := strings.NewReplacer("BUILD", build.str("build_id"), "FUNCTION", function, "RUN", run.str("run_id")).Replace(c.args)
				r := f.call(c.tool, raw(args))
				f.wants(r, false, c.fields)
				if builds, _ := r.object["builds"].([]any); strings.Contains(c.args, "limit") && len(builds) != 1 {
					t.Errorf("%d builds, want 1", len(builds))
				}
				if strings.Contains(c.why, "variables") {
					requests := f.notte.Requests()
					body := string(requests[len(requests)-1].Body)
					if sent := strings.Contains(body, `"count":"3"`); sent != strings.Contains(c.args, "count") {
						t.Errorf("Notte was sent %s", body)
					}
				}
			})
		})
	}
}

// A name that the tool does not take is in the log at debug, with no value.
func TestIgnoredArguments(t *testing.T) {
	inBubble(t, func(t *testing.T, f *fixture) {
		f.call("list_builds", object{"toolCallId": "s3cret", "x\n\x1b[31m": 1})
		var lines []string
		for line := range strings.Lines(f.log.String()) {
			if strings.Contains(line, "ignored") {
				lines = append(lines, line)
			}
		}
		if len(lines) != 1 || !strings.Contains(lines[0], `level=DEBUG`) || !strings.Contains(lines[0], `arguments="toolCallId, x"`) {
			t.Errorf("the log has %q", lines)
		}
	})
}

// An ID of another kind, or the name of a function, is answered with what it is.
func TestWrongID(t *testing.T) {
	inBubble(t, func(t *testing.T, f *fixture) {
		const function = "d3c31289-f28b-4c1f-9d4e-0a1b2c3d4e5f"
		f.notte.AddFunction(sandbox.Function{ID: function, Name: "Hacker News top", Run: &sandbox.Outcome{Result: 1}})
		f.notte.Script("q", event("function_uploaded", "function_id", function, "function_name", "Hacker News top"),
			event("done", "function_id", function, "total_cost_usd", 0.1))
		build := f.call("build_automation", object{"query": "q"}).str("build_id")
		run := f.call("run_function", object{"function_id": function}).str("run_id")
		before := len(f.notte.Requests())
		for _, c := range []struct {
			tool string
			args object
			want string
		}{
			{"run_function", object{"function_id": build}, "it is a build_id, which get_build takes; the function_id of that build is " + function},
			{"run_function", object{"function_id": run}, "it is a run_id, which get_run takes; the function_id of that run is " + function},
			{"run_function", object{"function_id": "build_gone"}, "it is a build_id, which get_build takes."},
			{"run_function", object{"function_id": "Hacker News top"}, "it is the name of a function; the function_id is " + function},
			{"run_function", object{"function_id": "`hacker news top`"}, "it is the name of a function; the function_id is " + function},
			{"run_function", object{"function_id": "Reddit top"}, `it is "Reddit top".`},
			{"list_runs", object{"function_id": "Hacker News top"}, "the function_id is " + function},
			{"get_build", object{"build_id": function}, "it is a function_id; the build that made the function is " + build},
			{"get_build", object{"build_id": "Hacker News top"}, "it is the name of a function; the build that made it is " + build},
			{"get_build", object{"build_id": run}, "it is a run_id, which get_run takes"},
			{"cancel_build", object{"build_id": run}, "it is a run_id, which get_run takes"},
			{"build_automation", object{"query": "more", "continue_build": function}, "the build that made the function is " + build},
			{"build_automation", object{"query": "more", "continue_build": run}, "it is a run_id, which get_run takes"},
			{"get_run", object{"run_id": build}, "it is a build_id, which get_build takes"},
			{"get_run", object{"run_id": function}, "it is a function, which run_function runs; list_runs finds its runs"},
			{"cancel_run", object{"run_id": "run_gone"}, "there is none with this ID, or it has expired."},
		} {
			if r := f.call(c.tool, c.args); !r.isError || !strings.Contains(r.text, c.want) {
				t.Errorf("%s(%v): isError %v, %q\nwant %q", c.tool, c.args, r.isError, r.text, c.want)
			}
		}
		if n := len(f.notte.Requests()); n != before {
			t.Errorf("wrong IDs made %d requests", n-before)
		}
	})
}

// For any arguments, a call is answered in one or two sentences without Go's own
// terms. The key is missing, so no call gets past its arguments.
func FuzzArguments(f *testing.F) {
	for _, seed := range []string{
		`{}`, `null`, `[]`, `{"query":"q","wait_seconds":1e300}`, `{"wait_seconds":5.0,"query":"\ud800"}`, `{"query":{}}`,
		`{"run_id":"r","offset":99999999999999999999}`, `{"Query":"q"}`, `{"function_id":"f","variables":{"a":[{}]}}`, `{"limit":"5x"}`,
		`{"run_id":"r","path":"/a~1","fields":["a",7],"limit":"x"}`, `{"run_id":"r","path":7,"fields":"a,,b"}`, `"{\"limit\":2}"`, `{"query":"a","query":"b"}`, `{"function_id":"f","variables":"{\"a\":1}"}`, `{"function_id":"f","variables":"{\"a\":1,\"a\":2}"}`,
		`{"toolCallId":"c","forceNew":1,"":null}`, "{\"run_id\":\"`r`\\n\",\"wait_seconds\":\"2.5\"}",
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, raw []byte) {
		var decoded any
		if json.Unmarshal(raw, &decoded) != nil {
			t.Skip("mcp-go refuses it")
		}
		fixture := newFixture(t, "")
		for _, tool := range []string{"build_automation", "get_run", "run_function", "list_builds"} {
			r := fixture.call(tool, json.RawMessage(raw))
			if !r.isError || len(r.text) > 1000 || strings.Contains(r.text, "json:") || strings.Contains(r.text, "struct") {
				t.Errorf("%s(%.200s): isError %v, %q", tool, raw, r.isError, r.text)
			}
		}
	})
}
