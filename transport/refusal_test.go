package transport

import (
	"bytes"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// newLoggedHTTP returns a server, and the lines that it has logged since the last
// call.
func newLoggedHTTP(t *testing.T, opts HTTPOptions) (*HTTP, func() string) {
	var lines bytes.Buffer
	opts.Logger = slog.New(slog.NewTextHandler(&lines, &slog.HandlerOptions{Level: slog.LevelDebug, ReplaceAttr: func(_ []string, a slog.Attr) slog.Attr {
		if a.Key == slog.TimeKey {
			return slog.Attr{}
		}
		return a
	}}))
	opts.HostSetting, opts.OriginSetting = "allow-host", "allow-origin"
	return newHTTP(t, newFakeServer(), opts), func() string { defer lines.Reset(); return lines.String() }
}

// refuse sends a message that is refused.
func (h *HTTP) refuse(header http.Header, host, body string) *httptest.ResponseRecorder {
	r := httptest.NewRequest(http.MethodPost, "/mcp", strings.NewReader(body))
	r.Host = host
	r.Header = header
	r.Header.Set("Content-Type", "application/json")
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w
}

// TestRefusalsAreLogged has what an operator reads about refused requests: each name
// or client once, however often it asks.
func TestRefusalsAreLogged(t *testing.T) {
	const ping = `{"jsonrpc":"2.0","id":1,"method":"ping"}`
	open := HTTPOptions{}
	guarded := HTTPOptions{AuthToken: "s3cret"}
	right := http.Header{"Authorization": {"Bearer s3cret"}}
	for _, tt := range []struct {
		situation  string
		opts       HTTPOptions
		header     http.Header
		host, body string
		level      string
		want       string
	}{
		{"foreign host", open, nil, "mcp.example.com:8808", ping, "WARN", `remedy="allow-host mcp.example.com"`},
		{"foreign host in IPv6", open, nil, "[2001:db8::1]:8808", ping, "WARN", `remedy="allow-host 2001:db8::1"`},
		{"host that is none", open, nil, "a b;rm -rf", ping, "WARN", `a b;rm -rf`},
		{"foreign page", open, http.Header{"Origin": {"https://App.example.com:8443/x"}}, "localhost", ping, "WARN", `remedy="allow-origin https://app.example.com:8443"`},
		{"foreign page with token", guarded, http.Header{"Origin": {"https://app.example.com"}, "Authorization": right["Authorization"]}, "localhost", ping, "WARN", `remedy="allow-origin https://app.example.com"`},
		{"sandboxed page", open, http.Header{"Origin": {"null"}}, "localhost", ping, "WARN", `The origin \"null\"`},
		{"no token", guarded, nil, "mcp.example.com", ping, "INFO", `status=401 why="This server needs a token.`},
		{"other token", guarded, http.Header{"Authorization": {"Bearer secr3t"}}, "localhost", ping, "INFO", `status=401 why="The token is wrong.`},
		{"stale session", guarded, http.Header{"Mcp-Session-Id": {"gone"}, "Authorization": right["Authorization"]}, "localhost", ping, "DEBUG", `status=404 why="The session`},
		{"malformed", open, nil, "localhost", "{bad", "DEBUG", `status=400 why="The message is not valid JSON."`},
		{"no session", open, nil, "localhost", ping, "DEBUG", `status=400 why="The request has no Mcp-Session-Id`},
		{"compressed", open, http.Header{"Content-Encoding": {"gzip"}}, "localhost", "\x1f\x8b", "DEBUG", `status=415`},
	} {
		t.Run(tt.situation, func(t *testing.T) {
			h, logged := newLoggedHTTP(t, tt.opts)
			for n := range 3 {
				h.refuse(cloneHeader(tt.header), strings.Replace(tt.host, ":8808", fmt.Sprint(":", 8808+n), 1), tt.body)
			}
			got := logged()
			if strings.Count(got, "\n") != 1 || !strings.HasPrefix(got, "level="+tt.level+` msg="refused a request"`) || !strings.Contains(got, tt.want) {
				t.Errorf("logged %s\nwant one line at %s with %s", got, tt.level, tt.want)
			}
			if strings.Contains(got, "s3cret") || strings.Contains(got, "secr3t") || strings.Contains(got, "remedy") != strings.Contains(tt.want, "remedy") {
				t.Errorf("logged %s", got)
			}
		})
	}
}

func cloneHeader(h http.Header) http.Header {
	if h == nil {
		return http.Header{}
	}
	return h.Clone()
}

// TestRefusalLogIsBounded checks that the log gets 100 lines of a level an hour, of
// which the last says so. Other levels are not affected.
func TestRefusalLogIsBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h, logged := newLoggedHTTP(t, HTTPOptions{})
		for range 2 {
			for n := range 3 * maxRefusals {
				h.refuse(http.Header{}, fmt.Sprintf("h%d.example", n), "")
			}
			lines := strings.Split(strings.TrimSpace(logged()), "\n")
			if len(lines) != maxRefusals || !strings.Contains(lines[maxRefusals-1], "further refusals") || strings.Contains(lines[maxRefusals-2], "further") {
				t.Errorf("logged %d lines; the last is %s", len(lines), lines[len(lines)-1])
			}
			h.refuse(http.Header{}, "localhost", "{bad")
			if got := logged(); !strings.HasPrefix(got, "level=DEBUG") {
				t.Errorf("logged %q", got)
			}
			time.Sleep(refusalsEvery)
		}
	})
}

