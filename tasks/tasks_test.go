package tasks

import (
	"encoding/json"
	"testing"

	"github.com/mark3labs/mcp-go/mcp"
)

func TestDeclared(t *testing.T) {
	for raw, want := range map[string]bool{
		`{}`: false, `null`: false,
		`{"extensions":{}}`: false,
		`{"tasks":{}}`:      false,
		`{"extensions":{"io.modelcontextprotocol/tasks":null}}`:              false,
		`{"extensions":{"io.modelcontextprotocol/tasks":true}}`:              false,
		`{"extensions":{"io.modelcontextprotocol/tasks":[]}}`:                false,
		`{"extensions":{"io.modelcontextprotocol/ui":{}}}`:                   false,
		`{"extensions":{"io.modelcontextprotocol/tasks":{}}}`:                true,
		`{"extensions":{"io.modelcontextprotocol\/tasks":{}}}`:               true,
		`{"extensions":{"x":1,"io.modelcontextprotocol/tasks":{"later":1}}}`: true,
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
