// Package e2e_test tests the real binary over real stdio and real HTTP, with the
// sandbox in the place of Notte. It tests what only a process shows: the messages
// on the wire and their order, what signals and the end of the input do, and exit
// codes.
//
// When a process has ended, each test also checks everything that it wrote:
// stdout and every HTTP body against the rules of MCP, and all output, including
// the log, for secrets.
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

	// Imported so that go test runs these tests again when the program has
	// changed.
	_ "github.com/anything-mcp/anything-mcp/cli"
)

var update = flag.Bool("update", false, "rewrite the transcripts in testdata")

// Secrets of the processes under test. They must not appear in any output.
const (
	apiKey      = "nk-e2e-5b1f0c94d7a2"
	accessToken = "at-e2e-77d0b36e18c4"
	viewerToken = "vt-e2e-c02a9f61be35"
)

// awaitTimeout bounds the wait for a condition. Only a failing test waits that
// long.
const awaitTimeout = 30 * time.Second

// binary is the path of the program. TestMain builds it.
var binary string

// atOnce is how many tests run at once at least, unless -parallel says otherwise. They
// spend their time waiting for leases and time-outs; with the race detector they compute.
func atOnce() int {
	if raceDetector() {
		return 8
	}
	return 16
}

func TestMain(m *testing.M) {
	if err := flag.Set("test.parallel", strconv.Itoa(max(atOnce(), runtime.GOMAXPROCS(0)))); err != nil {
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

// raceDetector reports whether this test was built with the race detector.
func raceDetector() bool {
	info, ok := debug.ReadBuildInfo()
	return ok && slices.Contains(info.Settings, debug.BuildSetting{Key: "-race", Value: "true"})
}

// skipManyProcesses skips a test with -short that starts a process for each of its
// cases, and makes one call at a time.
func skipManyProcesses(t *testing.T) {
	t.Helper()
	if testing.Short() {
		t.Skip("a process is started for each case")
	}
}

// build compiles the program, with the race detector if the test has it.
func build(path string) error {
	args := []string{"build", "-o", path}
	if raceDetector() {
		args = append(args, "-race")
	}
	out, err := exec.Command("go", append(args, "..")...).CombinedOutput()
	if err != nil {
		return fmt.Errorf("building the program: %w\n%s", err, out)
	}
	return nil
}

// exitCode returns the exit code of a process from its Wait error.
func exitCode(err error) int {
	if exit, ok := errors.AsType[*exec.ExitError](err); ok {
		return exit.ExitCode()
	}
	if err != nil {
		return -1
	}
	return 0
}
