package notte_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

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
		"StartBuild": func() error { s, err := c.StartBuild(ctx, "q"); return drained(s, err) },
		"CreateRun":  func() error { _, err := c.CreateRun(ctx, id); return err },
		"StartRun":   func() error { s, err := c.StartRun(ctx, id, id, nil); return drained(s, err) },
		"StartNewRun": func() error {
			s, err := c.StartRun(ctx, id, "", nil)
			return drained(s, err)
		},
		"GetRun":        func() error { _, err := c.GetRun(ctx, id, id); return err },
		"ListRuns":      func() error { _, err := c.ListRuns(ctx, id, 1, 10); return err },
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

func TestRequests(t *testing.T) {
	type request struct{ line, body string }
	var got request
	var header http.Header
	c := newTest(t, func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		got = request{r.Method + " " + r.URL.RequestURI(), string(body)}
		header = r.Header
		w.Header().Set("Content-Type", "application/json")
		if strings.Contains(r.Header.Get("Accept"), "event-stream") {
			w.Header().Set("Content-Type", "Text/Event-Stream; charset=utf-8")
			io.WriteString(w, "data: {\"type\":\"result\",\"message\":\"{}\"}\n\n")
			io.WriteString(w, "data: {\"type\":\"done\"}\n\n")
			return
		}
		io.WriteString(w, `{"function_run_id":"r1"}`)
	})
	ctx := t.Context()
	for _, tt := range []struct {
		call func() error
		want request
	}{
		{func() error { s, err := c.StartBuild(ctx, `<b>&"é`); return drained(s, err) },
			request{"POST /base/api/anything/start", `{"query":"<b>&\"é"}`}},
		{func() error { _, err := c.CreateRun(ctx, "f1"); return err },
			request{"POST /base/functions/f1/runs/create", `{"local":false}`}},
		{func() error {
			s, err := c.StartRun(ctx, "f1", "r1", json.RawMessage(`{"a":"<"}`))
			return drained(s, err)
		},
			request{"POST /base/functions/f1/runs/r1", `{"function_id":"f1","workflow_id":"f1","function_run_id":"r1","workflow_run_id":"r1","variables":{"a":"<"},"stream":true}`}},
		{func() error { s, err := c.StartRun(ctx, "f1", "", nil); return drained(s, err) },
			request{"POST /base/functions/f1/runs/start", `{"function_id":"f1","workflow_id":"f1","variables":{},"stream":true}`}},
		{func() error { _, err := c.GetRun(ctx, "f1", "r1"); return err }, request{"GET /base/functions/f1/runs/r1", ""}},
		{func() error { _, err := c.ListRuns(ctx, "f1", 2, 5); return err }, request{"GET /base/functions/f1/runs?only_active=false&page=2&page_size=5", ""}},
		{func() error { return c.StopRun(ctx, "f1", "r1") }, request{"DELETE /base/functions/f1/runs/r1", ""}},
		{func() error { _, err := c.GetFunction(ctx, "f1"); return err }, request{"GET /base/functions/f1", ""}},
		{func() error { _, err := c.ListFunctions(ctx, 0, 0); return err }, request{"GET /base/functions", ""}},
	} {
		if err := tt.call(); err != nil {
			t.Errorf("%s: %v", tt.want.line, err)
		}
		if got != tt.want {
			t.Errorf("got  %+v\nwant %+v", got, tt.want)
		}
		if h := header.Get("Authorization"); h != "Bearer "+asciiKey {
			t.Errorf("%s: Authorization is %q", tt.want.line, h)
		}
		starts := strings.Contains(tt.want.body, "workflow_id")
		if h := header.Get("X-Notte-Api-Key"); (h == asciiKey) != starts || !starts && h != "" {
			t.Errorf("%s: x-notte-api-key is %q", tt.want.line, h)
		}
		if stream := strings.Contains(header.Get("Accept"), "text/event-stream"); stream != (header.Get("Accept-Encoding") == "identity") {
			t.Errorf("%s: Accept %q, Accept-Encoding %q", tt.want.line, header.Get("Accept"), header.Get("Accept-Encoding"))
		}
		if header.Get("User-Agent") == "" {
			t.Errorf("%s: no User-Agent", tt.want.line)
		}
	}
}

