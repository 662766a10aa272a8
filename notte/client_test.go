package notte_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log"
	"log/slog"
	"net"
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
		if err := call(); !errors.Is(err, notte.ErrNoKey) || !strings.Contains(err.Error(), "NOTTE_API_KEY") {
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
		for setting, cfg := range map[string]notte.Config{"NOTTE_API_URL": {APIURL: raw}, "NOTTE_ANYTHING_URL": {AnythingURL: raw}} {
			_, err := notte.NewClient(cfg)
			if err == nil || !strings.Contains(err.Error(), setting) || strings.Contains(err.Error(), "hunter2") {
				t.Errorf("%s: %v", raw, err)
			}
		}
	}
	if _, err := notte.NewClient(notte.Config{Key: testKey}); err == nil || strings.Contains(err.Error(), "4711") {
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

func TestErrorBodies(t *testing.T) {
	for _, tt := range []struct{ body, want string }{
		{`{"message":"No such thing","detail":"look again"}`, "No such thing: look again"},
		{`{"message":"same","detail":"same"}`, "same"},
		{`{"error":"text"}`, "text"},
		{`{"error":{"code":"bad_key","message":"Key unknown"}}`, "Key unknown (bad_key)"},
		{`{"error":{"code":17}}`, "(17)"},
		{`{"detail":"text"}`, "text"},
		{`{"detail":[{"loc":["body","query"],"msg":"Field required","type":"missing","input":"secret"},{"loc":["body","items",0],"msg":"bad"}]}`, "query: Field required; items.0: bad"},
		{`{"detail":{"message":"inner"}}`, "inner"},
		{`"just text"`, "just text"},
		{`{}`, ""}, {`[]`, ""}, {`null`, ""}, {"", ""}, {" \n ", ""},
		{"<!DOCTYPE html><html><head>\n<TITLE lang=en> 502 &amp; more\n</TITLE></head><body>secret</body>", "502 & more"},
		{"<html><body>secret</body></html>", ""},
		{"upstream went\r\n\taway\x00 \x1b[31mnow\x1b[0m\x1b]0;title\x07", "upstream went away now"},
		{`{"error":"a\u001b[2Jb\u202ec"}`, "abc"},
		{"\xff\xfe", "\uFFFD"},
		{strings.Repeat("[", 1<<20), strings.Repeat("[", 499) + "…"},
		{strings.Repeat("é", 2000), strings.Repeat("é", 499) + "…"},
	} {
		c := newTest(t, func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(http.StatusBadRequest)
			io.WriteString(w, tt.body)
		})
		_, err := c.GetFunction(t.Context(), "f1")
		var e *notte.Error
		if !errors.As(err, &e) || e.StatusCode != 400 || e.Message != tt.want {
			t.Errorf("%.80q: %v", tt.body, err)
		}
	}
}

func TestErrorBodyIsBounded(t *testing.T) {
	var written atomic.Int64
	c := newTest(t, func(w http.ResponseWriter, r *http.Request) {
		w.WriteHeader(http.StatusInternalServerError)
		for r.Context().Err() == nil && written.Load() < 1<<28 {
			n, err := w.Write(bytes.Repeat([]byte("x"), 1<<16))
			if err != nil {
				return
			}
			written.Add(int64(n))
		}
	})
	_, err := c.StartBuild(t.Context(), "q")
	if e := new(notte.Error); !errors.As(err, &e) || len([]rune(e.Message)) != 500 {
		t.Error(err)
	}
	if n := written.Load(); n > 64<<20 {
		t.Errorf("%d bytes were taken of the body", n)
	}
}

