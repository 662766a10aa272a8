package tools_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/anything-mcp/anything-mcp/notte/sandbox"
)

// posts is a function as Notte has one.
var posts = sandbox.Function{
	Name: "top-posts", Description: "Fetches the top posts.", Domain: "news.example.com", Source: "anything",
	Instructions: "Opens the page.", ResponseFormat: object{"type": "array"}, RequiredSecrets: []string{"TOKEN", "OTHER"},
	Variables: []sandbox.Variable{{Name: "count", Type: "int", Default: new("3")}, {Name: "site", Type: "str"}},
	Run:       &sandbox.Outcome{Result: 1, After: 2 * time.Second},
}

func functionsOf(r result) []any { list, _ := r.object["functions"].([]any); return list }

func TestFindFunctions(t *testing.T) {
	inBubble(t, func(t *testing.T, f *fixture) {
		r := f.call("find_functions", object{})
		f.wants(r, false, object{"functions": []any{}, "stale": absent, "next_cursor": absent})
		if next := r.str("next_step"); !strings.Contains(next, "no functions yet") {
			t.Errorf("next_step = %q", next)
		}
		<-time.After(time.Minute)
		id := f.notte.AddFunction(posts)
		f.notte.AddFunction(sandbox.Function{Name: "tides", Domain: "sea.example.org", Description: strings.Repeat("tide ", 100)})
		f.call("run_function", object{"function_id": id, "variables": object{"site": "x"}})
		r = f.call("find_functions", object{"query": "fetch posts"})
		if got := functionsOf(r); len(got) != 1 {
			t.Fatalf("got %s", r.text)
		}
		wants(t, functionsOf(r)[0].(object), object{
			"function_id": id, "name": "top-posts", "description": "Fetches the top posts.", "site": "news.example.com",
			"signature": "count: integer = 3, site: string", "last_run": object{"at": "2000-01-01T00:01:00Z", "ok": true},
		})
		for _, c := range []struct {
			args object
			n    int
			next string
		}{
			{object{"query": "tide"}, 1, "run_function"},
			{object{"site": "example.com"}, 1, "run_function"},
			{object{"site": "https://sea.example.org/x", "query": "tide"}, 1, "run_function"},
			{object{"query": "posts", "site": "example.org"}, 0, "No function matches"},
			{object{"query": "unheard-of"}, 0, "build_automation"},
			{object{"query": ""}, 2, "run_function"},
		} {
			r := f.call("find_functions", c.args)
			if len(functionsOf(r)) != c.n || !strings.Contains(r.str("next_step"), c.next) {
				t.Errorf("%v: %s", c.args, r.text)
			}
			for _, found := range functionsOf(r) {
				if text := found.(object)["description"].(string); len([]rune(text)) > 200 {
					t.Errorf("a description of %d characters", len(text))
				}
			}
		}
	})
}

func TestFindFunctionsPages(t *testing.T) {
	inBubble(t, func(t *testing.T, f *fixture) {
		for range 25 {
			f.notte.AddFunction(sandbox.Function{Name: "same"})
		}
		seen := make(map[any]bool)
		args := object{"query": "same", "limit": 10}
		for pages := 1; ; pages++ {
			r := f.call("find_functions", args)
			for _, found := range functionsOf(r) {
				seen[found.(object)["function_id"]] = true
			}
			if args["cursor"] = r.str("next_cursor"); args["cursor"] == "" {
				if pages != 3 || len(seen) != 25 {
					t.Errorf("%d functions on %d pages", len(seen), pages)
				}
				break
			}
		}
		for _, cursor := range []string{"x", "MTI", "ZnVuY3Rpb25zIC0x", f.call("list_builds", object{}).str("next_cursor") + "%"} {
			if r := f.call("find_functions", object{"cursor": cursor}); !r.isError || !strings.Contains(r.text, "cursor must be the next_cursor of an earlier page: it is ") {
				t.Errorf("cursor %q: %s", cursor, r.text)
			}
		}
	})
}

