package tools_test

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/google/jsonschema-go/jsonschema"
	"github.com/mark3labs/mcp-go/mcp"

	"github.com/anything-mcp/anything-mcp/tools"
)

func TestToolsList(t *testing.T) {
	f := newFixture(t, "")
	var list struct{ Tools json.RawMessage }
	f.request(t.Context(), "tools/list", object{}, &list)
	if n := len(list.Tools); n > 14<<10 {
		t.Errorf("the tools take %d bytes, want at most 14 KiB: each costs context in every conversation", n)
	} else {
		t.Logf("the tools take %d bytes", n)
	}
	for _, banned := range []string{"$ref", "anyOf", "oneOf", "allOf", `"null"`} {
		if strings.Contains(string(list.Tools), banned) {
			t.Errorf("the schemas must be flat, and hold %s", banned)
		}
	}
	var pretty bytes.Buffer
	if err := json.Indent(&pretty, list.Tools, "", "  "); err != nil {
		t.Fatal(err)
	}
	golden(t, "testdata/tools.json", pretty.Bytes())
}

// JSON Schema knows true as the schema of any value. The TypeScript SDK refuses the
// whole list for one.
func TestSchemasAreObjects(t *testing.T) {
	f := newFixture(t, "")
	var list struct {
		Tools []struct {
			Name                      string
			InputSchema, OutputSchema struct {
				Properties map[string]struct{ Items any }
			}
		}
	}
	// A property that is no object does not fit.
	f.request(t.Context(), "tools/list", object{}, &list)
	for _, tool := range list.Tools {
		for name, p := range tool.OutputSchema.Properties {
			if _, ok := p.Items.(map[string]any); p.Items != nil && !ok {
				t.Errorf("%s: the schema of the items of %s is %v", tool.Name, name, p.Items)
			}
		}
	}
}

// The bounds that are exported are those of the schemas.
func TestBounds(t *testing.T) {
	f := newFixture(t, "")
	var list struct {
		Tools []struct {
			Name        string
			InputSchema jsonschema.Schema
		}
	}
	f.request(t.Context(), "tools/list", object{}, &list)
	for _, tool := range list.Tools {
		if p := tool.InputSchema.Properties["query"]; tool.Name == "build_automation" && *p.MaxLength != tools.MaxQuery {
			t.Errorf("%s: a query has at most %d characters, want %d", tool.Name, *p.MaxLength, tools.MaxQuery)
		}
		if p := tool.InputSchema.Properties["wait_seconds"]; p != nil && *p.Maximum != tools.MaxWait.Seconds() {
			t.Errorf("%s: wait_seconds is at most %v, want %v", tool.Name, *p.Maximum, tools.MaxWait)
		}
	}
}

// A transport that cannot let a call wait after its handler has returned gets
// the same result.
func TestCallWithoutDeferral(t *testing.T) {
	inBubble(t, func(t *testing.T, f *fixture) {
		message := json.RawMessage(`{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"list_builds","arguments":{}}}`)
		raw, err := json.Marshal(f.server.MCP.HandleMessage(t.Context(), message))
		if err != nil {
			t.Fatal(err)
		}
		if want := `"structuredContent":{"builds":[],"spent_today_usd":0,"spent_30_days_usd":0}`; !strings.Contains(string(raw), want) {
			t.Errorf("answer = %s, want it to hold %s", raw, want)
		}
	})
}

// initialize returns the server's answer to a client of 2025-11-25.
func (f *fixture) initialize() (result mcp.InitializeResult) {
	f.t.Helper()
	f.request(f.t.Context(), "initialize", object{
		"protocolVersion": "2025-11-25", "capabilities": object{}, "clientInfo": object{"name": "t", "version": "1"},
	}, &result)
	return result
}

func TestInstructions(t *testing.T) {
	f := newFixture(t, "")
	text := f.initialize().Instructions
	if n := len(text); n == 0 || n > 1500 {
		t.Errorf("the instructions have %d characters, want 1 to 1,500", n)
	}
	golden(t, "testdata/instructions.txt", []byte(text))
}

func TestWithoutKey(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFixture(t, "")
		for tool, args := range map[string]object{
			"build_automation": {"query": "q"}, "get_build": {"build_id": "b"}, "cancel_build": {"build_id": "b"},
			"find_functions": {}, "get_function": {"function_id": "f"}, "run_function": {"function_id": "f"}, "get_run": {"run_id": "r"}, "cancel_run": {"run_id": "r"},
		} {
			r := f.call(tool, args)
			if !r.isError || !strings.HasSuffix(r.text, noKeyAdvice) {
				t.Errorf("%s without a key: isError %v, %q", tool, r.isError, r.text)
			}
		}
		if n := len(f.notte.Requests()); n != 0 {
			t.Errorf("%d requests went out without a key", n)
		}
	})
}
