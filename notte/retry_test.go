package notte_test

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/anything-mcp/anything-mcp/notte"
)

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
	if _, err := c.StartBuild(t.Context(), notte.BuildRequest{Query: "q"}); err == nil || !strings.Contains(err.Error(), "THE_ANYTHING_URL") || posts.Load() != 1 {
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

// TestStartsAreSentOnce closes the connection after the server has read a start, on
// a connection that was used before. There net/http sends some requests again.
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
		_, err := c.StartBuild(t.Context(), notte.BuildRequest{Query: "q"})
		var e *notte.Error
		if !errors.As(err, &e) || e.RetryAfter < tt.min || e.RetryAfter > tt.max {
			t.Errorf("%s: %v", tt.name, err)
		}
	}
}