func TestFindFunctionsWithoutNotte(t *testing.T) {
	inBubble(t, func(t *testing.T, f *fixture) {
		away := sandbox.Status(http.StatusInternalServerError, "text/plain", "out of order")
		f.notte.FaultNext(1, "GET", "/functions", away)
		if r := f.call("find_functions", object{}); !r.isError || !strings.Contains(r.text, "could not list the functions: ") {
			t.Errorf("with nothing stored: %s", r.text)
		}
		f.notte.AddFunction(posts)
		f.call("find_functions", object{})
		<-time.After(time.Minute)
		f.notte.Fault("GET", "/functions", away)
		r := f.call("find_functions", object{"query": "posts"})
		f.wants(r, false, object{"stale": true, "as_of": "2000-01-01T00:00:00Z"})
		if len(functionsOf(r)) != 1 {
			t.Errorf("got %s", r.text)
		}
	})
}

func TestGetFunction(t *testing.T) {
	inBubble(t, func(t *testing.T, f *fixture) {
		built := f.call("build_automation", object{"query": "fetch the top posts from news.example.com"})
		r := f.call("get_function", object{"function_id": built.str("function_id")})
		f.wants(r, false, object{"built_by": object{
			"build_id": built.str("build_id"), "query": "fetch the top posts from news.example.com", "total_cost_usd": built.object["total_cost_usd"],
		}, "runs": absent, "required_secrets": absent, "schedule": absent})

		id := f.notte.AddFunction(posts)
		f.send("POST", "/functions/"+id+"/schedule", `{"cron":"30 6 * * *"}`)
		f.send("POST", "/secrets", `{"name":"TOKEN","namespace":"function_env","value":"s3cret"}`)
		for range 2 {
			f.call("run_function", object{"function_id": id, "variables": object{"site": "x"}})
		}
		f.notte.UpdateFunction(id, func(n *sandbox.Function) {
			n.Run = &sandbox.Outcome{Result: "Script execution failed: no button"}
		})
		f.call("run_function", object{"function_id": id, "variables": object{"site": "x"}})
		<-time.After(time.Minute)
		r = f.call("get_function", object{"function_id": id})
		f.wants(r, false, object{
			"name": "top-posts", "instructions": "Opens the page.", "latest_version": "2", "versions": 2.0, "source": "anything",
			"variables": []any{
				object{"name": "count", "type": "integer", "required": false, "default": 3.0},
				object{"name": "site", "type": "string", "required": true},
			},
			"response_format":  object{"type": "array"},
			"required_secrets": []any{object{"name": "TOKEN", "set": true}, object{"name": "OTHER", "set": false}},
			"schedule":         object{"cron": "30 6 * * *", "state": "active", "next": "2000-01-01T06:30:00Z"},
			"runs":             object{"count": 3.0, "ok": 2.0, "typical_seconds": 2.0, "last_error": "Script execution failed: no button"},
			"built_by":         absent, "stale": absent,
		})
		if strings.Contains(r.text, "s3cret") || !strings.Contains(r.str("next_step"), "secrets that are not set") {
			t.Errorf("got %s", r.text)
		}
	})
}

// Cron expressions from outside, some of which make the parser panic.
func TestGetFunctionSchedule(t *testing.T) {
	inBubble(t, func(t *testing.T, f *fixture) {
		for cron, next := range map[string]any{
			"0 0 1 1 *": "2001-01-01T00:00:00Z", "*/5 * * * *": "2000-01-01T00:05:00Z", "0 0 30 2 *": absent,
			"TZ=0 * * * *": absent, "99 * * * *": absent, "a b c d e": absent, "*/0 * * * *": absent,
		} {
			id := f.notte.AddFunction(posts)
			f.send("POST", "/functions/"+id+"/schedule", `{"cron":"`+cron+`"}`)
			schedule, _ := f.call("get_function", object{"function_id": id}).object["schedule"].(object)
			wants(t, schedule, object{"cron": cron, "next": next})
		}
	})
}

func TestGetFunctionUnknown(t *testing.T) {
	inBubble(t, func(t *testing.T, f *fixture) {
		for _, c := range []struct{ id, want string }{
			{"00000000-0000-4000-8000-000000000000", "The account has no function with the ID 00000000-0000-4000-8000-000000000000: find_functions lists those that it has."},
			{"run_x", "it is a run_id, which get_run takes"},
			{"../x", `it is "../x".`},
		} {
			if r := f.call("get_function", object{"function_id": c.id}); !r.isError || !strings.HasSuffix(strings.TrimSuffix(r.text, "."), strings.TrimSuffix(c.want, ".")) {
				t.Errorf("%q: %s", c.id, r.text)
			}
		}
	})
}

