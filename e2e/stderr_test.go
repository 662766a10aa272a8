package e2e_test

import (
	"bufio"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/anything-mcp/anything-mcp/notte/sandbox"
)

// promptly bounds how long a process may take to end whose stderr nobody reads. Most
// of it is for a machine that is busy.
const promptly = 10 * time.Second

// unread is a server whose stderr is a pipe that nobody reads.
type unread struct {
	*process
	stdin  *os.File      // nil over HTTP
	pipe   *os.File      // that stderr reads
	stderr *bufio.Reader // what it has written to stderr, for those who read it all the same
}

// connectUnread starts a server of either transport and connects to it. Its stderr is
// a pipe with room for size bytes; 0: for as many as pipes have here. Nobody reads it
// after the first line, in which an HTTP server tells its address.
func connectUnread(t *testing.T, transport string, e era, url string, size int) (*conn, *unread) {
	t.Helper()
	pipe, toPipe := newPipe(t)
	if size > 0 {
		setPipeSize(t, toPipe, size)
	}
	cmd := exec.Command(binary, "http", "--addr", "127.0.0.1:0")
	s := &unread{stderr: bufio.NewReaderSize(pipe, 1<<10), pipe: pipe}
	check := func(*journal) {}
	var stdin *os.File
	if transport == "stdio" {
		cmd.Args = []string{binary, "stdio", "--grace=100ms"}
		stdin, s.stdin = newPipe(t)
		check = func(stdout *journal) { checkOrder(t, stdout.messages(t)) }
	}
	cmd.Env, cmd.Stdin, cmd.Stderr = environ(t, url), stdin, toPipe
	s.process = start(t, cmd, nil, check)
	toPipe.Close()
	if stdin != nil {
		stdin.Close()
	}
	line, err := s.readLine()
	var log struct{ URL string }
	if err != nil || json.Unmarshal([]byte(line), &log) != nil {
		t.Fatalf("the first line of the log is %q: %v", line, err)
	}
	if transport == "stdio" {
		c := &conn{t: t, era: e, wire: &host{s.process, s.stdin}}
		c.handshake()
		return c, s
	}
	server := &httpServer{process: s.process, url: log.URL, http: &http.Client{Transport: new(http.Transport)}}
	t.Cleanup(server.http.CloseIdleConnections)
	return server.connect(t, e), s
}

// sendBad sends n messages that are not JSON.
func (s *unread) sendBad(t *testing.T, c *conn, n int) {
	t.Helper()
	if s.stdin != nil {
		(&host{s.process, s.stdin}).write(strings.Repeat("{bad\n", n))
		return
	}
	w := c.wire.(*webClient)
	for range n {
		if resp, body := w.server.do(t, http.MethodPost, "/mcp", "{bad", w.header("ping", nil)); resp.StatusCode != http.StatusBadRequest {
			t.Fatalf("a bad message was answered with %s: %s", resp.Status, body)
		}
	}
}

// A host that never reads stderr gets every answer, and can end the server.
func TestStderrThatNobodyReads(t *testing.T) {
	for _, test := range []struct {
		name  string
		size  int // of the pipe
		calls int // the lines of their log do not fit into the pipe
		ends  string
	}{
		{"a pipe of 64 KiB, SIGTERM", 0, 700, "SIGTERM"},
		{"a pipe of 4 KiB, SIGTERM", 4 << 10, 100, "SIGTERM"},
		{"a pipe of 4 KiB, SIGINT", 4 << 10, 100, "SIGINT"},
		{"a pipe of 4 KiB, SIGHUP", 4 << 10, 100, "SIGHUP"},
		{"a pipe of 4 KiB, the end of stdin", 4 << 10, 100, "EOF"},
	} {
		for _, transport := range []string{"stdio", "http"} {
			if test.ends == "EOF" && transport == "http" {
				continue
			}
			for _, e := range bothEras {
				t.Run(test.name+"/"+transport+"/"+string(e), func(t *testing.T) {
					skipWithoutSignals(t)
					if testing.Short() && test.calls > 100 {
						t.Skip("thousands of messages fill the pipe")
					}
					t.Parallel()
					api, url := newSandbox(t)
					c, s := connectUnread(t, transport, e, url, test.size)
					answersAll(t, c, s, test.calls)
					api.Script("a build", statusEvent("planning"), sandbox.Stall())
					build := c.build("a build")
					c.progress(build, 2)
					begun := time.Now()
					s.end(t, test.ends)
					if out := c.outcome(build); out.BuildID == "" || out.Status != api.leftBehind() {
						t.Errorf("the build was answered with %s", out.text)
					}
					s.exits(0)
					if took := time.Since(begun); took > promptly {
						t.Errorf("the server took %s to end", took)
					}
				})
			}
		}
	}
}

// answersAll makes calls that a server logs, and checks its answers.
func answersAll(t *testing.T, c *conn, s *unread, calls int) {
	t.Helper()
	c.noProgress = true
	for range calls / 100 {
		refuse(t, c, 100)
	}
	bad := 4 * calls
	if s.stdin == nil {
		bad = calls // each is a request of its own
	}
	s.sendBad(t, c, bad)
	c.ping()
	c.noProgress = false
}

// readLine returns the next line of the log. It waits for a time.
func (s *unread) readLine() (string, error) {
	_ = s.pipe.SetReadDeadline(time.Now().Add(awaitTimeout)) // fails on Windows
	return s.stderr.ReadString('\n')
}

