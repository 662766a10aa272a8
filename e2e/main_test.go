// Package e2e_test drives the real binary over real stdio and real HTTP, with
// the sandbox of Notte's APIs at its other end, and holds it to what only a
// process can show: what is on the wire and in which order, how it takes
// signals and the end of its input, and what it exits with.
//
// Whatever a test is about, everything that a process wrote is checked when it
// has ended: stdout and every HTTP body for what MCP allows, and all of it, the
// log included, for secrets.
package e2e_test

import (
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"runtime/debug"
	"slices"
	"strconv"
	"testing"
	"time"

	// Not used, but with it the results of these tests are not taken from the
	// go command's cache when the program has changed.
	_ "github.com/anything-mcp/anything-mcp/cli"
)

var update = flag.Bool("update", false, "rewrite the transcripts in testdata")

// Secrets of the processes under test. No output may hold them.
const (
	apiKey      = "nk-e2e-5b1f0c94d7a2"
	accessToken = "at-e2e-77d0b36e18c4"
	viewerToken = "vt-e2e-c02a9f61be35"
)

// patience is how long a condition may take to come true. Only a failing test
// waits that long.
const patience = 30 * time.Second

// binary is the path of the program, which TestMain builds once.
var binary string

// atOnce is how many tests run at once at least, unless -parallel says otherwise,
// because they spend their time waiting for leases and time-outs.
const atOnce = 8

func TestMain(m *testing.M) {
	if err := flag.Set("test.parallel", strconv.Itoa(max(atOnce, runtime.GOMAXPROCS(0)))); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	flag.Parse()
	dir, err := os.MkdirTemp("", "anything-mcp-e2e-")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	binary = filepath.Join(dir, "anything-mcp.exe")
	code := 1
	if err := build(binary); err != nil {
		fmt.Fprintln(os.Stderr, err)
	} else {
		code = m.Run()
	}
	if err := os.RemoveAll(dir); err != nil {
		fmt.Fprintln(os.Stderr, err)
	}
	os.Exit(code)
}

// build compiles the program the way the test itself was compiled: with the
// race detector if that is on.
func build(path string) error {
	args := []string{"build", "-o", path}
	if info, ok := debug.ReadBuildInfo(); ok && slices.Contains(info.Settings, debug.BuildSetting{Key: "-race", Value: "true"}) {
		args = append(args, "-race")
	}
	out, err := exec.Command("go", append(args, "..")...).CombinedOutput()
	if err != nil {
		return fmt.Errorf("building the program: %w\n%s", err, out)
	}
	return nil
}

// exitCode is what a process ended with.
func exitCode(err error) int {
	if exit, ok := errors.AsType[*exec.ExitError](err); ok {
		return exit.ExitCode()
	}
	if err != nil {
		return -1
	}
	return 0
}
