package cli

import (
	"io"
	"maps"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/mark3labs/mcp-go/mcp"
	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// parse returns the value of each flag after a command line and an environment.
func parse(t *testing.T, args []string, environ ...string) map[string]string {
	t.Helper()
	p := newProgram(Env{Environ: environ, Stdout: io.Discard, Stderr: io.Discard})
	root := p.rootCommand()
	values := make(map[string]string)
	for _, command := range append(root.Commands(), root) {
		command.RunE = func(cmd *cobra.Command, _ []string) error {
			cmd.Flags().VisitAll(func(f *pflag.Flag) { values[f.Name] = f.Value.String() })
			return nil
		}
	}
	root.SetArgs(append([]string{}, args...))
	if err := root.Execute(); err != nil {
		t.Fatal(err)
	}
	return values
}

func TestPrecedence(t *testing.T) {
	tests := []struct {
		name    string
		args    []string
		environ []string
		flag    string
		want    string
	}{
		{"default", nil, nil, "wait", "45s"},
		{"variable over default", nil, []string{"ANYTHING_MCP_WAIT=1m30s"}, "wait", "1m30s"},
		{"flag over variable", []string{"--wait", "20"}, []string{"ANYTHING_MCP_WAIT=1m"}, "wait", "20s"},
		{"flag of stdio by name", []string{"stdio", "--wait", "20"}, []string{"ANYTHING_MCP_WAIT=1m"}, "wait", "20s"},
		{"flag over a wrong variable", []string{"--wait", "20"}, []string{"ANYTHING_MCP_WAIT=soon"}, "wait", "20s"},
		{"empty variable", nil, []string{"ANYTHING_MCP_WAIT="}, "wait", "45s"},
		{"blank variable", nil, []string{"ANYTHING_MCP_WAIT=  "}, "wait", "45s"},
		{"space around a variable", nil, []string{"ANYTHING_MCP_WAIT= 1m "}, "wait", "1m"},
		{"the last of a variable", nil, []string{"ANYTHING_MCP_WAIT=1s", "ANYTHING_MCP_WAIT=2s"}, "wait", "2s"},
		{"switch", []string{"version"}, []string{"ANYTHING_MCP_SANDBOX=1"}, "sandbox", "true"},
		{"switch turned off", []string{"--sandbox=false"}, []string{"ANYTHING_MCP_SANDBOX=1"}, "sandbox", "false"},
		{"switch before the command", []string{"--sandbox", "version"}, nil, "sandbox", "true"},
		{"Notte's address", nil, nil, "api-url", "https://api.notte.cc"},
		{"Notte's other address", nil, nil, "anything-url", "https://anything.notte.cc"},
		{"Notte's variable", nil, []string{"NOTTE_API_URL=http://a.example"}, "api-url", "http://a.example"},
		{"Notte's other variable", nil, []string{"NOTTE_ANYTHING_URL=http://b.example"}, "anything-url", "http://b.example"},
		{"list", []string{"http"}, []string{"ANYTHING_MCP_ALLOW_HOST=a.example,b.example"}, "allow-host", "[a.example,b.example]"},
		{"list by flags", []string{"http", "--allow-host=a.example", "--allow-host", "b.example,c.example"}, nil, "allow-host", "[a.example,b.example,c.example]"},
		{"help is no setting", nil, []string{"ANYTHING_MCP_HELP=1"}, "wait", "45s"},
		{"stdio's bound on calls", nil, nil, "max-calls", "1000"},
		{"http's bound on calls", []string{"http"}, nil, "max-calls", "4096"},
		{"bound on builds", nil, nil, "build-timeout", "1h"},
		{"nothing is detached", nil, nil, "detach", "false"},
		{"detached by a variable", []string{"http"}, []string{"ANYTHING_MCP_DETACH=1"}, "detach", "true"},
		{"bound on detached builds", []string{"builds"}, nil, "detached-timeout", "30m"},
		{"the sandbox's contract", nil, nil, "sandbox-api", "v2"},
		{"the sandbox's other contract", nil, []string{"ANYTHING_MCP_SANDBOX_API=v1"}, "sandbox-api", "v1"},
		{"silence by the stream", nil, nil, "idle-timeout", ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := parse(t, tt.args, tt.environ...)[tt.flag]; got != tt.want {
				t.Errorf("--%s is %s, want %s", tt.flag, got, tt.want)
			}
		})
	}
}