func TestErrorSays(t *testing.T) {
	for _, tt := range []struct {
		status int
		header http.Header
		words  []string // of every call's error
	}{
		{401, nil, []string{"401 Unauthorized", "NOTTE_API_KEY"}},
		{402, nil, []string{"credit", "console.notte.cc"}},
		{403, nil, []string{"may not"}},
		{422, nil, []string{"not accepted"}},
		{429, http.Header{"Retry-After": {"90"}}, []string{"too many requests", "wait 90 seconds"}},
		{429, nil, []string{"too many requests", "wait"}},
		{500, nil, []string{"Notte's side"}},
		{529, http.Header{"Retry-After": {"3600"}}, []string{"529 Overloaded", "60 minutes"}},
		{307, http.Header{"Location": {"https://user:pw@elsewhere.test/x?token=t"}}, []string{"redirects to https://elsewhere.test/x", "not followed", "_URL"}},
		{304, nil, []string{"304"}},
	} {
		c := newTest(t, func(w http.ResponseWriter, _ *http.Request) {
			for k, v := range tt.header {
				w.Header()[k] = v
			}
			w.WriteHeader(tt.status)
		})
		for name, call := range calls(t.Context(), c, "f1") {
			err := call()
			var e *notte.Error
			if !errors.As(err, &e) || e.StatusCode != tt.status {
				t.Errorf("%d, %s: %v", tt.status, name, err)
				continue
			}
			for _, word := range tt.words {
				if !strings.Contains(err.Error(), word) {
					t.Errorf("%d, %s: %q does not say %q", tt.status, name, err, word)
				}
			}
			for _, secret := range []string{"token=t", "pw"} {
				if strings.Contains(err.Error(), secret) {
					t.Errorf("%d, %s: %q tells %q", tt.status, name, err, secret)
				}
			}
			if open := notte.MayHaveStarted(err); open != (tt.status >= 500) {
				t.Errorf("%d, %s: may have started: %v", tt.status, name, open)
			}
			starts := strings.HasPrefix(name, "Start")
			if maybe := strings.Contains(err.Error(), "may have begun"); maybe != (starts && tt.status >= 500) {
				t.Errorf("%d, %s: %q", tt.status, name, err)
			}
		}
	}
}

func TestUnsupported(t *testing.T) {
	for status, want := range map[int]bool{404: false, 405: true, 500: false, 501: true} {
		c := newTest(t, func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(status) })
		if _, err := c.CreateRun(t.Context(), "f1"); errors.Is(err, errors.ErrUnsupported) != want {
			t.Errorf("%d: %v", status, err)
		}
	}
}

func TestRetryAfter(t *testing.T) {
	in := func(d time.Duration) time.Time { return time.Now().Add(d) }
	for _, tt := range []struct {
		name     string
		status   int
		header   http.Header
		min, max time.Duration
	}{
		{"seconds", 429, http.Header{"Retry-After": {"12"}}, 12 * time.Second, 12 * time.Second},
		{"a date", 429, http.Header{"Retry-After": {in(time.Minute).UTC().Format(http.TimeFormat)}}, 55 * time.Second, time.Minute},
		{"a date that is past", 429, http.Header{"Retry-After": {"Mon, 02 Jan 2006 15:04:05 GMT"}}, 0, 0},
		{"nonsense", 429, http.Header{"Retry-After": {"soon"}}, 0, 0},
		{"negative", 429, http.Header{"Retry-After": {"-5"}}, 0, 0},
		{"ages", 429, http.Header{"Retry-After": {"1e300"}}, 24 * time.Hour, 24 * time.Hour},
		{"reset", 429, http.Header{"X-Ratelimit-Reset": {fmt.Sprint(in(30 * time.Second).Unix())}}, 25 * time.Second, 30 * time.Second},
		{"reset in milliseconds", 429, http.Header{"X-Ratelimit-Reset": {fmt.Sprint(in(30 * time.Second).UnixMilli())}}, 25 * time.Second, 30 * time.Second},
		{"reset on another status", 503, http.Header{"X-Ratelimit-Reset": {fmt.Sprint(in(30 * time.Second).Unix())}}, 0, 0},
	} {
		c := newTest(t, func(w http.ResponseWriter, _ *http.Request) {
			for k, v := range tt.header {
				w.Header()[k] = v
			}
			w.WriteHeader(tt.status)
		})
		_, err := c.StartBuild(t.Context(), "q")
		var e *notte.Error
		if !errors.As(err, &e) || e.RetryAfter < tt.min || e.RetryAfter > tt.max {
			t.Errorf("%s: %v", tt.name, err)
		}
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
		if _, err := c.GetFunction(t.Context(), id); !errors.As(err, &e) || !strings.Contains(err.Error(), "NOTTE_API_URL") {
			t.Errorf("%s: %v", id, err)
		}
	}
	if _, err := c.StartBuild(t.Context(), "q"); err == nil || !strings.Contains(err.Error(), "NOTTE_ANYTHING_URL") || posts.Load() != 1 {
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

func TestConnectionErrors(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	refused := "http://" + listener.Addr().String()
	listener.Close()
	secure := httptest.NewUnstartedServer(http.NotFoundHandler())
	secure.Config.ErrorLog = log.New(io.Discard, "", 0) // it complains of handshakes
	secure.StartTLS()
	defer secure.Close()
	plain := httptest.NewServer(http.NotFoundHandler())
	defer plain.Close()
	broken := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }))
	defer broken.Close()
	slow := &http.Client{Transport: &http.Transport{ResponseHeaderTimeout: 20 * time.Millisecond}}
	stuck := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { untilGone(r) }))
	defer stuck.Close()

	for _, tt := range []struct {
		name, url string
		client    *http.Client
		words     []string
		sent      bool
	}{
		{"refused", refused, nil, []string{"refused the connection", "NOTTE_ANYTHING_URL"}, false},
		{"no such name", "http://no-such-host.invalid", nil, []string{"no-such-host.invalid", "NOTTE_ANYTHING_URL"}, false},
		{"unknown authority", secure.URL, nil, []string{"no secure connection", "certificate"}, false},
		{"plain HTTP", strings.Replace(plain.URL, "http:", "https:", 1), nil, []string{"no secure connection"}, false},
		{"reset", broken.URL, nil, []string{"broke before the answer", "may have begun", "billed"}, true},
		{"no header", stuck.URL, slow, []string{"did not answer in time", "may have begun"}, true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			c := newClient(t, notte.Config{Key: "k-4711", AnythingURL: tt.url, HTTPClient: tt.client})
			_, err := c.StartBuild(t.Context(), "q")
			var e *notte.ConnectionError
			if !errors.As(err, &e) || e.Sent != tt.sent || errors.Unwrap(e) == nil {
				t.Fatalf("%#v", err)
			}
			for _, word := range tt.words {
				if !strings.Contains(err.Error(), word) {
					t.Errorf("%q does not say %q", err, word)
				}
			}
			if notte.MayHaveStarted(err) != tt.sent {
				t.Errorf("may have started: %v", !tt.sent)
			}
			if !tt.sent && strings.Contains(err.Error(), "billed") {
				t.Errorf("%q", err)
			}
		})
	}
}

