package cli

import (
	"encoding/json"
	"testing"

	"github.com/anything-mcp/anything-mcp/functions"
)

func TestVariableWord(t *testing.T) {
	for byDefault, want := range map[string]string{
		``:              "v=VALUE",
		`""`:            "v=VALUE",
		`3`:             "v=3",
		`true`:          "v=true",
		`"https://a.b"`: "v=https://a.b",
		`"it's"`:        "v=it's",
	} {
		if got := variableWord(functions.Variable{Name: "v", Default: json.RawMessage(byDefault)}); got != want {
			t.Errorf("with the default %s: %s, want %s", byDefault, got, want)
		}
	}
}