// Windows ignores the case of variables' names, and environments spell them in
// several ways.
func TestVariablesOnWindows(t *testing.T) {
	environ := []string{"Notte_Api_Key=k", "anything_mcp_wait=1m", "LocalAppData=d", "Empty="}
	want := environment{"NOTTE_API_KEY": "k", "ANYTHING_MCP_WAIT": "1m", "LOCALAPPDATA": "d"}
	if got := newEnvironment(environ, "windows"); !maps.Equal(got, want) {
		t.Errorf("on Windows: %v, want %v", got, want)
	}
	want = environment{"Notte_Api_Key": "k", "anything_mcp_wait": "1m", "LocalAppData": "d"}
	if got := newEnvironment(environ, "linux"); !maps.Equal(got, want) {
		t.Errorf("on Linux: %v, want %v", got, want)
	}
}

func TestStateDir(t *testing.T) {
	root, err := filepath.Abs("state")
	if err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		goos string
		vars environment
		want []string // below root; nil: an error
	}{
		{"linux", environment{"HOME": root}, []string{".local", "state", "anything-mcp"}},
		{"darwin", environment{"HOME": root}, []string{"Library", "Application Support", "anything-mcp"}},
		{"windows", environment{"LOCALAPPDATA": root}, []string{"anything-mcp"}},
		{"windows", environment{"USERPROFILE": root}, []string{".local", "state", "anything-mcp"}},
		{"linux", environment{"HOME": "h", "LOCALAPPDATA": "l", "XDG_STATE_HOME": root}, []string{"anything-mcp"}},
		{"linux", environment{"HOME": root, "XDG_STATE_HOME": "relative"}, []string{".local", "state", "anything-mcp"}},
		{"linux", environment{}, nil},
	} {
		got, err := stateDir(tt.vars, tt.goos)
		want := filepath.Join(append([]string{root}, tt.want...)...)
		if (err != nil) != (tt.want == nil) || err == nil && got != want {
			t.Errorf("on %s with %v: %s, %v; want %s", tt.goos, tt.vars, got, err, want)
		}
	}
}

func TestExpandHome(t *testing.T) {
	home, err := filepath.Abs("home")
	if err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct{ goos, path, want string }{ // want is empty for an error
		{"linux", "~/amcp", filepath.Join(home, "amcp")},
		{"linux", "~", home},
		{"linux", "~/a b/$x", filepath.Join(home, "a b", "$x")},
		{"linux", "~root/amcp", ""},
		{"linux", `~\amcp`, ""},
		{"linux", "/a/~/b", "/a/~/b"},
		{"linux", "a/~", "a/~"},
		{"windows", "~/amcp", filepath.Join(home, "amcp")},
		{"windows", `~\amcp`, filepath.Join(home, "amcp")},
		{"windows", `C:\~\amcp`, `C:\~\amcp`},
		{"windows", `~admin\amcp`, ""},
	} {
		for _, vars := range []environment{{"HOME": home}, {"USERPROFILE": home}, {"HOME": "${HOME}", "USERPROFILE": home}} {
			if got, err := expandHome(tt.path, vars, tt.goos); got != tt.want || (err != nil) != (tt.want == "") {
				t.Errorf("on %s %s is %s, %v; want %s", tt.goos, tt.path, got, err, tt.want)
			}
		}
		if got, err := expandHome("~/amcp", environment{}, tt.goos); err == nil {
			t.Errorf("on %s without a home ~/amcp is %s", tt.goos, got)
		}
	}
}

func TestIsAbs(t *testing.T) {
	for _, tt := range []struct {
		goos, path string
		want       bool
	}{
		{"linux", "/a", true}, {"linux", "a", false}, {"linux", "", false}, {"linux", `C:\a`, false}, {"darwin", "/Users/a", true},
		{"windows", `C:\a`, true}, {"windows", "c:/a", true}, {"windows", `\\server\share`, true},
		{"windows", "/a", false}, {"windows", `\a`, false}, {"windows", "C:a", false}, {"windows", "C:", false}, {"windows", "a", false},
	} {
		if got := isAbs(tt.path, tt.goos); got != tt.want {
			t.Errorf("on %s %s: %v", tt.goos, tt.path, got)
		}
	}
}

// The help shows each variable beside its flag.
func TestHelpNamesEachVariable(t *testing.T) {
	p := newProgram(Env{})
	for _, command := range p.rootCommand().Commands() {
		help := command.UsageString()
		command.Flags().VisitAll(func(f *pflag.Flag) {
			if f.Name != "help" && !f.Hidden && !strings.Contains(help, "$"+variable(f.Name)) {
				t.Errorf("the help of %s does not name %s", command.Name(), variable(f.Name))
			}
		})
		for line := range strings.Lines(help) {
			if n := len([]rune(line)); n > 90 {
				t.Errorf("a line of the help of %s has %d characters: %s", command.Name(), n, line)
			}
		}
	}
}

func TestVersionsAreThoseOfMCPGo(t *testing.T) {
	want := slices.Sorted(slices.Values(mcp.ValidProtocolVersions))
	if got := mcpVersions(); !slices.Equal(got, want) {
		t.Errorf("version prints %v, and the engine speaks %v", got, want)
	}
}
