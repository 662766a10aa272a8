package cli

import (
	"errors"
	"io"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/alecthomas/kong"
	"github.com/mark3labs/mcp-go/mcp"

	"github.com/anything-mcp/anything-mcp/notte"
)

func parse(t *testing.T, args []string, environ ...string) commands {
	t.Helper()
	var c commands
	parser, err := kong.New(&c, kong.Resolvers(newEnvironment(environ)), kong.Exit(func(int) {}), kong.Writers(io.Discard, io.Discard))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := parser.Parse(args); err != nil {
		t.Fatal(err)
	}
	return c
}

func TestPrecedence(t *testing.T) {
	wait := func(c commands) any { return time.Duration(c.Stdio.Wait) }
	tests := []struct {
		name    string
		args    []string
		environ []string
		get     func(commands) any
		want    any
	}{
		{"default", nil, nil, wait, 45 * time.Second},
		{"variable over default", nil, []string{"ANYTHING_MCP_WAIT=1m30s"}, wait, 90 * time.Second},
		{"flag over variable", []string{"--wait", "20"}, []string{"ANYTHING_MCP_WAIT=1m"}, wait, 20 * time.Second},
		{"empty variable", nil, []string{"ANYTHING_MCP_WAIT="}, wait, 45 * time.Second},
		{"blank variable", nil, []string{"ANYTHING_MCP_WAIT=  "}, wait, 45 * time.Second},
		{"the last of a variable", nil, []string{"ANYTHING_MCP_WAIT=1s", "ANYTHING_MCP_WAIT=2s"}, wait, 2 * time.Second},
		{"switch", []string{"version"}, []string{"ANYTHING_MCP_SANDBOX=1"}, func(c commands) any { return c.settings.Sandbox }, true},
		{"switch turned off", []string{"--sandbox=false"}, []string{"ANYTHING_MCP_SANDBOX=1"}, func(c commands) any { return c.settings.Sandbox }, false},
		{"Notte's address", nil, nil, func(c commands) any { return c.APIURL }, notte.DefaultAPIURL},
		{"Notte's other address", nil, nil, func(c commands) any { return c.AnythingURL }, notte.DefaultAnythingURL},
		{"Notte's variable", nil, []string{"NOTTE_API_URL=http://a.example"}, func(c commands) any { return c.APIURL }, "http://a.example"},
		{"Notte's other variable", nil, []string{"NOTTE_ANYTHING_URL=http://b.example"}, func(c commands) any { return c.AnythingURL }, "http://b.example"},
		{"list", []string{"http"}, []string{"ANYTHING_MCP_ALLOW_HOST=a.example,b.example"}, func(c commands) any { return strings.Join(c.HTTP.AllowHost, "+") }, "a.example+b.example"},
		{"list by flags", []string{"http", "--allow-host=a.example", "--allow-host", "b.example,c.example"}, nil, func(c commands) any { return strings.Join(c.HTTP.AllowHost, "+") }, "a.example+b.example+c.example"},
		{"help is no setting", nil, []string{"ANYTHING_MCP_HELP=1"}, wait, 45 * time.Second},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := tt.get(parse(t, tt.args, tt.environ...)); got != tt.want {
				t.Errorf("got %v, want %v", got, tt.want)
			}
		})
	}
}

func TestBlameNamesTheVariable(t *testing.T) {
	vars := newEnvironment([]string{"ANYTHING_MCP_KEEP_ALIVE=0", "ANYTHING_MCP_IDLE_TIMEOUT=5m", "NOTTE_API_URL=x"})
	for text, want := range map[string]string{
		"--keep-alive must be more": "ANYTHING_MCP_KEEP_ALIVE must be more",
		"--api-url: what":           "NOTTE_API_URL: what",
		"--keep-alive-not-that one": "--keep-alive-not-that one",
		"--wait must be less":       "--wait must be less",
		"--idle-timeout must be":    "--idle-timeout must be", // it was typed
		"what":                      "what",
		"":                          "",
	} {
		if got := vars.blame(errors.New(text), []string{"http", "--idle-timeout=0"}).Error(); got != want {
			t.Errorf("blame(%q) = %q, want %q", text, got, want)
		}
	}
}

func TestVersionsAreThoseOfTheEngine(t *testing.T) {
	want := slices.Sorted(slices.Values(mcp.ValidProtocolVersions))
	if got := mcpVersions(); !slices.Equal(got, want) {
		t.Errorf("version tells of %v, and the engine speaks %v", got, want)
	}
}