// refuse makes n calls that are refused, and awaits the answers. Each logs a line, and
// one more if it has arguments that the tool does not know.
func refuse(t *testing.T, c *conn, n int, unknown ...string) {
	t.Helper()
	arguments := args{"build_id": "build_none"}
	for _, name := range unknown {
		arguments[name] = 1
	}
	var calls []int
	for range n {
		calls = append(calls, c.call("get_build", arguments))
	}
	for _, id := range calls {
		if out := c.outcome(id); !out.isError {
			t.Fatalf("the build that does not exist is %s", out.text)
		}
	}
}

// end ends the server with a signal, or with the end of stdin.
func (s *unread) end(t *testing.T, how string) {
	t.Helper()
	switch how {
	case "SIGTERM":
		s.signal(syscall.SIGTERM)
	case "SIGINT":
		s.signal(syscall.SIGINT)
	case "SIGHUP":
		s.signal(syscall.SIGHUP)
	case "EOF":
		if err := s.stdin.Close(); err != nil {
			t.Fatal(err)
		}
	}
}

// When stderr is read again, the log goes on in order and says how many lines are
// missing.
func TestStderrIsReadAgain(t *testing.T) {
	skipWithoutSignals(t)
	t.Parallel()
	_, url := newSandbox(t)
	c, s := connectUnread(t, "stdio", legacy, url, 0)
	c.noProgress = true
	const lines = 2 * 1500 // together more than the pipe and the queue hold
	for range 15 {
		refuse(t, c, lines/2/15, strings.Repeat("unknown", 250))
	}
	kept, dropped := 0, 0
	for dropped == 0 {
		line, err := s.readLine()
		var log struct {
			Msg   string
			Lines int
		}
		if err != nil || json.Unmarshal([]byte(line), &log) != nil {
			t.Fatalf("after %d lines the log has %q: %v", kept, line, err)
		}
		if dropped = log.Lines; dropped == 0 {
			kept++
		}
	}
	if kept+dropped != lines || kept == 0 {
		t.Errorf("the log has %d lines and lacks %d, which makes %d, want %d", kept, dropped, kept+dropped, lines)
	}
	refuse(t, c, 1)
	if line, err := s.readLine(); err != nil || !strings.Contains(line, `"msg":"get_build"`) {
		t.Errorf("the next line of the log is %q: %v", line, err)
	}
	s.stdin.Close()
	s.exits(0)
	if line, err := s.readLine(); err != nil || !strings.Contains(line, "the server has stopped") {
		t.Errorf("the last line of the log is %q: %v", line, err)
	}
}

// Commands for a terminal print their result, and signals end them, although their
// stderr stalls from the start.
func TestTerminalCommandWithStalledStderr(t *testing.T) {
	skipWithoutSignals(t)
	for _, test := range []struct {
		name   string
		script []step
		signal os.Signal // sent while the build runs; nil: none
		code   int
		stdout string
	}{
		{"to its end", []step{statusEvent("planning"), done("fn-of-the-build")}, nil, 0, "fn-of-the-build"},
		{"SIGTERM", []step{statusEvent("planning"), sandbox.Stall()}, syscall.SIGTERM, 143, "cancelled"},
		{"SIGINT", []step{statusEvent("planning"), sandbox.Stall()}, syscall.SIGINT, 130, "cancelled"},
		{"SIGHUP", []step{statusEvent("planning"), sandbox.Stall()}, syscall.SIGHUP, 129, "cancelled"},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			api, url := newSandbox(t)
			api.Script("a build", test.script...)
			_, stderr := newPipe(t)
			fillPipe(t, stderr)
			cmd := exec.Command(binary, "build", "--json", "a build")
			cmd.Env, cmd.Stderr = environ(t, url), stderr
			p := start(t, cmd, nil, func(stdout *journal) {
				if !strings.Contains(stdout.String(), test.stdout) {
					t.Errorf("stdout is %q", stdout.String())
				}
			})
			if test.signal != nil {
				awaitRequest(t, api, func(r sandbox.Request) bool { return strings.HasSuffix(r.Path, "/start") })
				p.signal(test.signal)
			}
			p.exits(test.code)
		})
	}
}

// A stderr that takes nothing does no harm.
func TestStderrThatFails(t *testing.T) {
	skipWithoutSignals(t)
	for _, how := range []string{"2>&-", "2>/dev/full"} {
		t.Run(how, func(t *testing.T) {
			if device := strings.TrimPrefix(how, "2>"); strings.HasPrefix(device, "/") {
				if _, err := os.Stat(device); err != nil {
					t.Skip(err)
				}
			}
			t.Parallel()
			api, url := newSandbox(t)
			api.Script("a build", statusEvent("planning"), done("fn"))
			stdin, toServer := newPipe(t)
			cmd := exec.Command("/bin/sh", "-c", fmt.Sprintf("exec %q stdio %s", binary, how))
			cmd.Env, cmd.Stdin = environ(t, url), stdin
			p := start(t, cmd, nil, func(stdout *journal) { checkOrder(t, stdout.messages(t)) })
			stdin.Close()
			c := &conn{t: t, era: legacy, wire: &host{p, toServer}}
			c.handshake()
			if out := c.outcome(c.build("a build")); out.FunctionID != "fn" || out.Durable != nil {
				t.Errorf("the build was answered with %s", out.text)
			}
			toServer.Close()
			p.exits(0)
		})
	}
}
