package e2e_test

import (
	"fmt"
	"net/http"
	"os"
	"strings"
	"testing"
)

// Refused requests, with their answers. A request in the archive is a line with
// method and path, then headers, then an empty line and the body.
func TestRefusals(t *testing.T) {
	t.Parallel()
	_, url := newSandbox(t)
	s := newHTTPServer(t, url, []string{"ANYTHING_MCP_AUTH_TOKEN=" + accessToken}, "--allow-origin", "https://app.example.com")
	replay(t, "testdata/refusals.txtar", func(t *testing.T, request string) string {
		head, body, _ := strings.Cut(request, "\n\n")
		first, fields, _ := strings.Cut(head, "\n")
		method, path, _ := strings.Cut(strings.TrimSpace(first), " ")
		header := http.Header{"Content-Type": {"application/json"}, "Accept": {"application/json, text/event-stream"}}
		for line := range strings.Lines(fields) {
			name, value, _ := strings.Cut(strings.TrimSpace(line), ": ")
			header.Set(name, strings.ReplaceAll(value, "{token}", accessToken))
		}
		resp, text := s.do(t, method, path, expand(body), header)
		answer := []string{resp.Status}
		for _, name := range []string{"Allow", "WWW-Authenticate", "Access-Control-Allow-Origin"} {
			if value := resp.Header.Get(name); value != "" {
				answer = append(answer, name+": "+value)
			}
		}
		return strings.Join(append(answer, strings.TrimSpace(text)), "\n")
	})
}

// A client cannot cancel the call of another client by its request ID.
func TestForeignCancellation(t *testing.T) {
	inBothContracts(t, func(t *testing.T, api *service, url string) {
		s := newHTTPServer(t, url, nil)
		wait, open := gate(t)
		api.Script("mine", statusEvent("planning"), wait, done("fn"))
		mine := s.connect(t, legacy)
		id := mine.build("mine")
		mine.progress(id, 1)
		for _, e := range bothEras {
			other := s.connect(t, e)
			other.wire.(*webClient).notifyCancelled(id)
			other.ping()
		}
		open()
		if out := mine.outcome(id); out.Status != "done" {
			t.Errorf("the call returned %s", out.text)
		}
	})
}

// The server sends a comment every 15 s on the stream of a call without progress.
func TestKeepAlive(t *testing.T) {
	inBothContracts(t, func(t *testing.T, api *service, url string) {
		if testing.Short() {
			t.Skip("the comment comes after 15 seconds")
		}
		s := newHTTPServer(t, url, nil)
		for _, e := range bothEras {
			t.Run(string(e), func(t *testing.T) {
				t.Parallel()
				c := s.connect(t, e)
				c.noProgress = true
				wait, open := gate(t)
				api.Script("hush "+string(e), statusEvent("planning"), wait, done(""))
				id := c.build("hush " + string(e))
				c.wire.(*webClient).find(id).comments.await(t, "a comment", func(string, message) bool { return true })
				open()
				if out := c.outcome(id); out.Status != "done" {
					t.Errorf("the call returned %s", out.text)
				}
			})
		}
	})
}

// The stream of a legacy client's GET carries nothing while nothing changes, and does
// not keep the server from stopping.
func TestListeningStream(t *testing.T) {
	skipWithoutSignals(t)
	t.Parallel()
	_, url := newSandbox(t)
	s := newHTTPServer(t, url, nil)
	c := s.connect(t, legacy)
	lines := s.openStream(t, c)
	if out := c.outcome(c.build("fetch a post")); out.Status != "done" {
		t.Errorf("the build returned %s", out.text)
	}
	s.signal(os.Interrupt)
	for lines.Scan() {
		t.Errorf("the stream carried %q", lines.Text())
	}
	s.exits(0)
}