// TestMediaTypes has the bodies that HTTP clients encode in another way.
func TestMediaTypes(t *testing.T) {
	const ping = `{"jsonrpc":"2.0","id":1,"method":"ping"}`
	wide := func(little bool, width int, s string) string {
		var b strings.Builder
		for _, r := range s {
			unit := make([]byte, width)
			if little {
				unit[0], unit[1] = byte(r), byte(r>>8)
			} else {
				unit[width-1], unit[width-2] = byte(r), byte(r>>8)
			}
			b.Write(unit)
		}
		return b.String()
	}
	h := newHTTP(t, newFakeServer(), HTTPOptions{})
	session := h.sessions.begin(false)
	for _, tt := range []struct {
		situation, media, coding, body string
		want                           int
		text                           string
	}{
		{"plain", "application/json", "", ping, 200, pong},
		{"charset", "application/json; charset=UTF-8", "", ping, 200, pong},
		{"identity", "application/json", "Identity", ping, 200, pong},
		{"byte order mark", "application/json", "", "\ufeff" + ping, 200, pong},
		{"gzip", "application/json", "gzip", "\x1f\x8b\x08", 415, `does not decode \"gzip\"`},
		{"brotli", "application/json", "br", "\x0b", 415, `does not decode \"br\"`},
		{"gzip that is none", "application/json", "gzip", ping, 415, `does not decode \"gzip\"`},
		{"UTF-16 with a mark", "application/json; charset=utf-16", "", wide(true, 2, "\ufeff"+ping), 415, "not in UTF-8"},
		{"UTF-16, big end first", "application/json; charset=utf-16be", "", wide(false, 2, "\ufeff"+ping), 415, "not in UTF-8"},
		{"UTF-16 without a mark", "application/json", "", wide(true, 2, ping), 415, "not in UTF-8"},
		{"UTF-16BE without a mark", "application/json", "", wide(false, 2, "  "+ping), 415, "not in UTF-8"},
		{"UTF-32", "application/json", "", wide(true, 4, ping), 415, "not in UTF-8"},
		{"UTF-32, big end first", "application/json", "", wide(false, 4, ping), 415, "not in UTF-8"},
		{"text", "text/plain", "", ping, 415, "set Content-Type: application/json"},
		{"nothing", "application/json", "", "", 400, "not valid JSON"},
		{"byte order mark alone", "application/json", "", "\ufeff", 400, "not valid JSON"},
	} {
		t.Run(tt.situation, func(t *testing.T) {
			r := httptest.NewRequest(http.MethodPost, "http://localhost/mcp", strings.NewReader(tt.body))
			r.Header = http.Header{"Content-Type": {tt.media}, "Mcp-Session-Id": {session}}
			if tt.coding != "" {
				r.Header.Set("Content-Encoding", tt.coding)
			}
			w := httptest.NewRecorder()
			h.ServeHTTP(w, r)
			if w.Code != tt.want || !strings.Contains(w.Body.String(), tt.text) {
				t.Errorf("got %d %s, want %d with %s", w.Code, w.Body, tt.want, tt.text)
			}
		})
	}
}
