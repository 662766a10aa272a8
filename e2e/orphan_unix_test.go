//go:build unix

package e2e_test

import (
	"encoding/json"
	"net/http"
	"os/exec"
	"strings"
	"syscall"
	"testing"

	"github.com/anything-mcp/anything-mcp/notte/sandbox"
)

// shell starts a shell that runs a script with the program as $B. Its stdin is file
// descriptor 3 of the script, because shells take the stdin of what runs in the
// background.
func shell(t *testing.T, url, script string, checkStdout func(*journal), flags ...string) *host {
	t.Helper()
	skipWithoutSignals(t)
	cmd := exec.Command("/bin/sh", append([]string{"-c", "exec 3<&0; " + script, "sh"}, flags...)...)
	stdin, toServer := newPipe(t)
	stderr, toStderr := newPipe(t)
	cmd.Env, cmd.Stdin, cmd.Stderr = environ(t, url, "B="+binary), stdin, toStderr
	p := start(t, cmd, stderr, checkStdout)
	stdin.Close()
	toStderr.Close()
	return &host{p, toServer}
}

// A server whose parent has ended ends as at the end of stdin, although another
// process holds the other end of stdin. Its calls get their handles. A server over
// HTTP goes on.
func TestParentEnds(t *testing.T) {
	for _, e := range bothEras {
		t.Run(string(e), func(t *testing.T) {
			inBothContracts(t, func(t *testing.T, api *service, url string) {
				const script = `"$B" http --addr 127.0.0.1:0 >/dev/null & echo "{\"http\":$!}" >&2; "$B" stdio "$@" <&3 & wait`
				h := shell(t, url, script, func(stdout *journal) { checkOrder(t, stdout.messages(t)) }, "--grace=100ms")
				var log struct {
					URL  string
					HTTP int
				}
				h.stderr.await(t, "the address and the ID of the HTTP server", func(line string, _ message) bool {
					_ = json.Unmarshal([]byte(line), &log)
					return log.URL != "" && log.HTTP != 0
				})
				defer syscall.Kill(log.HTTP, syscall.SIGKILL)
				c := h.connect(e)
				api.Script("left alone", statusEvent("planning"), sandbox.Stall())
				id := c.build("left alone")
				c.progress(id, 2)
				if err := h.cmd.Process.Kill(); err != nil { // the shell's
					t.Fatal(err)
				}
				if out := c.outcome(id); out.Status != api.leftBehind() || out.BuildID == "" {
					t.Errorf("the call returned %s", out.text)
				}
				h.stderr.await(t, "the reason", hasAll("the process that started the server has ended"))
				h.stderr.await(t, "the end", hasAll("the server has stopped"))
				resp, err := http.Get(strings.TrimSuffix(log.URL, "/mcp") + "/healthz")
				if err != nil {
					t.Fatalf("the HTTP server has ended, too: %v", err)
				}
				resp.Body.Close()
				syscall.Kill(log.HTTP, syscall.SIGTERM)
				<-h.ended // all processes have closed stdout and stderr
			})
		})
	}
}

// A server that was started with SIGHUP ignored, as by nohup, goes on when its
// terminal is closed.
func TestIgnoredHangUp(t *testing.T) {
	for _, transport := range []string{"stdio", "http"} {
		t.Run(transport, func(t *testing.T) {
			t.Parallel()
			_, url := newSandbox(t)
			script := `trap '' HUP; exec "$B" ` + map[string]string{"stdio": "stdio <&3", "http": "http --addr 127.0.0.1:0"}[transport]
			h := shell(t, url, script, func(*journal) {})
			c := &conn{t: t, era: modern, wire: h}
			var log struct{ URL string }
			h.stderr.await(t, "the first line of the log", func(line string, _ message) bool {
				return json.Unmarshal([]byte(line), &log) == nil
			})
			if transport == "http" {
				c = (&httpServer{process: h.process, url: log.URL, http: http.DefaultClient}).connect(t, modern)
			}
			h.signal(syscall.SIGHUP)
			c.ping()
			h.signal(syscall.SIGTERM)
			h.exits(0)
		})
	}
}
