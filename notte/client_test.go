package notte_test

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/anything-mcp/anything-mcp/notte"
)

// names are what the tests' clients call their settings.
var names = notte.SettingNames{Key: "THE_KEY", APIURL: "THE_API_URL", AnythingURL: "THE_ANYTHING_URL"}

const testKey = `sk-te/st+"4711<é`

// asciiKey is a key that has to be escaped in URLs and in JSON alike.
const asciiKey = `sk-te/st+"4711<x>&=%`

// newTest is a client of a server that answers with h.
func newTest(t *testing.T, h http.HandlerFunc) *notte.Client {
	t.Helper()
	srv := httptest.NewServer(h)
	t.Cleanup(srv.Close)
	return newClient(t, notte.Config{Key: asciiKey, APIURL: srv.URL + "/base/", AnythingURL: srv.URL + "/base/"})
}

func newClient(t *testing.T, cfg notte.Config) *notte.Client {
	t.Helper()
	cfg.Names = names
	c, err := notte.NewClient(cfg)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// calls are all calls of a client, by name.
func calls(ctx context.Context, c *notte.Client, id string) map[string]func() error {
	return map[string]func() error{
		"StartBuild": func() error { s, err := c.StartBuild(ctx, notte.BuildRequest{Query: "q"}); return drained(s, err) },
		"CreateRun":  func() error { _, err := c.CreateRun(ctx, id); return err },
		"StartRun":   func() error { s, err := c.StartRun(ctx, id, id, nil); return drained(s, err) },
		"StartNewRun": func() error {
			s, err := c.StartRun(ctx, id, "", nil)
			return drained(s, err)
		},
		"GetRun":        func() error { _, err := c.GetRun(ctx, id, id); return err },
		"StopRun":       func() error { return c.StopRun(ctx, id, id) },
		"GetFunction":   func() error { _, err := c.GetFunction(ctx, id); return err },
		"ListFunctions": func() error { _, err := c.ListFunctions(ctx, 1, 10); return err },
	}
}

// untilGone waits until the client of r has left, which a server notices once it
// has read the body.
func untilGone(r *http.Request) {
	io.Copy(io.Discard, r.Body)
	<-r.Context().Done()
}

// drained reads a stream to its end and returns its error.
func drained(s *notte.Stream, err error) error {
	if err != nil {
		return err
	}
	for _, e := range s.Events() {
		err = e
	}
	return err
}

func TestNewClientRefuses(t *testing.T) {
	for _, raw := range []string{"api.notte.cc", "ftp://h", "https://", "http://:80", "https://user:hunter2@h", "https://h?x=hunter2", "https://h#f", "ht tp://h", "http://[::1"} {
		for setting, cfg := range map[string]notte.Config{"THE_API_URL": {APIURL: raw, Names: names}, "THE_ANYTHING_URL": {AnythingURL: raw, Names: names}} {
			_, err := notte.NewClient(cfg)
			if err == nil || !strings.Contains(err.Error(), setting) || strings.Contains(err.Error(), "hunter2") {
				t.Errorf("%s: %v", raw, err)
			}
		}
	}
	if _, err := notte.NewClient(notte.Config{Key: testKey, Names: names}); err == nil || strings.Contains(err.Error(), "4711") {
		t.Errorf("a key with é: %v", err)
	}
	for _, raw := range []string{"", "http://127.0.0.1:1", "https://h/a/b//", "HTTPS://H"} {
		if _, err := notte.NewClient(notte.Config{APIURL: raw}); err != nil {
			t.Errorf("%q: %v", raw, err)
		}
	}
}

func TestOwner(t *testing.T) {
	a, again, b := newClient(t, notte.Config{Key: "a"}), newClient(t, notte.Config{Key: " a "}), newClient(t, notte.Config{Key: "b"})
	if a.Owner() != again.Owner() || a.Owner() == b.Owner() || len(a.Owner()) != 32 {
		t.Error(a.Owner(), again.Owner(), b.Owner())
	}
	if none := newClient(t, notte.Config{}); none.Owner() != "" {
		t.Error(none.Owner())
	}
}

func TestNewHTTPClientSizesItsReadBuffer(t *testing.T) {
	for asked, want := range map[int]int{0: 1 << 10, -1: 1 << 10, 4 << 10: 4 << 10} {
		transport, ok := notte.NewHTTPClient(asked, notte.Proxies{}).Transport.(*http.Transport)
		if !ok || transport.ReadBufferSize != want {
			t.Errorf("NewHTTPClient(%d): %+v", asked, transport)
		}
	}
}

func TestClientWithAndWithoutAKey(t *testing.T) {
	c := newClient(t, notte.Config{Key: asciiKey, AnythingURL: "https://h.example/a"})
	if err := c.Ready(); err != nil || c.AnythingURL() != "https://h.example/a" {
		t.Error(err, c.AnythingURL())
	}
	text := "the key is " + asciiKey
	if got := c.Redact(text); got != "the key is [redacted]" {
		t.Errorf("Redact: %q", got)
	}
	if got := c.Pending(text[:len(text)-3]); got != len(asciiKey)-3 {
		t.Errorf("Pending: %d", got)
	}
	if got := c.Pending(text); got != 0 {
		t.Errorf("Pending after a whole key: %d", got)
	}
	none := newClient(t, notte.Config{})
	if err := none.Ready(); !errors.Is(err, notte.ErrNoKey) || none.Redact("a") != "a" || none.Pending("a") != 0 {
		t.Errorf("without a key: %v", err)
	}
	word := newClient(t, notte.Config{Key: "sandbox"})
	if got := word.Redact("a sandbox"); got != "a sandbox" {
		t.Errorf("a key that is an ordinary word: %q", got)
	}
}

func TestValidID(t *testing.T) {
	for id, want := range map[string]bool{"f-1_A": true, strings.Repeat("a", 128): true, "": false, "a/b": false, strings.Repeat("a", 129): false} {
		if notte.ValidID(id) != want {
			t.Errorf("ValidID(%q) = %v", id, !want)
		}
	}
}