// Calls over --max-calls are refused with the reason. Waiting calls and other
// requests go on.
func TestCap(t *testing.T) {
	for _, transport := range []string{"stdio", "http"} {
		t.Run(transport, func(t *testing.T) {
			inBothContracts(t, func(t *testing.T, api *service, url string) {
				c, _ := connect(t, transport, legacy, url, "--max-calls", "2")
				wait, open := gate(t)
				var ids []int
				for n := range 2 {
					query := fmt.Sprintf("wait %d", n)
					api.Script(query, statusEvent("planning"), wait, done(""))
					ids = append(ids, c.build(query))
					c.progress(ids[n], 1)
				}
				if m := c.answer(c.build("one too many")); m.Error == nil || !strings.Contains(m.Error.Message, "2 calls are running") {
					t.Errorf("the third call was answered with %+v", m)
				}
				c.ping()
				open()
				for _, id := range ids {
					if out := c.outcome(id); out.Status != "done" {
						t.Errorf("a call returned %s", out.text)
					}
				}
				if n := requests(api, "POST", "/start"); n != 2 {
					t.Errorf("Notte was asked for %d builds", n)
				}
			})
		})
	}
}

// Names of the server and origins of pages, as operators write them. What is refused
// is in the log once, with the setting that allows it.
func TestHostsAndOrigins(t *testing.T) {
	t.Parallel()
	_, url := newSandbox(t)
	open := newHTTPServer(t, url, []string{"ANYTHING_MCP_ALLOW_HOST=https://mcp.example.com/mcp,*.ngrok-free.app,bücher.example"},
		"--allow-origin", "https://App.example.com/,https://*.example.org")
	guarded := newHTTPServer(t, url, []string{"ANYTHING_MCP_AUTH_TOKEN=" + accessToken})
	for _, a := range []struct {
		server              *httpServer
		host, origin, token string
		want                int // 200: it begins a session
	}{
		{open, "mcp.example.com", "", "", 200},
		{open, "MCP.example.com.:8443", "", "", 200},
		{open, "abc.ngrok-free.app", "", "", 200},
		{open, "xn--bcher-kva.example", "", "", 200},
		{open, "", "https://app.example.com", "", 200},
		{open, "", "https://a.b.example.org", "", 200},
		{open, "", "http://localhost:6274", "", 200},
		{open, "ngrok-free.app", "", "", 403},
		{open, "abc.ngrok-free.app.evil.example", "", "", 403},
		{open, "rebound.example:8808", "", "", 403},
		{open, "rebound.example", "", "", 403},
		{open, "", "http://app.example.com", "", 403},
		{open, "", "https://evil.example:8443", "", 403},
		{open, "", "https://evil.example:8443", "", 403},
		{open, "last.example", "", "", 403},
		{guarded, "mcp.example.com", "", accessToken, 200},
		{guarded, "mcp.example.com", "", "another", 401},
		{guarded, "mcp.example.com", "", "", 401},
		{guarded, "mcp.example.com", "https://evil.example", accessToken, 403},
		{guarded, "mcp.example.com", "https://evil.example", "", 403},
	} {
		header := http.Header{"Content-Type": {"application/json"}, "Host": {a.host}}
		if a.origin != "" {
			header.Set("Origin", a.origin)
		}
		if a.token != "" {
			header.Set("Authorization", "Bearer "+a.token)
		}
		resp, body := a.server.do(t, http.MethodPost, "/mcp",
			`{"jsonrpc":"2.0","id":1,"method":"initialize","params":{"protocolVersion":"2025-06-18","capabilities":{}}}`, header)
		if resp.StatusCode != a.want {
			t.Errorf("%+v: got %d %s", a, resp.StatusCode, body)
		}
	}
	open.stderr.await(t, "the last warning", func(line string, _ message) bool {
		return strings.Contains(line, `"remedy":"--allow-host last.example"`)
	})
	for _, remedy := range []string{
		"--allow-host rebound.example", "--allow-host ngrok-free.app", "--allow-host abc.ngrok-free.app.evil.example",
		"--allow-origin http://app.example.com", "--allow-origin https://evil.example:8443",
	} {
		if n := strings.Count(open.stderr.String(), `"remedy":"`+remedy+`"`); n != 1 {
			t.Errorf("%s is in the log %d times, want once", remedy, n)
		}
	}
}
