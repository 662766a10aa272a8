package e2e_test

import (
	"context"
	"io"
	"os"
	"os/exec"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/anything-mcp/anything-mcp/notte/sandbox"
)

// process is a running process of the program.
type process struct {
	t              *testing.T
	cmd            *exec.Cmd
	stdout, stderr journal
	ended          chan struct{} // closed when it has exited and its output is read
	err            error         // of Wait; set before ended is closed
}

// launch starts the program with Notte at url and collects its output. When the
// test ends, it kills the process if it still runs, and checks the output.
// checkStdout gets all of stdout.
func launch(t *testing.T, url string, stdin *os.File, checkStdout func(*journal), env []string, args ...string) *process {
	t.Helper()
	cmd := exec.Command(binary, args...)
	cmd.Env, cmd.Stdin = environ(t, url, env...), stdin
	stderr, toStderr := newPipe(t)
	cmd.Stderr = toStderr
	p := start(t, cmd, stderr, checkStdout)
	toStderr.Close()
	return p
}

// start starts a process as launch does. stderr is what it writes there; nil if
// nobody reads that.
func start(t *testing.T, cmd *exec.Cmd, stderr io.Reader, checkStdout func(*journal)) *process {
	t.Helper()
	p := &process{t: t, cmd: cmd, ended: make(chan struct{})}
	stdout, err := p.cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := p.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	var reading sync.WaitGroup
	if stderr != nil {
		reading.Go(func() { p.stderr.readFrom(stderr) })
	}
	go func() {
		defer close(p.ended)
		p.stdout.readFrom(stdout)
		p.err = p.cmd.Wait()
		reading.Wait()
	}()
	t.Cleanup(func() {
		p.cmd.Process.Kill() // fails if it has ended
		<-p.ended
		p.check()
		checkStdout(&p.stdout)
	})
	return p
}

// environ returns the environment of a process with Notte at url. It contains no
// settings of the user, and its home directory is a temporary one.
func environ(t *testing.T, url string, more ...string) []string {
	home := t.TempDir()
	return append([]string{
		"PATH=" + os.Getenv("PATH"), "SystemRoot=" + os.Getenv("SystemRoot"),
		"HOME=" + home, "XDG_STATE_HOME=" + home, "USERPROFILE=" + home, "LocalAppData=" + home,
		"ANYTHING_MCP_KEYRING=off", // it is the user's
		"NOTTE_API_KEY=" + apiKey, "NOTTE_API_URL=" + url, "NOTTE_ANYTHING_URL=" + url,
		"ANYTHING_MCP_LOG_LEVEL=debug", "ANYTHING_MCP_LOG_FORMAT=json",
		"ANYTHING_MCP_DETACHED_TIMEOUT=1s", // how long lost builds are looked for
		"GORACE=atexit_sleep_ms=50",        // instead of a second for each process
	}, more...)
}

// check checks the process's output.
func (p *process) check() {
	log := p.stderr.String()
	checkSecrets(p.t, "the log", log, viewerToken)
	checkSecrets(p.t, "stdout", p.stdout.String())
	if strings.Contains(log, "DATA RACE") || strings.Contains(log, "goroutine ") {
		p.t.Error("the process raced or panicked")
	}
	if p.t.Failed() {
		p.t.Logf("the log of %v:\n%s", p.cmd.Args[1:], log)
	}
}

// signal sends the process a signal.
func (p *process) signal(sig os.Signal) {
	p.t.Helper()
	if err := p.cmd.Process.Signal(sig); err != nil {
		p.t.Fatal(err)
	}
}

// exits waits until the process exits, and checks its exit code.
func (p *process) exits(code int) {
	p.t.Helper()
	select {
	case <-p.ended:
	case <-time.After(awaitTimeout):
		p.t.Fatal("the process did not exit")
	}
	if got := exitCode(p.err); got != code {
		p.t.Fatalf("the process exited with %d (%v), want %d", got, p.err, code)
	}
}

// requests counts the sandbox's requests with this method and part of the path.
func requests(api *service, method, pathPart string) (n int) {
	for _, r := range api.Requests() {
		if r.Method == method && strings.Contains(r.Path, pathPart) {
			n++
		}
	}
	return n
}

// awaitRequest waits until the sandbox has got a request that match accepts.
func awaitRequest(t *testing.T, api *service, match func(sandbox.Request) bool) {
	t.Helper()
	ctx, stop := context.WithTimeout(t.Context(), awaitTimeout)
	defer stop()
	if _, err := api.WaitRequest(ctx, match); err != nil {
		t.Fatal(err)
	}
}