func TestNoKey(t *testing.T) {
	hit := false
	srv := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { hit = true }))
	defer srv.Close()
	c := newClient(t, notte.Config{Key: " \n", APIURL: srv.URL, AnythingURL: srv.URL})
	for name, call := range calls(t.Context(), c, "f1") {
		if err := call(); !errors.Is(err, notte.ErrNoKey) || !strings.Contains(err.Error(), "THE_KEY") {
			t.Errorf("%s: %v", name, err)
		}
	}
	if hit {
		t.Error("a request was made")
	}
}

func TestInvalidIDs(t *testing.T) {
	c := newTest(t, func(_ http.ResponseWriter, r *http.Request) { t.Errorf("a request to %s", r.URL) })
	for _, id := range []string{"", "..", "a/b", "a b", "a?b", "a%2f", "é", "a\n", "a\x00", strings.Repeat("a", 129)} {
		for name, call := range calls(t.Context(), c, id) {
			if name == "StartBuild" || name == "ListFunctions" {
				continue
			}
			if err := call(); !errors.Is(err, notte.ErrInvalidID) {
				t.Errorf("%s(%q): %v", name, id, err)
			}
		}
		if id == "" {
			continue // StartRun takes it for a new run
		}
		if _, err := c.StartRun(t.Context(), "f1", id, nil); !errors.Is(err, notte.ErrInvalidID) {
			t.Errorf("StartRun with run %q: %v", id, err)
		}
	}
	if _, err := c.StartRun(t.Context(), "f1", "r1", json.RawMessage(`[1]`)); err == nil || notte.MayHaveStarted(err) {
		t.Errorf("variables that are no object: %v", err)
	}
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

// TestKeyStaysSecret has a server echo the request in every way that it can.
func TestKeyStaysSecret(t *testing.T) {
	quoted, _ := json.Marshal(asciiKey)
	spellings := []string{asciiKey, url.QueryEscape(asciiKey), url.PathEscape(asciiKey), strings.Trim(string(quoted), `"`)}
	echo := strings.Join(spellings, " and ")
	var logged bytes.Buffer
	for _, h := range []http.HandlerFunc{
		func(w http.ResponseWriter, _ *http.Request) { http.Error(w, echo, 400) },
		func(w http.ResponseWriter, _ *http.Request) { http.Error(w, strings.Repeat("x", 490)+asciiKey, 400) },
		func(w http.ResponseWriter, _ *http.Request) { http.Error(w, "Bearer sk-te\x1b[0m"+asciiKey[5:], 400) },
		func(w http.ResponseWriter, _ *http.Request) { http.Error(w, "<title>"+echo+"</title>", 400) },
		func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(422)
			json.NewEncoder(w).Encode(map[string]any{"detail": echo})
		},
		func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Location", "https://elsewhere.test/"+url.PathEscape(asciiKey))
			w.WriteHeader(302)
		},
		func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", asciiKey)
			io.WriteString(w, "?")
		},
		func(w http.ResponseWriter, _ *http.Request) {
			conn, _, _ := w.(http.Hijacker).Hijack()
			io.WriteString(conn, asciiKey+"\r\n\r\n")
			conn.Close()
		},
		func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "text/event-stream")
			json.NewEncoder(io.MultiWriter(w)).Encode(echo)
			fmt.Fprintf(w, "data: {\"type\":\"error\",\"error\":%s,\"detail\":%s}\n\n", quoted, quoted)
		},
	} {
		srv := httptest.NewServer(h)
		c := newClient(t, notte.Config{Key: asciiKey, APIURL: srv.URL, AnythingURL: srv.URL, Logger: slog.New(slog.NewTextHandler(&logged, nil))})
		for name, call := range calls(t.Context(), c, "f1") {
			if name == "StartBuild" || name == "GetFunction" {
				var said string
				if err := call(); err != nil {
					said = err.Error()
				}
				if strings.Contains(said, "4711") {
					t.Errorf("%s: %s", name, said)
				}
			}
		}
		if s, err := c.StartBuild(t.Context(), "q"); err == nil {
			for ev := range s.Events() {
				if said := fmt.Sprint(ev); strings.Contains(said, "4711") || !strings.Contains(said, "[redacted]") {
					t.Error(said)
				}
			}
		}
		srv.Close()
	}
	if strings.Contains(logged.String(), "4711") {
		t.Error(logged.String())
	}
}

