package tools_test

import (
	"encoding/json"
	"strings"
	"testing"
)

func TestBadInput(t *testing.T) {
	inBubble(t, func(t *testing.T, f *fixture) {
		long := strings.Repeat("é", 20_001)
		for _, c := range []struct {
			tool string
			args any
			want string
		}{
			{"build_automation", object{}, "query must be text of 1 to 20,000 characters: it is missing or blank."},
			{"build_automation", nil, "query must be"},
			{"build_automation", []int{1}, "must be one JSON object"},
			{"build_automation", object{"query": " \n"}, "missing or blank"},
			{"build_automation", object{"query": nil}, "missing or blank"},
			{"build_automation", object{"query": 7}, "query must be text of 1 to 20,000 characters: it is a number."},
			{"build_automation", object{"query": []int{}}, "it is an array."},
			{"build_automation", object{"query": long}, "it has 20001"},
			{"build_automation", object{"query": "q", "wait_seconds": "10"}, "wait_seconds must be a whole number of seconds from 0 to 3600: it is a string."},
			{"build_automation", object{"query": "q", "wait_seconds": 1.5}, "it is 1.5."},
			{"build_automation", object{"query": "q", "wait_seconds": -1}, "it is -1."},
			{"build_automation", object{"query": "q", "wait_seconds": 3601}, "it is 3601."},
			{"build_automation", object{"query": "q", "force_new": "yes"}, "force_new must be true or false: it is a string."},
			{"build_automation", object{"query": "q", "url": "x"}, `build_automation takes no argument "url"; it takes query, wait_seconds, force_new, continue_build.`},
			{"get_build", object{}, "build_id must be the build_id that build_automation returned: it is missing."},
			{"get_build", object{"build_id": "build_x"}, "there is none with this ID, or it has expired."},
			{"cancel_build", object{"build_id": "build_x"}, "there is none with this ID, or it has expired."},
			{"run_function", object{}, "function_id must be a function's ID: 1 to 128 letters, digits, - or _: it is missing."},
			{"run_function", object{"function_id": "../x"}, `it is "../x".`},
			{"run_function", object{"function_id": "f", "variables": []int{1}}, "variables must be an object with a value for each variable"},
			{"run_function", object{"function_id": "f", "variables": "x"}, "variables must be an object"},
			{"run_function", object{"function_id": "f", "variables": object{"x": strings.Repeat("y", 256<<10)}}, "variables must be an object"},
			{"get_run", object{"run_id": "run_x", "offset": -1}, "offset must be a whole number of bytes below result_bytes: it is -1."},
			{"get_run", object{"run_id": 3}, "run_id must be the run_id that run_function returned: it is a number."},
			{"cancel_run", object{"run_id": ""}, "it is missing."},
			{"list_builds", object{"status": "closed"}, `status must be one of running, done, error, timeout, cancelled, interrupted: it is "closed".`},
			{"list_builds", object{"limit": 0}, "limit must be a whole number from 1 to 100: it is 0."},
			{"list_builds", object{"limit": 101}, "it is 101."},
			{"list_builds", object{"cursor": "x"}, "cursor must be the next_cursor of an earlier page"},
			{"list_runs", object{"status": "done"}, "status must be one of running, closed"},
			{"list_runs", object{"function_id": "a/b"}, "function_id must be"},
		} {
			r := f.call(c.tool, c.args)
			if !r.isError || !strings.Contains(r.text, c.want) || r.object != nil {
				t.Errorf("%s(%.80v): isError %v, %q\nwant %q", c.tool, c.args, r.isError, r.text, c.want)
			}
			if len(r.text) > 400 {
				t.Errorf("%s: %d bytes are more than a sentence or two: %s", c.tool, len(r.text), r.text)
			}
		}
		if n := len(f.notte.Requests()); n != 0 {
			t.Errorf("bad input made %d requests", n)
		}
	})
}

// For any arguments, a call is answered in one or two sentences without Go's own
// terms. The key is missing, so no call gets past its arguments.
func FuzzArguments(f *testing.F) {
	for _, seed := range []string{
		`{}`, `null`, `[]`, `{"query":"q","wait_seconds":1e300}`, `{"wait_seconds":5.0,"query":"\ud800"}`, `{"query":{}}`,
		`{"run_id":"r","offset":99999999999999999999}`, `{"Query":"q"}`, `{"function_id":"f","variables":{"a":[{}]}}`, `{"limit":"5x"}`,
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
