package e2e_test

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/anything-mcp/anything-mcp/notte/sandbox"
)

// When stdin ends, a running call has --grace to end by itself.
func TestInputEnds(t *testing.T) {
	inBothContracts(t, func(t *testing.T, api *service, url string) {
		h := newHost(t, url, "--grace", "1m")
		c := h.connect(legacy)
		wait, open := gate(t)
		api.Script("almost done", statusEvent("planning"), wait, statusEvent("writing"), done("fn"))
		id := c.build("almost done")
		c.progress(id, 1)
		h.closeStdin()
		open()
		if out := c.outcome(id); out.Status != "done" || out.FunctionID != "fn" {
			t.Errorf("the call returned %s", out.text)
		}
		h.exits(0)
	})
}

// A call that takes longer than --grace is answered with its handle.
func TestInputEndsTooEarly(t *testing.T) {
	inBothContracts(t, func(t *testing.T, api *service, url string) {
		h := newHost(t, url, "--grace", "50ms")
		c := h.connect(modern)
		api.Script("never done", statusEvent("planning"), sandbox.Stall())
		id := c.build("never done")
		c.progress(id, 2)
		h.closeStdin()
		if out := c.outcome(id); out.Status != api.leftBehind() || out.BuildID == "" {
			t.Errorf("the call returned %s", out.text)
		}
		h.exits(0)
	})
}

// The last line on stdin needs no line end.
func TestLastLine(t *testing.T) {
	t.Parallel()
	_, url := newSandbox(t)
	h := newHost(t, url)
	c := h.connect(legacy)
	h.write(`{"jsonrpc":"2.0","id":2,"method":"ping"}`)
	h.closeStdin()
	c.answer(2)
	h.exits(0)
}

func skipWithoutSignals(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("there are no such signals on Windows")
	}
}

// After a signal the server answers waiting calls with their handles and exits
// with 0.
func TestSignals(t *testing.T) {
	skipWithoutSignals(t)
	for _, sig := range []os.Signal{os.Interrupt, syscall.SIGTERM, syscall.SIGHUP} {
		t.Run(sig.String(), func(t *testing.T) {
			forEachTransport(t, bothEras, func(t *testing.T, api *service, c *conn, p *process) {
				var ids []int
				for _, query := range []string{"one", "two", "three"} {
					api.Script(query, statusEvent("planning"), sandbox.Stall())
					ids = append(ids, c.build(query))
				}
				for _, id := range ids {
					c.progress(id, 2) // what the build tells: Notte has answered
				}
				begun := time.Now()
				p.signal(sig)
				for _, id := range ids {
					if out := c.outcome(id); out.Status != api.leftBehind() || out.BuildID == "" {
						t.Errorf("a call returned %s", out.text)
					}
				}
				p.exits(0)
				if took := time.Since(begun); took > 10*time.Second {
					t.Errorf("stopping took %s", took)
				}
			})
		})
	}
}

// A second signal ends the program at once, here while its host does not read the
// answer that the first signal caused.
func TestSecondSignal(t *testing.T) {
	inBothContracts(t, func(t *testing.T, api *service, url string) {
		skipWithoutSignals(t)
		api.Script("stuck", statusEvent("planning"), sandbox.Stall())
		stdin, toServer := newPipe(t)
		fromServer, stdout := newPipe(t)
		fillPipe(t, stdout)
		cmd := exec.Command(binary, "stdio")
		cmd.Env, cmd.Stdin, cmd.Stdout = environ(t, url), stdin, stdout
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		defer cmd.Process.Kill()
		c := &conn{t: t, era: modern, wire: &host{&process{t: t}, toServer}}
		c.build("stuck")
		isBuild := func(r sandbox.Request) bool { return strings.HasSuffix(r.Path, "/start") }
		awaitRequest(t, api, isBuild)
		for _, sig := range []os.Signal{os.Interrupt, os.Interrupt} {
			if err := cmd.Process.Signal(sig); err != nil {
				t.Fatal(err)
			}
			// The program has handled the first signal when it closes the build's stream.
			awaitRequest(t, api, func(r sandbox.Request) bool { return isBuild(r) && !r.ClientLeft.IsZero() })
		}
		begun := time.Now()
		if code := exitCode(cmd.Wait()); code != 130 {
			t.Errorf("the program exited with %d, want 130", code)
		}
		if took := time.Since(begun); took > 5*time.Second {
			t.Errorf("it took %s", took)
		}
		fromServer.Close()
	})
}

