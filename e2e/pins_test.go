package e2e_test

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/anything-mcp/anything-mcp/notte/sandbox"
)

var tides = sandbox.Function{
	ID: "tides", Name: "tide-tables", Description: "Reads the tide tables of a harbour.", Domain: "sea.example.org",
	Variables: []sandbox.Variable{{Name: "harbour", Type: "str"}, {Name: "days", Type: "int", Default: new("3")}},
}

// tools lists the names of the tools.
func (c *conn) tools() (names []string) {
	c.t.Helper()
	var list struct{ Tools []struct{ Name string } }
	if err := json.Unmarshal(c.answer(c.request("tools/list", nil)).Result, &list); err != nil {
		c.t.Fatal(err)
	}
	for _, tool := range list.Tools {
		names = append(names, tool.Name)
	}
	return names
}

// has reports whether a tool is listed.
func (c *conn) has(tool string) bool {
	c.t.Helper()
	return strings.Contains(" "+strings.Join(c.tools(), " ")+" ", " "+tool+" ")
}

// A function is pinned, called as a tool and by its name, and unpinned. What does not
// fit starts nothing.
func TestPins(t *testing.T) {
	forEachTransport(t, bothEras, func(t *testing.T, api *service, c *conn, _ *process) {
		api.AddFunction(tides)
		if c.has("tides") {
			t.Error("a tool is listed before it is pinned")
		}
		for _, step := range []struct {
			tool, arguments, want string
			starts                int
		}{
			{"pin_function", `{"function_id":"tides","name":"run_function"}`, "is the name of another tool of this server: take another name. Nothing was", 0},
			{"pin_function", `{"function_id":"tides","name":"tides","description":"Tells the <b>tides</b>."}`, `{"pinned_as":"tides","tool":{"annotations":`, 0},
			{"get_function", `{"function_id":"tides"}`, `"pinned_as":"tides"`, 0},
			{"tides", `{"harbour":"Brest","days":"2"}`, `"function_version":"1"`, 1},
			{"tides", `{"days":2}`, `harbour is missing. Nothing was started`, 0},
			{"tides", `{"harbour":"Brest","day":2}`, `tides takes no argument "day": write days if that is meant.`, 0},
			{"run_function", `{"function_id":"tides","variables":{"harbour":"Brest"}}`, `"ok":true`, 1},
			{"find_functions", `{"query":"tide"}`, `"pinned_as":"tides"`, 0},
			{"pin_function", `{"function_id":"tides","name":"other","fixed":{"harbour":"Brest"}}`, `"pinned_as":"other"`, 0},
			{"other", `{}`, `"ok":true`, 1},
			{"pin_function", `{"function_id":"other","pinned":false}`, `Unpinned: other.`, 0},
			{"other", `{}`, "There is no tool of that name", 0},
		} {
			before := starts(api)
			if out := c.said(step.tool, step.arguments); !strings.Contains(out, step.want) {
				t.Errorf("%s(%s) was answered with %.700s", step.tool, step.arguments, out)
			}
			if n := starts(api) - before; n != step.starts {
				t.Errorf("%s(%s) started %d builds and runs, want %d", step.tool, step.arguments, n, step.starts)
			}
		}
		if !c.has("tides") || c.has("other") {
			t.Errorf("the tools are %v", c.tools())
		}
	})
}

// said calls a tool, and returns its answer or the error.
func (c *conn) said(tool, arguments string) string {
	c.t.Helper()
	m := c.answer(c.request("tools/call", map[string]any{"name": tool, "arguments": json.RawMessage(arguments)}))
	if m.Error != nil {
		return m.Error.Message
	}
	return m.outcome(c.t).text
}

// Two processes share the pins of one account, and tell their hosts of changes after
// the answer that caused them. Another account in the same database sees none.
func TestTwoProcessesSharePins(t *testing.T) {
	t.Parallel()
	api, url := newSandbox(t)
	api.AddFunction(tides)
	dir := t.TempDir()
	ha, hb := newHostIn(t, url, dir), newHostIn(t, url, dir)
	a, b := ha.connect(legacy), hb.connect(modern)
	other := newHostWith(t, url, []string{"NOTTE_API_KEY=sk-another-account-1234567890"}, "--state-dir", dir).connect(legacy)
	for _, c := range []*conn{a, b, other} {
		if c.has("tides") {
			t.Fatal("a pin is there from the start")
		}
	}
	b.request("subscriptions/listen", map[string]any{"notifications": map[string]any{"toolsListChanged": true}})
	hb.stdout.await(t, "the acknowledgement", func(line string, _ message) bool { return strings.Contains(line, "subscriptions/acknowledged") })
	notices := func(h *host) (n int) { return strings.Count(h.stdout.String(), "notifications/tools/list_changed") }
	told := func(h *host, n int) {
		t.Helper()
		deadline := time.After(awaitTimeout)
		for notices(h) < n {
			select {
			case <-time.After(20 * time.Millisecond):
			case <-deadline:
				t.Fatalf("%d notices came, want %d:\n%s", notices(h), n, h.stdout.String())
			}
		}
	}
	if out := a.said("pin_function", `{"function_id":"tides","name":"tides"}`); !strings.Contains(out, `"pinned_as":"tides"`) {
		t.Fatal(out)
	}
	told(ha, 1)
	told(hb, 1)
	if all := ha.stdout.String(); strings.Index(all, "list_changed") < strings.LastIndex(all, `\"pinned_as\"`) {
		t.Error("the notice came before the answer to the call that caused it")
	}
	for c, want := range map[*conn]bool{a: true, b: true, other: false} {
		if c.has("tides") != want {
			t.Errorf("the pin is listed: %v, want %v", !want, want)
		}
	}
	if out := b.said("tides", `{"harbour":"Brest"}`); !strings.Contains(out, `"ok":true`) {
		t.Errorf("called in the other process: %s", out)
	}
	if out := b.said("pin_function", `{"function_id":"tides","pinned":false}`); !strings.Contains(out, "Unpinned") {
		t.Error(out)
	}
	told(ha, 2)
	told(hb, 2)
	if a.has("tides") || b.has("tides") {
		t.Error("the pin is listed after it was taken away")
	}
	checkDatabase(t, dir)
}
