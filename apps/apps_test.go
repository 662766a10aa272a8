package apps

import (
	"encoding/json"
	"testing"

	"github.com/mark3labs/mcp-go/mcp"
)

func TestDeclared(t *testing.T) {
	for raw, want := range map[string]bool{
		`null`: false, `{}`: false, `{"extensions":{}}`: false,
		`{"extensions":{"io.modelcontextprotocol/ui":true}}`:                                                   false,
		`{"extensions":{"io.modelcontextprotocol/ui":{}}}`:                                                     false,
		`{"extensions":{"io.modelcontextprotocol/ui":{"mimeTypes":"text/html;profile=mcp-app"}}}`:              false,
		`{"extensions":{"io.modelcontextprotocol/ui":{"mimeTypes":["text/html"]}}}`:                            false,
		`{"extensions":{"io.modelcontextprotocol/tasks":{"mimeTypes":["text/html;profile=mcp-app"]}}}`:         false,
		`{"extensions":{"io.modelcontextprotocol/ui":{"mimeTypes":["text/html;profile=mcp-app"]}}}`:            true,
		`{"extensions":{"io.modelcontextprotocol/ui":{"mimeTypes":[1,"text/x","text/html;profile=mcp-app"]}}}`: true,
	} {
		var caps *mcp.ClientCapabilities
		if err := json.Unmarshal([]byte(raw), &caps); err != nil {
			t.Fatal(err)
		}
		if got := Declared(caps); got != want {
			t.Errorf("Declared(%s) = %t, want %t", raw, got, want)
		}
	}
}

func TestIsForPages(t *testing.T) {
	for _, tc := range []struct {
		meta *mcp.Meta
		want bool
	}{{nil, false}, {new(mcp.Meta), false}, {WithPage("ui://x"), false}, {ForPages(), true}} {
		if got := IsForPages(mcp.Tool{Meta: tc.meta}); got != tc.want {
			t.Errorf("IsForPages(%+v) = %t, want %t", tc.meta, got, tc.want)
		}
	}
}
