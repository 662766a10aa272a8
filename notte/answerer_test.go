package notte_test

import (
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/anything-mcp/anything-mcp/notte"
)

// TestWhoAnswered checks that a page which is not Notte's is told as what it is, and
// that JSON stays Notte's word.
func TestWhoAnswered(t *testing.T) {
	const (
		html      = "text/html; charset=UTF-8"
		challenge = `<!DOCTYPE html><html lang="en-US"><head><title>Just a moment...</title></head><body></body></html>`
		between   = "something between this computer and Notte answered"
		other     = "something other than Notte's API answered"
	)
	cloudflare := http.Header{"Server": {"cloudflare"}}
	mitigated := http.Header{"Server": {"cloudflare"}, "Cf-Mitigated": {"challenge"}}
	for _, tt := range []struct {
		situation string
		status    int
		header    http.Header
		kind      string
		body      string
		says      []string
		may       bool // the build may have begun
	}{
		{"Cloudflare's challenge", 403, mitigated, html, challenge, []string{between, "403 Forbidden: Just a moment", "bot check", "!plan"}, false},
		{"with another status", 503, mitigated, html, challenge, []string{between, "bot check", "try again"}, false},
		{"without a page", 403, mitigated, "text/plain", "", []string{between, "bot check"}, false},
		{"Cloudflare's block", 403, cloudflare, html, "<html><title>Attention Required! | Cloudflare</title></html>", []string{between, "Attention Required", "!plan"}, false},
		{"a gateway's login", 401, nil, html, "<html><h1>401</h1></html>", []string{between, "is probably not the reason", "!mistyped"}, false},
		{"a gateway's limit", 429, http.Header{"Retry-After": {"90"}}, html, challenge, []string{between, "try again in 1m30s"}, false},
		{"a gateway's maintenance", 503, nil, html, challenge, []string{between, "do not start it again", "!try again"}, true},
		{"without a type", 403, nil, "", "\uFEFF\n <html><title>Blocked</title>", []string{between, "Blocked"}, false},
		{"XHTML", 403, nil, "application/xhtml+xml", "<?xml version='1.0'?><html/>", []string{between}, false},
		{"no page at all", 403, nil, html, "", []string{between}, false},
		{"a hotel's network", 511, nil, html, "<title>Wi-Fi</title>", []string{"the network answered 511", "Wi-Fi", "sign in"}, false},
		{"a network that sends JSON", 511, nil, "application/json", `{"portal":"https://wifi.example"}`, []string{"the network answered 511", "sign in"}, false},
		{"a sign-in page", 200, nil, html, "<title>Sign in</title>", []string{other, "Sign in", "do not start it again"}, true},
		{"another web server", 404, nil, html, "<title>404 Not Found</title>", []string{other, "THE_ANYTHING_URL"}, false},
		{"a proxy", 407, nil, html, "<title>Squid</title>", []string{"the proxy answered 407", "password", "!may have begun"}, false},

		{"Notte, behind Cloudflare", 403, cloudflare, "application/json", `{"detail":"plan limit"}`, []string{"Notte answered 403", "plan limit", "!between"}, false},
		{"Notte, with a challenge's header", 403, mitigated, "application/json", `{"detail":"no"}`, []string{"Notte answered 403", "!between"}, false},
		{"Notte, with the wrong type", 401, nil, html, `{"detail":"bad key"}`, []string{"Notte answered 401", "bad key", "THE_KEY", "!between"}, false},
		{"Notte, overloaded", 503, cloudflare, "application/json", `{}`, []string{"Notte answered 503", "overloaded", "!between"}, true},
		{"Notte, in plain text", 403, nil, "text/plain", "no", []string{"Notte answered 403 Forbidden: no", "!between"}, false},
		{"Notte's gateway", 502, cloudflare, html, "<title>502 Bad Gateway</title>", []string{"Notte answered 502", "Notte's side", "!between"}, true},
	} {
		c := newTest(t, func(w http.ResponseWriter, _ *http.Request) {
			for name, value := range tt.header {
				w.Header()[name] = value
			}
			w.Header()["Content-Type"] = []string{tt.kind}
			w.WriteHeader(tt.status)
			io.WriteString(w, tt.body)
		})
		_, err := c.StartBuild(t.Context(), notte.BuildRequest{Query: "q"})
		var e *notte.Error
		if !errors.As(err, &e) || e.StatusCode != tt.status || notte.MayHaveStarted(err) != tt.may {
			t.Errorf("%s: may have started: %v, %v", tt.situation, notte.MayHaveStarted(err), err)
			continue
		}
		for _, word := range tt.says {
			if unwanted, not := strings.CutPrefix(word, "!"); strings.Contains(err.Error(), unwanted) == not {
				t.Errorf("%s: says %q: %v: %s", tt.situation, unwanted, !not, err)
			}
		}
	}
}

// A page with status 404 says nothing of what Notte has.
func TestIsNotFound(t *testing.T) {
	for body, want := range map[string]bool{`{"detail":"Function not found"}`: true, "": true, "<html></html>": false} {
		c := newTest(t, func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(http.StatusNotFound)
			io.WriteString(w, body)
		})
		if _, err := c.GetFunction(t.Context(), "f1"); notte.IsNotFound(err) != want {
			t.Errorf("%q: %v", body, err)
		}
	}
}

// A page in the place of the answer to a stop does not mean that the run was stopped.
func TestStopAnsweredByAPage(t *testing.T) {
	c := newTest(t, func(w http.ResponseWriter, _ *http.Request) { io.WriteString(w, "<title>Sign in</title>") })
	if err := c.StopRun(t.Context(), "f1", "r1"); err == nil || !strings.Contains(err.Error(), "Sign in") {
		t.Error(err)
	}
}
