package transport

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

func TestNewHTTPRefuses(t *testing.T) {
	for _, tt := range []struct {
		opts HTTPOptions
		want string
	}{
		{HTTPOptions{Addr: "0.0.0.0:8808"}, "the server's token is missing"},
		{HTTPOptions{Addr: ":8808"}, "the server's token is missing"},
		{HTTPOptions{Addr: "[::]:8808"}, "the server's token is missing"},
		{HTTPOptions{Addr: "mcp.example:8808"}, "the server's token is missing"},
		{HTTPOptions{Addr: "127.0.0.1.example:8808"}, "the server's token is missing"},
		{HTTPOptions{Addr: "8808"}, "127.0.0.1:8808"},
		{HTTPOptions{Addr: "127.0.0.1:8808", AuthToken: "two words"}, "printable"},
		{HTTPOptions{Addr: "127.0.0.1:8808", TLSCert: "cert.pem"}, "both"},
		{HTTPOptions{Addr: "127.0.0.1:8808", TLSKey: "key.pem"}, "both"},
		{HTTPOptions{Addr: "127.0.0.1:8808", TLSCert: "no.pem", TLSKey: "no.pem"}, "no.pem"},
		{HTTPOptions{Addr: "127.0.0.1:8808", AllowedOrigins: []string{"example.com"}}, `the allowed origin "example.com" is not a scheme and a host`},
		{HTTPOptions{Addr: "127.0.0.1:8808", AllowedHosts: []string{"a.example", "a b"}}, `the allowed host "a b" is not the name of a host`},
	} {
		if _, err := NewHTTP(newFakeServer().srv, tt.opts); err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%+v: got the error %v, want it to say %s", tt.opts, err, tt.want)
		} else if strings.Contains(err.Error(), "two words") {
			t.Errorf("the error shows the token: %v", err)
		}
	}
}

// TestGuard sends an empty message to /mcp. The status 400 means that the guard has
// allowed it.
func TestGuard(t *testing.T) {
	open := HTTPOptions{Addr: "0.0.0.0:8808", AuthToken: "s3cret"}
	tunnelled := HTTPOptions{Addr: "127.0.0.1:8808", AuthToken: "s3cret"}
	listed := HTTPOptions{Addr: "192.0.2.7:8808", AuthToken: "s3cret",
		AllowedHosts: []string{"mcp.example", "other.example:444"}, AllowedOrigins: []string{"https://App.example/"}}
	local := HTTPOptions{Addr: "localhost:8808", AllowedHosts: []string{"proxy.example"}, AllowedOrigins: []string{"*"}}
	for _, tt := range []struct {
		name               string
		opts               HTTPOptions
		host, origin, auth string
		want               int
	}{
		{"no token", open, "mcp.example", "", "", 401},
		{"wrong token", open, "mcp.example", "", "Bearer s3cre", 401},
		{"other scheme", open, "mcp.example", "", "Basic s3cret", 401},
		{"token alone", open, "mcp.example", "", "s3cret", 401},
		{"right token", open, "mcp.example", "", "Bearer s3cret", 400},
		{"scheme in lower case", open, "mcp.example", "", "bearer s3cret", 400},
		{"origin on an open server", open, "mcp.example", "http://localhost:3000", "Bearer s3cret", 403},
		{"foreign origin without token", open, "mcp.example", "https://evil.example", "", 403},
		{"tunnel with token", tunnelled, "mcp.example.com", "", "Bearer s3cret", 400},
		{"tunnel with wrong token", tunnelled, "mcp.example.com", "", "Bearer other", 401},
		{"tunnel without token", tunnelled, "mcp.example.com", "", "", 401},
		{"page through a tunnel", tunnelled, "mcp.example.com", "https://mcp.example.com", "Bearer s3cret", 403},
		{"local page through a tunnel", tunnelled, "mcp.example.com", "http://localhost:6274", "Bearer s3cret", 400},
		{"listed host", listed, "MCP.example:8808", "", "Bearer s3cret", 400},
		{"any host, with the token", listed, "evil.example", "", "Bearer s3cret", 400},
		{"any host, without the token", listed, "evil.example", "", "", 401},
		{"listed origin", listed, "mcp.example", "https://app.example", "Bearer s3cret", 400},
		{"foreign origin", listed, "mcp.example", "https://app.example.evil", "Bearer s3cret", 403},
		{"other scheme of origin", listed, "mcp.example", "http://app.example", "Bearer s3cret", 403},
		{"origin without token", listed, "mcp.example", "https://app.example", "", 401},
		{"loopback name", local, "localhost:8808", "", "", 400},
		{"loopback address", local, "127.3.2.1", "", "", 400},
		{"listed on loopback", local, "proxy.example", "https://any.example", "", 400},
		{"foreign on loopback", local, "evil.example", "", "", 403},
		{"no host", local, "", "", "", 403},
		{"loopback with a dot at its end", local, "localhost.:8808", "", "", 400},
		{"loopback in IPv6", local, "[::1]:8808", "", "", 400},
		{"name that begins like loopback", local, "127.0.0.1.evil.example", "", "", 403},
	} {
		t.Run(tt.name, func(t *testing.T) {
			r := httptest.NewRequestWithContext(t.Context(), http.MethodPost, "/mcp", strings.NewReader("{}"))
			r.Host = tt.host
			r.Header.Set("Content-Type", "application/json")
			if tt.origin != "" {
				r.Header.Set("Origin", tt.origin)
			}
			if tt.auth != "" {
				r.Header.Set("Authorization", tt.auth)
			}
			w := httptest.NewRecorder()
			newHTTP(t, newFakeServer(), tt.opts).ServeHTTP(w, r)
			if w.Code != tt.want {
				t.Errorf("got %d %s, want %d", w.Code, w.Body, tt.want)
			}
			if got := w.Header().Get("WWW-Authenticate"); strings.HasPrefix(got, "Bearer") != (tt.want == 401) {
				t.Errorf("got WWW-Authenticate %q with %d", got, w.Code)
			}
			if got := w.Header().Get("Access-Control-Allow-Origin"); tt.want != 403 && got != tt.origin {
				t.Errorf("allows the origin %q, want %q", got, tt.origin)
			}
			if strings.Contains(w.Body.String(), "s3cret") {
				t.Errorf("the answer shows the token: %s", w.Body)
			}
		})
	}
}
