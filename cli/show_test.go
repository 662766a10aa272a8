package cli

import (
	"encoding/json"
	"testing"

	"github.com/anything-mcp/anything-mcp/notte"
)

func TestVariableWord(t *testing.T) {
	for byDefault, want := range map[string]string{
		``:                "v=VALUE",
		`""`:              "v=VALUE",
		`3`:               "v=3",
		`"3"`:             "v=3",
		`"'https://a.b'"`: "v=https://a.b",
		`"'"`:             "v='",
		`"a\u001b[31mb"`:  "v=ab",
	} {
		if got := variableWord(notte.Variable{Name: "v", Default: json.RawMessage(byDefault)}); got != want {
			t.Errorf("with the default %s: %s, want %s", byDefault, got, want)
		}
	}
}