func TestRedirects(t *testing.T) {
	elsewhere := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		t.Errorf("another host got %s with %q", r.URL, r.Header)
	}))
	defer elsewhere.Close()
	var posts atomic.Int32
	c := newTest(t, func(w http.ResponseWriter, r *http.Request) {
		switch {
		case r.Method != http.MethodGet:
			posts.Add(1)
			http.Redirect(w, r, "/moved", http.StatusTemporaryRedirect)
		case r.URL.Path == "/base/functions/near":
			http.Redirect(w, r, "/moved", http.StatusFound)
		case r.URL.Path == "/moved":
			if r.Header.Get("Authorization") == "" {
				t.Error("the key did not follow within the host")
			}
			io.WriteString(w, `{"name":"found"}`)
		case r.URL.Path == "/base/functions/round":
			http.Redirect(w, r, r.URL.Path, http.StatusFound)
		default:
			http.Redirect(w, r, elsewhere.URL, http.StatusFound)
		}
	})
	if f, err := c.GetFunction(t.Context(), "near"); err != nil || f.Name != "found" {
		t.Error(f, err)
	}
	for _, id := range []string{"far", "round"} {
		var e *notte.Error
		if _, err := c.GetFunction(t.Context(), id); !errors.As(err, &e) || !strings.Contains(err.Error(), "THE_API_URL") {
			t.Errorf("%s: %v", id, err)
		}
	}
	if _, err := c.StartBuild(t.Context(), "q"); err == nil || !strings.Contains(err.Error(), "THE_ANYTHING_URL") || posts.Load() != 1 {
		t.Errorf("%v after %d requests", err, posts.Load())
	}
}

func TestRetries(t *testing.T) {
	status := func(code int, after string) roundTrip {
		return func(*http.Request) (*http.Response, error) {
			return &http.Response{StatusCode: code, Header: http.Header{"Retry-After": {after}}, Body: http.NoBody}, nil
		}
	}
	for _, tt := range []struct {
		name   string
		answer roundTrip
		gets   int
		took   time.Duration
	}{
		{"502", status(502, ""), 3, 1250 * time.Millisecond},
		{"503 with a short wait", status(503, "2"), 3, 4 * time.Second},
		{"429 with a short wait", status(429, "1"), 3, 2 * time.Second},
		{"429 with a long wait", status(429, "60"), 1, 0},
		{"429 without one", status(429, ""), 1, 0},
		{"500", status(500, ""), 1, 0},
		{"404", status(404, ""), 1, 0},
		{"reset", func(*http.Request) (*http.Response, error) { return nil, io.EOF }, 3, 1250 * time.Millisecond},
	} {
		synctest.Test(t, func(t *testing.T) {
			n := 0
			count := roundTrip(func(r *http.Request) (*http.Response, error) { n++; return tt.answer(r) })
			c := newClient(t, notte.Config{Key: "k", HTTPClient: &http.Client{Transport: count}})
			for name, call := range calls(t.Context(), c, "f1") {
				requests, wait := 1, time.Duration(0)
				if strings.HasPrefix(name, "Get") || strings.HasPrefix(name, "List") {
					requests, wait = tt.gets, tt.took
				}
				n = 0
				begin := time.Now()
				if err := call(); err == nil || n != requests || time.Since(begin) != wait {
					t.Errorf("%s, %s: %d requests in %v, want %d in %v; %v", tt.name, name, n, time.Since(begin), requests, wait, err)
				}
			}
		})
	}
}

// TestStartsAreSentOnce has the server break off after it has read a start, on a
// connection that has served before: net/http would send some requests again.
func TestStartsAreSentOnce(t *testing.T) {
	var starts atomic.Int32
	c := newTest(t, func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodGet {
			io.WriteString(w, `{}`)
			return
		}
		io.Copy(io.Discard, r.Body)
		starts.Add(1)
		panic(http.ErrAbortHandler)
	})
	for name, call := range calls(t.Context(), c, "f1") {
		if strings.HasPrefix(name, "Get") || strings.HasPrefix(name, "List") {
			continue
		}
		if _, err := c.GetFunction(t.Context(), "f1"); err != nil {
			t.Fatal(err)
		}
		starts.Store(0)
		if err := call(); err == nil || starts.Load() != 1 {
			t.Errorf("%s: sent %d times; %v", name, starts.Load(), err)
		}
	}
}
