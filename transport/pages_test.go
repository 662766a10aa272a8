package transport

import (
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

// pageMux has one page, which says that it was reached.
func pageMux() *http.ServeMux {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /{$}", func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "a page") })
	mux.HandleFunc("POST /api/call", func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "a call") })
	return mux
}

func TestPagesAreGuarded(t *testing.T) {
	local := HTTPOptions{Addr: "127.0.0.1:8808", Pages: pageMux()}
	open := HTTPOptions{Addr: "0.0.0.0:8808", AuthToken: "s3cret", AllowedOrigins: []string{"https://app.example"}, Pages: pageMux()}
	for _, tt := range []struct {
		name                       string
		opts                       HTTPOptions
		method, path, host, origin string
		want                       int
	}{
		{"a page", local, "GET", "/", "127.0.0.1:8808", "", 200},
		{"another path", local, "GET", "/.well-known/oauth-protected-resource", "127.0.0.1:8808", "", 404},
		{"another method", local, "POST", "/", "127.0.0.1:8808", "", 404},
		{"a foreign name", local, "GET", "/", "evil.example:8808", "", 403},
		{"a foreign page", local, "POST", "/api/call", "127.0.0.1:8808", "https://evil.example", 403},
		{"no page at all", local, "POST", "/api/call", "127.0.0.1:8808", "null", 403},
		{"an own page", local, "POST", "/api/call", "127.0.0.1:8808", "http://127.0.0.1:8808", 200},
		{"any name with a token", open, "GET", "/", "mcp.example", "", 200},
		{"an own page of that name", open, "POST", "/api/call", "mcp.example", "https://mcp.example", 200},
		{"a page of another port", open, "POST", "/api/call", "mcp.example", "https://mcp.example:444", 403},
		{"no pages", HTTPOptions{Addr: "127.0.0.1:8808"}, "GET", "/", "127.0.0.1:8808", "", 404},
	} {
		t.Run(tt.name, func(t *testing.T) {
			r := httptest.NewRequest(tt.method, tt.path, nil)
			r.Host = tt.host
			if tt.origin != "" {
				r.Header.Set("Origin", tt.origin)
			}
			w := httptest.NewRecorder()
			newHTTP(t, newFakeServer(), tt.opts).ServeHTTP(w, r)
			if w.Code != tt.want {
				t.Errorf("got %d, want %d: %s", w.Code, tt.want, w.Body)
			}
			if allowed := w.Header().Get("Access-Control-Allow-Origin"); allowed != "" {
				t.Errorf("pages of %s may read it", allowed)
			}
		})
	}
}

// The token of MCP opens no page, and nothing of the pages opens MCP.
func TestPagesAndMCPAreApart(t *testing.T) {
	h := newHTTP(t, newFakeServer(), HTTPOptions{Addr: "127.0.0.1:8808", AuthToken: "s3cret", Pages: pageMux()})
	r := httptest.NewRequest(http.MethodPost, "/mcp", strings.NewReader("{}"))
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("Cookie", "anything_mcp=s3cret; anything_mcp_8808=s3cret")
	w := httptest.NewRecorder()
	if h.ServeHTTP(w, r); w.Code != http.StatusUnauthorized {
		t.Errorf("a cookie opens /mcp: %d", w.Code)
	}
}

// While the server stops, a page's call is refused as others are.
func TestPagesCountAsCalls(t *testing.T) {
	h := newHTTP(t, newFakeServer(), HTTPOptions{Pages: pageMux()})
	h.limit.close()
	w := httptest.NewRecorder()
	r := httptest.NewRequest(http.MethodGet, "/", nil)
	r.Host = "localhost"
	if h.ServeHTTP(w, r); w.Code != http.StatusServiceUnavailable || !strings.Contains(w.Body.String(), "stopping") {
		t.Errorf("got %d: %s", w.Code, w.Body)
	}
}

func TestNewPages(t *testing.T) {
	h, err := NewPages(pageMux(), HTTPOptions{Addr: "127.0.0.1:1"})
	if err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		host, path string
		want       int
	}{{"127.0.0.1:1", "/", 200}, {"evil.example", "/", 403}, {"127.0.0.1:1", "/mcp", 404}} {
		r := httptest.NewRequest(http.MethodGet, tt.path, nil)
		r.Host = tt.host
		w := httptest.NewRecorder()
		if h.ServeHTTP(w, r); w.Code != tt.want {
			t.Errorf("%s%s: got %d, want %d", tt.host, tt.path, w.Code, tt.want)
		}
	}
	if _, err := NewPages(pageMux(), HTTPOptions{Addr: "0.0.0.0:1"}); err == nil {
		t.Error("pages for other machines need no token")
	}
}
