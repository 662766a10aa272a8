package transport

import (
	"strings"
	"testing"
)

func TestAllowedHosts(t *testing.T) {
	for _, tt := range []struct{ allowed, allows, refuses string }{
		{"mcp.example.com", "mcp.example.com mcp.example.com:8808 MCP.Example.COM mcp.example.com. mcp.example.com.:443", "example.com x.mcp.example.com mcp.example.com.evil.example"},
		{"https://mcp.example.com", "mcp.example.com mcp.example.com:443 mcp.example.com:8443", "evil.example"},
		{"https://mcp.example.com/mcp?x=1#y", "mcp.example.com", "evil.example"},
		{"mcp.example.com/", "mcp.example.com", "evil.example"},
		{" MCP.example.com. ", "mcp.example.com", "evil.example"},
		{"mcp.example.com:8443", "mcp.example.com:8443", "mcp.example.com mcp.example.com:8444"},
		{"mcp.example.com:443", "mcp.example.com mcp.example.com:443", "evil.example"},
		{"http://mcp.example.com:80/", "mcp.example.com mcp.example.com:80", "evil.example"},
		{"*.ngrok-free.app", "abc.ngrok-free.app a.b.ngrok-free.app:443", "ngrok-free.app xngrok-free.app abc.ngrok-free.app.evil.example"},
		{"https://*.ngrok-free.app/", "abc.ngrok-free.app", "ngrok-free.app"},
		{"*.ngrok-free.app:8443", "abc.ngrok-free.app:8443", "abc.ngrok-free.app"},
		{"bücher.example", "xn--bcher-kva.example xn--bcher-kva.example:8808", "bucher.example"},
		{"BÜCHER.example", "xn--bcher-kva.example", "bucher.example"},
		{"xn--bcher-kva.example", "xn--bcher-kva.example", "bucher.example"},
		{"*.bücher.example", "a.xn--bcher-kva.example", "xn--bcher-kva.example"},
		{"例え。テスト。", "xn--r8jz45g.xn--zckzah", "evil.example"},
		{"my_service", "my_service:8808", "my-service"},
		{"host.docker.internal:8808", "host.docker.internal:8808", "host.docker.internal:8809"},
		{"192.0.2.7", "192.0.2.7:8808 [::ffff:192.0.2.7]", "192.0.2.8"},
		{"2001:db8::1", "[2001:db8::1]:8808 [2001:DB8:0::1]", "[2001:db8::2]"},
		{"[2001:db8::1]:8808", "[2001:db8::1]:8808", "[2001:db8::1]:8809"},
		{"*", "anything.example 192.0.2.1 [::1]:1", ""},
		{"", "", "mcp.example.com"},
	} {
		checkAllowed(t, parseHost, tt.allowed, tt.allows, tt.refuses)
	}
}

func TestAllowedOrigins(t *testing.T) {
	for _, tt := range []struct{ allowed, allows, refuses string }{
		{"https://app.example.com", "https://app.example.com https://APP.example.com https://app.example.com.", "http://app.example.com https://app.example.com:8443 https://x.app.example.com null"},
		{"https://app.example.com/", "https://app.example.com", "http://app.example.com"},
		{"HTTPS://App.Example.com./chat?x=1", "https://app.example.com", "http://app.example.com"},
		{"https://app.example.com:443", "https://app.example.com", "https://app.example.com:444"},
		{"http://app.example.com:80", "http://app.example.com", "https://app.example.com"},
		{"http://localhost:6274", "http://localhost:6274", "http://localhost https://localhost:6274"},
		{"https://*.example.com", "https://a.example.com https://a.b.example.com", "https://example.com http://a.example.com https://aexample.com https://a.example.com.evil.example"},
		{"https://bücher.example", "https://xn--bcher-kva.example", "https://bucher.example"},
		{"http://[::1]:3000", "http://[::1]:3000", "http://[::1]"},
		{"vscode-webview://0a1b2c", "vscode-webview://0a1b2c", "vscode-webview://other"},
		{"*", "https://any.example chrome-extension://abc null", ""},
	} {
		checkAllowed(t, parseOrigin, tt.allowed, tt.allows, tt.refuses)
	}
}

func checkAllowed(t *testing.T, parse func(string) (site, error), allowed, allows, refuses string) {
	t.Helper()
	list, err := parseSites([]string{allowed}, parse)
	if err != nil {
		t.Errorf("%q: %v", allowed, err)
		return
	}
	check := func(names string, want bool) {
		for name := range strings.FieldsSeq(names) {
			if s, _ := parse(name); isAllowed(list, s) != want {
				t.Errorf("%q allows %s: %t, want %t", allowed, name, !want, want)
			}
		}
	}
	check(allows, true)
	check(refuses, false)
}

// TestNotSites has entries that could never match a request. They are refused at the
// start.
func TestNotSites(t *testing.T) {
	for _, entry := range []string{
		"mcp example", "mcp.*.example", "*example.com", "**.example.com", "*.", ".", "https://", "https://:443", ":8808", "user@mcp.example",
		"https://user:secret@mcp.example", "mcp.example:port", "mcp.example:0", "mcp.example:70000", "a..example", ".example.com", "*.192.0.2.1", "*.[::1]",
		"[::1", "mcp.example,other.example", "https://*", "${HOST}", "<host>", "xn--zzzzzzzz999.example", strings.Repeat("x", 64) + ".example",
	} {
		if s, err := parseHost(entry); err == nil {
			t.Errorf("the host %q was taken as %v", entry, s)
		}
		if s, err := parseOrigin("https://" + strings.TrimPrefix(entry, "https://")); err == nil {
			t.Errorf("the origin https://%s was taken as %v", entry, s)
		}
	}
	for _, entry := range []string{"app.example.com", "app.example.com:8080", "localhost:3000", "//app.example.com", "null", "file:///x", "data:x", "/path"} {
		if s, err := parseOrigin(entry); err == nil {
			t.Errorf("the origin %q was taken as %v", entry, s)
		}
	}
}

// FuzzSite checks that whatever is taken as a site can be allowed by the name that
// the log tells.
func FuzzSite(f *testing.F) {
	for _, seed := range []string{"mcp.example.com", "https://*.bücher.example:8443/x", "[::1]:80", "null", "*", "a..b", "http://::1", "//x:443", "xn--.x"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, s string) {
		for _, parse := range []func(string) (site, error){parseHost, parseOrigin} {
			given, err := parse(s)
			if err != nil {
				continue
			}
			if list, err := parseSites([]string{given.String()}, parse); err != nil || !isAllowed(list, given) {
				t.Errorf("%q is %+v, and %q does not allow it: %v", s, given, given.String(), err)
			}
		}
	})
}
