package cli_test

import (
	"bufio"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"regexp"
	"strconv"
	"syscall"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/anything-mcp/anything-mcp/cli"
)

// TestMain makes anything-mcp a command that scripts and tests run as a process
// of its own.
func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){"anything-mcp": func() {
		signals := make(chan os.Signal, 2)
		signal.Notify(signals, os.Interrupt, syscall.SIGTERM)
		os.Exit(cli.Main(os.Args[1:], cli.Env{
			Environ: os.Environ(), Stdin: os.Stdin, Stdout: os.Stdout, Stderr: os.Stderr, Signals: signals,
		}))
	}})
}

func TestScripts(t *testing.T) {
	testscript.Run(t, testscript.Params{
		Dir:                 "testdata/script",
		RequireExplicitExec: true,
		RequireUniqueNames:  true,
		Setup: func(env *testscript.Env) error {
			env.Setenv("ANYTHING_MCP_SANDBOX_SPEED", "0")
			env.Setenv("ANYTHING_MCP_KEYRING", "off") // the user's own
			for _, name := range []string{"HOME", "XDG_STATE_HOME", "LocalAppData", "USERPROFILE"} {
				env.Setenv(name, filepath.Join(env.WorkDir, "home")) // where jobs are kept
			}
			return nil
		},
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"exits": exits,
			"serve": serve,
			"field": field,
		},
	})
}

// exits runs a command and checks its exit code: exits 2 anything-mcp build.
func exits(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: exits code command [args...]")
	}
	want, err := strconv.Atoi(args[0])
	ts.Check(err)
	code := 0
	if err := ts.Exec(args[1], args[2:]...); err != nil {
		exit, ok := err.(*exec.ExitError)
		if !ok {
			ts.Fatalf("%v", err)
		}
		code = exit.ExitCode()
	}
	if code != want {
		ts.Fatalf("exit code %d, want %d", code, want)
	}
}

var address = regexp.MustCompile(`https?://(\[?[\w.:]+\]?:\d+)`)

// serve starts a server and sets VARIABLE to the URL that it prints, and
// VARIABLE_ADDR to the address in it. At the end of the script it interrupts the
// server and checks that it exits with 0: serve VARIABLE command [args...].
func serve(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: serve VARIABLE command [args...]")
	}
	path, err := exec.LookPath(args[1])
	ts.Check(err)
	cmd := exec.Command(path, args[2:]...)
	for _, name := range []string{"PATH", "HOME", "XDG_STATE_HOME", "LocalAppData", "NOTTE_API_KEY", "NOTTE_API_URL", "NOTTE_ANYTHING_URL", "ANYTHING_MCP_SANDBOX_SPEED", "ANYTHING_MCP_KEYRING", "ANYTHING_MCP_AUTH_TOKEN"} {
		if value := ts.Getenv(name); value != "" {
			cmd.Env = append(cmd.Env, name+"="+value)
		}
	}
	r, w := io.Pipe()
	cmd.Stdout, cmd.Stderr = w, w
	cmd.WaitDelay = time.Second
	ts.Check(cmd.Start())
	lines := bufio.NewReader(r)
	var found []string
	for found == nil {
		line, err := lines.ReadString('\n')
		if err != nil {
			ts.Fatalf("the server printed no address: %v", err)
		}
		found = address.FindStringSubmatch(line)
	}
	drained := make(chan struct{})
	go func() {
		defer close(drained)
		io.Copy(io.Discard, lines)
	}()
	ts.Setenv(args[0], found[0])
	ts.Setenv(args[0]+"_ADDR", found[1])
	ts.Defer(func() {
		cmd.Process.Signal(os.Interrupt)
		err := cmd.Wait()
		w.Close()
		<-drained
		if err != nil {
			ts.Fatalf("%v failed after an interrupt: %v", args[1:], err)
		}
	})
}

// field sets a variable to a string field of the JSON that the last command
// printed: field VARIABLE name.
func field(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: field VARIABLE name")
	}
	found := regexp.MustCompile(`"` + regexp.QuoteMeta(args[1]) + `": ?"([^"]*)"`).FindStringSubmatch(ts.ReadFile("stdout"))
	if found == nil {
		ts.Fatalf("stdout has no field %s", args[1])
	}
	ts.Setenv(args[0], found[1])
}