// newPipe returns a pipe that is closed when the test ends.
func newPipe(t *testing.T) (r, w *os.File) {
	t.Helper()
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { r.Close(); w.Close() })
	return r, w
}

// fillPipe writes to a pipe until it is full.
func fillPipe(t *testing.T, w *os.File) {
	t.Helper()
	for chunk := make([]byte, 4<<10); ; {
		if err := w.SetWriteDeadline(time.Now().Add(20 * time.Millisecond)); err != nil {
			t.Skipf("pipes have no deadlines here: %v", err)
		}
		if _, err := w.Write(chunk); err != nil {
			return
		}
	}
}

// The program ends with an error when its host stops reading stdout. It goes on
// when its host stops reading the log.
func TestOutputsClosed(t *testing.T) {
	skipWithoutSignals(t)
	t.Parallel()
	_, url := newSandbox(t)
	for _, test := range []struct {
		closed string
		code   int
	}{{"stdout", 1}, {"stderr", 0}} {
		t.Run(test.closed, func(t *testing.T) {
			stdin, toServer := newPipe(t)
			gone, closed := newPipe(t)
			gone.Close()
			cmd := exec.Command(binary, "stdio")
			cmd.Env, cmd.Stdin = environ(t, url), stdin
			var other strings.Builder
			if cmd.Stdout, cmd.Stderr = closed, &other; test.closed == "stderr" {
				cmd.Stdout, cmd.Stderr = &other, closed
			}
			if err := cmd.Start(); err != nil {
				t.Fatal(err)
			}
			defer cmd.Process.Kill()
			if _, err := toServer.WriteString(`{"jsonrpc":"2.0","id":1,"method":"ping"}` + "\n"); err != nil {
				t.Fatal(err)
			}
			toServer.Close()
			if code := exitCode(cmd.Wait()); code != test.code {
				t.Errorf("the program exited with %d, want %d; the other output is %q", code, test.code, other.String())
			}
			if test.closed == "stderr" && other.String() != `{"jsonrpc":"2.0","id":1,"result":{}}`+"\n" {
				t.Errorf("stdout is %q", other.String())
			}
		})
	}
}

// An input that ends before a message came is told as what it is.
func TestInputWithoutAMessage(t *testing.T) {
	t.Parallel()
	_, url := newSandbox(t)
	for name, test := range map[string]struct {
		input string
		told  bool
	}{
		"nothing":       {"", true},
		"blank lines":   {"\n \r\n", true},
		"a message":     {`{"jsonrpc":"2.0","id":1,"method":"ping"}`, false},
		"not a message": {"GET / HTTP/1.1\r\n\r\n", false},
	} {
		for _, args := range [][]string{nil, {"stdio"}, {"stdio", "--log-level=error"}} {
			t.Run(name+fmt.Sprint(args), func(t *testing.T) {
				cmd := exec.Command(binary, args...)
				var stderr bytes.Buffer
				cmd.Env, cmd.Stdin, cmd.Stderr = environ(t, url), strings.NewReader(test.input), &stderr
				if err := cmd.Run(); err != nil {
					t.Error(err)
				}
				const told = "anything-mcp: stdin ended before an MCP message came. "
				if strings.Contains(stderr.String(), told) != test.told {
					t.Errorf("stderr is %s", stderr.String())
				}
			})
		}
	}
	t.Run("a closed stdin", func(t *testing.T) {
		cmd := exec.Command("/bin/sh", "-c", `exec "$B" stdio <&-`)
		cmd.Env = environ(t, url, "B="+binary)
		if _, err := os.Stat("/bin/sh"); err != nil {
			t.Skip(err)
		}
		if out, err := cmd.CombinedOutput(); err != nil || !strings.Contains(string(out), "docker run") {
			t.Errorf("the program ended with %v and wrote %s", err, out)
		}
	})
}
