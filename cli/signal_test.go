package cli_test

import (
	"bufio"
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/anything-mcp/anything-mcp/cli"
	"github.com/anything-mcp/anything-mcp/notte/sandbox"
)

// process is a running anything-mcp.
type process struct {
	*exec.Cmd
	stdin  io.WriteCloser
	stdout *bufio.Reader
	stderr *bufio.Reader
}

func start(t *testing.T, args ...string) *process {
	t.Helper()
	return startWith(t, nil, args...)
}

// startWith starts a process with environment variables.
func startWith(t *testing.T, env []string, args ...string) *process {
	t.Helper()
	path, err := exec.LookPath("anything-mcp")
	if err != nil {
		t.Fatal(err)
	}
	p := &process{Cmd: exec.CommandContext(t.Context(), path, args...)}
	p.Env = append([]string{"PATH=" + os.Getenv("PATH")}, env...)
	p.stdin, _ = p.StdinPipe()
	stdout, _ := p.StdoutPipe()
	stderr, _ := p.StderrPipe()
	p.stdout, p.stderr = bufio.NewReader(stdout), bufio.NewReader(stderr)
	if err := p.Start(); err != nil {
		t.Fatal(err)
	}
	return p
}

// await reads lines until one contains text, and returns it.
func await(t *testing.T, r *bufio.Reader, text string) string {
	t.Helper()
	for {
		line, err := r.ReadString('\n')
		if strings.Contains(line, text) {
			return line
		}
		if err != nil {
			t.Fatalf("no line contains %q: %v", text, err)
		}
	}
}

// wait reads the rest of the output and returns the exit code.
func (p *process) wait(t *testing.T) (code int, stdout, stderr string) {
	t.Helper()
	var errText []byte
	var reading sync.WaitGroup
	reading.Go(func() { errText, _ = io.ReadAll(p.stderr) })
	out, _ := io.ReadAll(p.stdout)
	reading.Wait()
	if err := p.Cmd.Wait(); err != nil && p.ProcessState.ExitCode() <= 0 {
		t.Fatalf("the process was killed: %v", err)
	}
	return p.ProcessState.ExitCode(), string(out), string(errText)
}

func TestInterruptedBuildPrintsItsResult(t *testing.T) {
	for sig, want := range map[syscall.Signal]int{syscall.SIGINT: 130, syscall.SIGTERM: 143} {
		p := start(t, "build", "--json", "--sandbox", "--sandbox-speed=20", "fetch [sandbox:slow]")
		await(t, p.stderr, "Status: starting")
		p.Process.Signal(sig)
		code, stdout, stderr := p.wait(t)
		if code != want {
			t.Errorf("%v: exit code %d, want %d", sig, code, want)
		}
		var result struct{ Status, Reason string }
		if err := json.Unmarshal([]byte(stdout), &result); err != nil {
			t.Fatalf("%v: stdout is not the result: %v\n%s", sig, err, stdout)
		}
		if result.Status != "cancelled" || !strings.Contains(result.Reason, "bill") {
			t.Errorf("%v: the result %+v does not say that the build was cancelled and may be billed", sig, result)
		}
		if !strings.Contains(stderr, "Cancelling; press Ctrl-C again to leave at once") {
			t.Errorf("%v: stderr does not say what a second Ctrl-C does: %s", sig, stderr)
		}
	}
}

// A build that another process started goes on when the one that joined it is
// interrupted.
func TestInterruptLeavesAJoinedBuild(t *testing.T) {
	api, err := sandbox.Listen("127.0.0.1:0", sandbox.WithSpeed(0))
	if err != nil {
		t.Fatal(err)
	}
	defer api.Close()
	end := make(chan struct{})
	api.Script("joined", sandbox.Event(map[string]string{"type": "status", "status": "planning"}), sandbox.Wait(end),
		sandbox.Event(map[string]any{"type": "done", "function_id": "fn"}))
	env := []string{"NOTTE_API_KEY=any-key", "NOTTE_API_URL=" + api.URL, "NOTTE_ANYTHING_URL=" + api.URL, "ANYTHING_MCP_STATE_DIR=" + t.TempDir()}
	first := startWith(t, env, "build", "joined")
	await(t, first.stderr, "planning")
	second := startWith(t, env, "build", "joined")
	await(t, second.stderr, "The same has been in progress since ")
	await(t, second.stderr, "planning")
	second.Process.Signal(os.Interrupt)
	if code, _, stderr := second.wait(t); code != 130 || !strings.Contains(stderr, "The build goes on: see its result with anything-mcp builds build_") {
		t.Errorf("exit code %d, stderr: %s", code, stderr)
	}
	close(end)
	if code, stdout, stderr := first.wait(t); code != 0 || !strings.Contains(stdout, "Status      done") {
		t.Errorf("the build that goes on: exit code %d, stdout: %s, stderr: %s", code, stdout, stderr)
	}
}