func TestNotAStream(t *testing.T) {
	event := "data: {\"type\":\"done\"}\n\n"
	for _, tt := range []struct {
		kind, body string
		ok         bool
		words      string
	}{
		{"text/html", "<title>Sign in</title>", false, "text/html: Sign in"},
		{"application/json", `{"message":"hello"}`, false, "application/json: hello"},
		{"", "nothing of the kind", false, "nothing of the kind"},
		{"text/plain", "data is here", false, "data is here"},
		{"text/plain", "", false, "text/plain"},
		{"text/plain", "\uFEFF\r\n: hi\n" + event, true, ""},
		{"", event, true, ""},
		{"text/event-stream;charset=UTF-8", event, true, ""},
	} {
		c := newTest(t, func(w http.ResponseWriter, _ *http.Request) {
			w.Header()["Content-Type"] = []string{tt.kind}
			io.WriteString(w, tt.body)
		})
		s, err := c.StartBuild(t.Context(), "q")
		if tt.ok {
			if err = drained(s, err); err != nil {
				t.Errorf("%q %q: %v", tt.kind, tt.body, err)
			}
			continue
		}
		var e *notte.Error
		if !errors.As(err, &e) || e.StatusCode != 200 || !strings.Contains(err.Error(), "not an event stream") || !strings.Contains(err.Error(), tt.words) {
			t.Errorf("%q %q: %v", tt.kind, tt.body, err)
		}
	}
}

func TestContextCause(t *testing.T) {
	cause := errors.New("the user pressed a key")
	c := newTest(t, func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "text/event-stream")
		if r.Method == http.MethodPost {
			io.WriteString(w, "data: {\"type\":\"status\",\"status\":\"a\"}\n\n")
			w.(http.Flusher).Flush()
		}
		untilGone(r)
	})
	ctx, cancel := context.WithCancelCause(t.Context())
	defer cancel(nil)
	s, err := c.StartBuild(ctx, "q")
	if err != nil {
		t.Fatal(err)
	}
	for ev, e := range s.Events() {
		if err = e; err == nil && ev.Status == "a" {
			cancel(cause)
		}
	}
	if !errors.Is(err, cause) {
		t.Errorf("the stream ended with %v", err)
	}
	for name, call := range calls(ctx, c, "f1") {
		if err := call(); !errors.Is(err, cause) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestClose(t *testing.T) {
	gone := make(chan struct{})
	c := newTest(t, func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "text/event-stream")
		w.(http.Flusher).Flush()
		untilGone(r)
		close(gone)
	})
	s, err := c.StartBuild(t.Context(), "q")
	if err != nil {
		t.Fatal(err)
	}
	ended := make(chan error)
	go func() { ended <- drained(s, nil) }()
	s.Close()
	if err := <-ended; err == nil {
		t.Error("no error after Close")
	}
	<-gone
	if err := drained(s, nil); err == nil || !strings.Contains(err.Error(), "already") {
		t.Errorf("a second reading: %v", err)
	}
}

