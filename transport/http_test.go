package transport

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
)

func newHTTP(t *testing.T, f *fakeServer, opts HTTPOptions) *HTTP {
	t.Helper()
	if opts.Addr == "" {
		opts.Addr = "127.0.0.1:8808"
	}
	h, err := NewHTTP(f.srv, opts)
	if err != nil {
		t.Fatal(err)
	}
	return h
}

// modernCall is a stateless tools/call of work.
func modernCall(t testing.TB, url string, token int, arguments string) *http.Request {
	t.Helper()
	body := fmt.Sprintf(`{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"work","arguments":%s,"_meta":{"progressToken":%d,`+
		`"io.modelcontextprotocol/protocolVersion":"2026-07-28","io.modelcontextprotocol/clientCapabilities":{}}}}`, arguments, token)
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, url+"/mcp", strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	for name, value := range map[string]string{
		"Content-Type": "application/json", "Accept": "application/json, text/event-stream",
		"Mcp-Protocol-Version": "2026-07-28", "Mcp-Method": "tools/call", "Mcp-Name": "work",
	} {
		req.Header.Set(name, value)
	}
	return req
}

// begin opens a legacy session and returns its ID.
func begin(t *testing.T, client *http.Client, url string) string {
	t.Helper()
	resp, err := client.Post(url+"/mcp", "application/json", strings.NewReader(
		`{"jsonrpc":"2.0","id":0,"method":"initialize","params":{"protocolVersion":"2025-06-18","capabilities":{},"clientInfo":{"name":"c","version":"1"}}}`))
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	id := resp.Header.Get("Mcp-Session-Id")
	if id == "" {
		t.Fatalf("no session: %s", resp.Status)
	}
	return id
}

// events returns the data of an event stream, in order.
func events(r io.Reader) (data [][]byte) {
	lines := bufio.NewScanner(r)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		if d, ok := bytes.CutPrefix(lines.Bytes(), []byte("data: ")); ok {
			data = append(data, bytes.Clone(d))
		}
	}
	return data
}

// TestHTTPUpdatesInOrder makes 20 calls send 10,000 updates at once, with each kind
// of protocol and each version of HTTP. All use the same token. Each call gets its
// own updates on its own stream, and none is late, lost or out of order.
func TestHTTPUpdatesInOrder(t *testing.T) {
	const calls, updates = 20, 500
	f := newFakeServer()
	h := newHTTP(t, f, HTTPOptions{})
	plain, secure := httptest.NewServer(h), httptest.NewUnstartedServer(h)
	secure.EnableHTTP2 = true
	secure.StartTLS()
	defer plain.Close()
	defer secure.Close()
	for _, tt := range []struct {
		name   string
		server *httptest.Server
		legacy bool
	}{{"modern", plain, false}, {"legacy", plain, true}, {"HTTP/2", secure, false}} {
		t.Run(tt.name, func(t *testing.T) {
			var session string // the legacy calls share two
			var wg sync.WaitGroup
			for n := range calls {
				req := modernCall(t, tt.server.URL, 7, fmt.Sprintf(`{"updates":%d,"size":%d}`, updates, n))
				if tt.legacy {
					body := request(1+n, 7, fmt.Sprintf(`{"updates":%d,"size":%d}`, updates, n))
					req.Body, req.ContentLength = io.NopCloser(strings.NewReader(body)), int64(len(body))
					req.Header.Del("Mcp-Protocol-Version")
					if n%(calls/2) == 0 {
						session = begin(t, tt.server.Client(), tt.server.URL)
					}
					req.Header.Set("Mcp-Session-Id", session)
				}
				wg.Go(func() { checkUpdates(t, tt.server.Client(), req, updates, n) })
			}
			wg.Wait()
			if late := f.notes(); late != nil {
				t.Errorf("updates failed: %q", late)
			}
		})
	}
}

// checkUpdates sends req and checks that its updates come first, then a result of
// size letters.
func checkUpdates(t *testing.T, client *http.Client, req *http.Request, updates, size int) {
	resp, err := client.Do(req)
	if err != nil {
		t.Error(err)
		return
	}
	defer resp.Body.Close()
	got := events(resp.Body)
	if len(got) != updates+1 {
		t.Errorf("call %d got %d messages, want %d", size, len(got), updates+1)
		return
	}
	for i, line := range got[:updates] {
		if m := decode(t, line); m.Params.Progress != i+1 || string(m.Params.ProgressToken) != "7" {
			t.Errorf("call %d: message %d is %s", size, i, line)
			return
		}
	}
	if want := `"done` + strings.Repeat("x", size) + `"`; !strings.Contains(string(got[updates]), want) {
		t.Errorf("call %d got another's result: %s", size, got[updates])
	}
}

func TestBodyLimit(t *testing.T) {
	const limit = maxBody
	s := httptest.NewServer(newHTTP(t, newFakeServer(), HTTPOptions{}))
	defer s.Close()
	message := func(size int) []byte {
		const head, tail = `{"jsonrpc":"2.0","method":"m","params":{"x":"`, `"}}`
		return []byte(head + strings.Repeat("x", size-len(head)-len(tail)) + tail)
	}
	session := begin(t, s.Client(), s.URL)
	for _, tt := range []struct {
		name   string
		body   io.Reader
		expect string
		want   int
	}{
		{"at the limit", bytes.NewReader(message(limit)), "", 202},
		{"one more", bytes.NewReader(message(limit + 1)), "", 413},
		{"chunked, at the limit", io.MultiReader(bytes.NewReader(message(limit))), "", 202},
		{"chunked, one more", io.MultiReader(bytes.NewReader(message(limit + 1))), "", 413},
		{"chunked, a lot more", io.MultiReader(bytes.NewReader(message(3 * limit))), "", 413},
		{"asked first", bytes.NewReader(message(3 * limit)), "100-continue", 413},
		{"chunked, asked first", io.MultiReader(bytes.NewReader(message(3 * limit))), "100-continue", 413},
	} {
		t.Run(tt.name, func(t *testing.T) {
			req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, s.URL+"/mcp", tt.body)
			if err != nil {
				t.Fatal(err)
			}
			req.Header.Set("Content-Type", "application/json")
			req.Header.Set("Mcp-Session-Id", session)
			if tt.expect != "" {
				req.Header.Set("Expect", tt.expect)
			}
			resp, err := s.Client().Do(req)
			if err != nil {
				t.Fatal(err)
			}
			defer resp.Body.Close()
			if resp.StatusCode != tt.want {
				t.Errorf("got %s, want %d", resp.Status, tt.want)
			}
		})
	}
}