func TestSignalledServerAnswersWaitingCalls(t *testing.T) {
	p := start(t, "--sandbox")
	io.WriteString(p.stdin, `{"jsonrpc":"2.0","id":1,"method":"initialize","params":{"protocolVersion":"2025-06-18","capabilities":{},"clientInfo":{"name":"t","version":"1"}}}
{"jsonrpc":"2.0","method":"notifications/initialized"}
{"jsonrpc":"2.0","id":2,"method":"tools/call","params":{"name":"build_automation","arguments":{"query":"fetch [sandbox:slow]","wait_seconds":600},"_meta":{"progressToken":1}}}
`)
	await(t, p.stdout, "notifications/progress")
	p.Process.Signal(syscall.SIGTERM)
	answer := await(t, p.stdout, `"id":2`)
	if !strings.Contains(answer, `"build_id":"build_`) || !strings.Contains(answer, `"status":"interrupted"`) {
		t.Errorf("the answer to the waiting call has no handle: %s", answer)
	}
	if code, rest, stderr := p.wait(t); code != 0 || rest != "" {
		t.Errorf("exit code %d, %q after the answer; stderr: %s", code, rest, stderr)
	}
}

func TestSignalledServersExitWithZero(t *testing.T) {
	for _, args := range [][]string{
		{"http", "--sandbox", "--addr", "127.0.0.1:0"},
		{"sandbox", "--addr", "127.0.0.1:0"},
		{"stdio", "--sandbox"},
	} {
		p := start(t, args...)
		if args[0] == "sandbox" {
			await(t, p.stdout, "Ctrl-C")
		} else {
			await(t, p.stderr, "serving MCP")
		}
		p.Process.Signal(os.Interrupt)
		if code, _, stderr := p.wait(t); code != 0 {
			t.Errorf("%v: exit code %d, want 0; stderr: %s", args, code, stderr)
		}
	}
}

// A command that hangs after the first signal ends after the second.
func TestSecondSignalExitsAtOnce(t *testing.T) {
	asked := make(chan struct{})
	hung := make(chan struct{})
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch {
		case r.Method == http.MethodDelete: // the request that stops the run
			close(asked)
			<-hung
		case strings.HasSuffix(r.URL.Path, "/runs/create"):
			w.Header().Set("Content-Type", "application/json")
			io.WriteString(w, `{"function_run_id": "run-1", "status": "created"}`)
		default:
			w.Header().Set("Content-Type", "text/event-stream")
			io.WriteString(w, "data: {\"type\": \"session_start\", \"message\": \"s\"}\n\n")
			w.(http.Flusher).Flush()
			<-r.Context().Done()
		}
	}))
	defer srv.Close()
	defer close(hung)

	signals := make(chan os.Signal)
	stdout, stderr := new(bytes.Buffer), newLines()
	code := make(chan int)
	go func() {
		code <- cli.Main([]string{"run", "some-id"}, cli.Env{
			Environ: []string{"NOTTE_API_KEY=any-key", "NOTTE_API_URL=" + srv.URL},
			Stdin:   strings.NewReader(""), Stdout: stdout, Stderr: stderr, Signals: signals,
		})
	}()
	stderr.await("Browser session started")
	signals <- os.Interrupt
	<-asked
	select {
	case c := <-code:
		t.Fatalf("the first signal ended the command with %d before the run was stopped", c)
	default:
	}
	signals <- os.Interrupt
	select {
	case c := <-code:
		if c != 130 {
			t.Errorf("exit code %d, want 130", c)
		}
	case <-time.After(5 * time.Second):
		t.Error("the second signal did not end the command")
	}
}

// lines is a writer on which tests wait for a text.
type lines struct {
	mu   sync.Mutex // guards text
	cond *sync.Cond
	text strings.Builder
}

func newLines() *lines {
	l := new(lines)
	l.cond = sync.NewCond(&l.mu)
	return l
}

func (l *lines) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.cond.Broadcast()
	return l.text.Write(p)
}

func (l *lines) await(text string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for !strings.Contains(l.text.String(), text) {
		l.cond.Wait()
	}
}