func TestRunAnswersWithJSON(t *testing.T) {
	for _, tt := range []struct{ body, want string }{
		{`{"function_id":"f1","function_run_id":"r1","session_id":"s1","status":"closed","result":{"a": [1]}}`, `{"a":[1]}`},
		{`{"workflow_run_id":"r1","status":"closed","result":NaN}`, ""},
	} {
		c := newTest(t, func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "application/json; charset=utf-8")
			io.WriteString(w, tt.body)
		})
		s, err := c.StartRun(t.Context(), "f1", "r1", nil)
		if err != nil {
			t.Fatal(err)
		}
		n := 0
		for ev, err := range s.Events() {
			if err != nil || ev.Result == nil || !ev.Terminal() || ev.Result.RunID != "r1" || string(ev.Result.Result) != tt.want {
				t.Errorf("%+v, %v", ev, err)
			}
			n++
		}
		if n != 1 {
			t.Errorf("%d events", n)
		}
	}
	for _, body := range []string{"", "{", "[]", `{"message":"later"}`} {
		c := newTest(t, func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "application/json")
			io.WriteString(w, body)
		})
		s, err := c.StartRun(t.Context(), "f1", "r1", nil)
		if err := drained(s, err); !errors.Is(err, io.ErrUnexpectedEOF) {
			t.Errorf("%q: %v", body, err)
		}
	}
}

func TestLookUps(t *testing.T) {
	c := newTest(t, func(w http.ResponseWriter, r *http.Request) {
		answers := map[string]string{
			"/base/functions/f1":         `{"workflow_id":"f1","name":"Top","variables":[{"name":"count","type":"number","default":3},"url",{"x":1}],"created_at":"2026-01-02T03:04:05.6","url":"https://s3.test/?sig=1"}`,
			"/base/functions/f2":         `{"variables":{"count":{"type":"number"},"url":"string"},"updated_at":"2026-01-02T03:04:05+01:00"}`,
			"/base/functions":            `{"items":[{"function_id":"f1"},{"function_id":"f2"}],"page":1,"page_size":2,"has_next":true,"has_previous":false}`,
			"/base/functions/f1/runs/r1": `{"function_run_id":"r1","status":"CLOSED","result":"{'a': 1}","logs":["one",{"m":"two"},3],"session_id":null}`,
			"/base/functions/f1/runs/r2": `{"status":"active","result":null,"logs":"only"}`,
			"/base/functions/f1/runs":    `{"items":[{"function_run_id":"r1"}]}`,
		}
		io.WriteString(w, answers[r.URL.Path])
	})
	ctx := t.Context()
	f1, err1 := c.GetFunction(ctx, "f1")
	f2, err2 := c.GetFunction(ctx, "f2")
	list, err3 := c.ListFunctions(ctx, 1, 2)
	r1, err4 := c.GetRun(ctx, "f1", "r1")
	r2, err5 := c.GetRun(ctx, "f1", "r2")
	runs, err6 := c.ListRuns(ctx, "f1", 0, 0)
	if err := errors.Join(err1, err2, err3, err4, err5, err6); err != nil {
		t.Fatal(err)
	}
	got := fmt.Sprintf("%s %s %s %s %v | %s %s %v | %d %v | %s %s %s %q | %s %s %q | %d",
		f1.ID, f1.Name, fmt.Sprint(len(f1.Variables)), f1.Variables[0].Default, f1.CreatedAt.Format(time.RFC3339),
		f2.ID, f2.Variables, f2.UpdatedAt.Format(time.RFC3339), len(list.Items), list.HasNext,
		r1.ID, r1.Status, r1.Result, r1.Logs, r2.ID, r2.Status, r2.Logs, len(runs.Items))
	want := `f1 Top 2 3 2026-01-02T03:04:05Z | f2 [{count number } {url  }] 2026-01-02T02:04:05Z | 2 true | r1 closed {'a': 1} ["one" "{\"m\":\"two\"}" "3"] | r2 active ["only"] | 1`
	if got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
	if strings.Contains(fmt.Sprintf("%+v", f1), "sig=1") {
		t.Error("the download link was kept")
	}
	var e *notte.Error
	if _, err := c.GetFunction(ctx, "empty"); !errors.As(err, &e) || !strings.Contains(err.Error(), "not JSON") {
		t.Errorf("an empty answer: %v", err)
	}
}