// Texts that attack their reader reach a model clean.
func TestHostileFunctions(t *testing.T) {
	inBubble(t, func(t *testing.T, f *fixture) {
		for _, hostile := range sandbox.HostileFunctions() {
			id := f.notte.AddFunction(hostile)
			for _, r := range []result{f.call("get_function", object{"function_id": id}), f.call("find_functions", object{})} {
				f.wants(r, false, object{"stale": absent})
				if strings.ContainsAny(r.text, "\u202e\u200b\x1b\U000E0041") || strings.Contains(r.text, `\u001b`) || len(r.text) > 40_000 {
					t.Errorf("%d bytes: %.2000q", len(r.text), r.text)
				}
			}
			f.call("find_functions", object{})
		}
	})
}

// posted returns how many requests Notte got that may start something.
func (f *fixture) posted() (n int) {
	for _, r := range f.notte.Requests() {
		if r.Method == "POST" {
			n++
		}
	}
	return n
}

func TestRunChecksVariables(t *testing.T) {
	inBubble(t, func(t *testing.T, f *fixture) {
		id := f.notte.AddFunction(posts)
		for _, variables := range []any{object{}, object{"site": "x", "cuont": 1}, object{"site": "x", "count": "many"}, `{"Site":"x"}`} {
			r := f.call("run_function", object{"function_id": id, "variables": variables})
			if !r.isError || !strings.HasPrefix(r.text, `The variables do not fit the function "top-posts", which takes count: integer = 3, site: string: `) ||
				!strings.HasSuffix(r.text, ". Nothing was started or changed.") {
				t.Errorf("%v: %s", variables, r.text)
			}
		}
		if n := f.posted(); n != 0 {
			t.Errorf("%d requests started something", n)
		}
		r := f.call("run_function", object{"function_id": id, "variables": object{"site": "x", "count": "2"}})
		f.wants(r, false, object{"ok": true, "function_version": "1", "warnings": absent})

		f.notte.UpdateFunction(id, func(n *sandbox.Function) { n.Variables[1].Name = "page" })
		r = f.call("run_function", object{"function_id": id, "variables": object{"page": "x"}})
		f.wants(r, false, object{"ok": true, "function_version": "2", "warnings": absent})

		<-time.After(time.Minute)
		f.notte.Fault("GET", "/functions/{id}", sandbox.Status(http.StatusInternalServerError, "text/plain", "out of order"))
		r = f.call("run_function", object{"function_id": id, "variables": object{"page": "x"}})
		f.wants(r, false, object{"ok": true, "warnings": []any{
			"The variables were not checked before the start, because Notte could not be asked what the function takes."}})
	})
}

func TestBuildNamesSimilarFunctions(t *testing.T) {
	inBubble(t, func(t *testing.T, f *fixture) {
		id := f.notte.AddFunction(posts)
		r := f.call("build_automation", object{"query": "fetch posts of news.example.com", "wait_seconds": 0})
		f.wants(r, false, object{"similar_functions": absent}) // nothing is stored
		f.call("find_functions", object{})
		before := len(f.notte.Requests())
		query := "get the newest posts from https://news.example.com/"
		r = f.call("build_automation", object{"query": query, "wait_seconds": 0})
		f.wants(r, false, object{"similar_functions": []any{
			object{"function_id": id, "name": "top-posts", "signature": "count: integer = 3, site: string"}}})
		if !strings.Contains(r.str("next_step"), "similar_functions") {
			t.Errorf("next_step = %q", r.str("next_step"))
		}
		for _, requests := range f.notte.Requests()[before:] {
			if requests.Method == "GET" {
				t.Errorf("it asked for %s", requests.Path)
			}
		}
		f.wants(f.call("build_automation", object{"query": query}), false, object{"joined": true, "similar_functions": absent})
		f.wants(f.call("get_build", object{"build_id": r.str("build_id")}), false, object{"similar_functions": absent})
	})
}

// send makes a request to the sandbox that the tools do not make.
func (f *fixture) send(method, path, body string) {
	f.t.Helper()
	req, err := http.NewRequestWithContext(f.t.Context(), method, "http://api.test"+path, strings.NewReader(body))
	if err != nil {
		f.t.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer "+key)
	req.Header.Set("Content-Type", "application/json")
	resp, err := f.http.Do(req)
	if err != nil {
		f.t.Fatal(err)
	}
	if resp.Body.Close(); resp.StatusCode >= 300 {
		f.t.Fatalf("%s %s: %s", method, path, resp.Status)
	}
}
