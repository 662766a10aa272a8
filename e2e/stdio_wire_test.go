package e2e_test

import (
	"encoding/json"
	"fmt"
	"io"
	"os"
	"testing"
)

// host is an MCP host that runs the program as its stdio server.
type host struct {
	*process
	stdin *os.File
}

func newHost(t *testing.T, url string, flags ...string) *host {
	t.Helper()
	return newHostWith(t, url, nil, flags...)
}

// newHostWith is newHost with more variables in the environment. They replace
// those of the same name.
func newHostWith(t *testing.T, url string, env []string, flags ...string) *host {
	t.Helper()
	return startHost(t, url, env, append([]string{"stdio"}, flags...)...)
}

// startHost is newHostWith with all of the command line.
func startHost(t *testing.T, url string, env []string, args ...string) *host {
	t.Helper()
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { w.Close() })
	p := launch(t, url, r, func(stdout *journal) { checkOrder(t, stdout.messages(t)) }, env, args...)
	r.Close()
	return &host{p, w}
}

func (h *host) connect(e era) *conn {
	c := &conn{t: h.t, era: e, wire: h}
	c.handshake()
	return c
}

// write writes s to the server's stdin.
func (h *host) write(s string) {
	h.t.Helper()
	if _, err := io.WriteString(h.stdin, s); err != nil {
		h.t.Fatal(err)
	}
}

func (h *host) send(_ int, _ string, message json.RawMessage) { h.write(string(message) + "\n") }

func (h *host) journal(int) *journal { return &h.stdout }

func (h *host) cancel(id int) {
	h.write(fmt.Sprintf(`{"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":%d,"reason":"stopped by the user"}}`+"\n", id))
}

// closeStdin closes the server's stdin.
func (h *host) closeStdin() {
	h.t.Helper()
	if err := h.stdin.Close(); err != nil {
		h.t.Fatal(err)
	}
}
