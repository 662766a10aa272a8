package e2e_test

import (
	"fmt"
	"strings"
	"sync"
	"testing"

	"github.com/anything-mcp/anything-mcp/notte/sandbox"
)

// A thousand functions, hostile ones among them: one is found, looked at and run with
// variables that fit. Variables that do not fit start nothing.
func TestFunctions(t *testing.T) {
	fillers := 990
	if testing.Short() {
		fillers = 190 // ten pages take a slow machine longer than a call waits for them
	}
	forEachTransport(t, bothEras, func(t *testing.T, api *service, c *conn, _ *process) {
		for i := range fillers {
			api.AddFunction(sandbox.Function{Name: fmt.Sprintf("filler-%d", i), Description: "Fetches pages of a shop.", Domain: "shop.example.com"})
		}
		for _, hostile := range sandbox.HostileFunctions() {
			api.AddFunction(hostile)
		}
		api.AddFunction(sandbox.Function{
			ID: "tides", Name: "tide-tables", Description: "Reads the tide tables of a harbour.", Domain: "sea.example.org",
			Variables: []sandbox.Variable{{Name: "harbour", Type: "str"}, {Name: "days", Type: "int", Default: new("3")}},
		})
		for _, step := range []struct {
			tool, arguments, want string
			starts                int
		}{
			{"find_functions", `{"query":"harbour tides"}`, `"functions":[{"function_id":"tides","name":"tide-tables"`, 0},
			{"find_functions", `{"query":"filler-98"}`, `"name":"filler-98`, 0},
			{"find_functions", `{"site":"example.org","limit":"1"}`, `"signature":"harbour: string, days: integer = 3"`, 0},
			{"find_functions", `{"limit":100}`, `"next_cursor":`, 0},
			{"find_functions", `{"cursor":"zzz"}`, `cursor must be the next_cursor of an earlier page: it is "zzz".`, 0},
			{"get_function", `{"function_id":"tides"}`, `"variables":[{"name":"harbour","type":"string","required":true},`, 0},
			{"get_function", `{"function_id":"00000000-0000-4000-8000-000000000000"}`, "The account has no function with the ID 00000000-0000-4000-8000-000000000000", 0},
			{"run_function", `{"function_id":"tides"}`, `harbour is missing. Nothing was started or changed.`, 0},
			{"run_function", `{"function_id":"tides","variables":{"harbour":"Brest","day":1}}`, `there is no variable "day". Nothing was started`, 0},
			{"run_function", `{"function_id":"tides","variables":"{\"harbour\":\"Brest\",\"days\":\"x\"}"}`, `days must be a whole number and is "x". Nothing`, 0},
			{"run_function", `{"function_id":"tides","variables":{"harbour":"Brest","days":2}}`, `"function_version":"1"`, 1},
			{"find_functions", `{"query":"tide"}`, `"last_run":{"at":"`, 0},
			{"build_automation", `{"query":"normal tide tables of sea.example.org"}`, `"similar_functions":[{"function_id":"tides"`, 1},
		} {
			before := starts(api)
			out := c.raw(step.tool, step.arguments)
			if !strings.Contains(out.text, step.want) {
				t.Errorf("%s(%s) was answered with %.700s", step.tool, step.arguments, out.text)
			}
			if n := starts(api) - before; n != step.starts {
				t.Errorf("%s(%s) started %d builds and runs, want %d", step.tool, step.arguments, n, step.starts)
			}
		}
	})
}

// Two processes read the list once, and both know it when Notte is away.
func TestTwoProcessesOneCatalogue(t *testing.T) {
	t.Parallel()
	api, url := newSandbox(t)
	api.AddFunction(sandbox.Function{ID: "fn", Name: "tide-tables"})
	_, a, b := twoServers(t, url)
	wait, open := gate(t)
	api.Fault("GET", "/functions", wait, sandbox.Demo())
	ids := map[*conn]int{a: a.call("find_functions", args{}), b: b.call("find_functions", args{})}
	open()
	for c, id := range ids {
		if out := c.outcome(id); !strings.Contains(out.text, "tide-tables") || strings.Contains(out.text, `"stale"`) {
			t.Errorf("a process got %s", out.text)
		}
	}
	if n := requests(api, "GET", "/functions"); n != 1 {
		t.Errorf("the list was read %d times", n)
	}
	api.Fault("", "/*", sandbox.Status(503, "text/plain", "away"))
	var both sync.WaitGroup
	for c := range ids {
		both.Go(func() {
			if out := c.outcome(c.call("find_functions", args{"query": "tide"})); !strings.Contains(out.text, `"function_id":"fn"`) {
				t.Errorf("with Notte away a process got %s", out.text)
			}
		})
	}
	both.Wait()
}

// Listing tools and initializing neither read nor write anything.
func TestCatalogueIsReadOnDemand(t *testing.T) {
	forEachTransport(t, bothEras, func(t *testing.T, api *service, c *conn, _ *process) {
		c.answer(c.request("tools/list", nil))
		if n := len(api.Requests()); n != 0 {
			t.Errorf("%d requests before the first call", n)
		}
	})
}
