package notte_test

import (
	"compress/gzip"
	"context"
	"errors"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/anything-mcp/anything-mcp/notte"
)

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
		{"refused", refused, nil, []string{"refused the connection", "THE_ANYTHING_URL"}, false},
		{"no such name", "http://no-such-host.invalid", nil, []string{"no-such-host.invalid", "THE_ANYTHING_URL"}, false},
		{"unknown authority", secure.URL, nil, []string{"no secure connection", "certificate"}, false},
		{"plain HTTP", strings.Replace(plain.URL, "http:", "https:", 1), nil, []string{"no secure connection"}, false},
		{"reset", broken.URL, nil, []string{"broke before the answer", "may have begun", "billed"}, true},
		{"no header", stuck.URL, slow, []string{"did not answer in time", "may have begun"}, true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			c := newClient(t, notte.Config{Key: "k-4711", AnythingURL: tt.url, HTTPClient: tt.client})
			_, err := c.StartBuild(t.Context(), notte.BuildRequest{Query: "q"})
			var e *notte.Error
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
		{"text/html", "<title>see https://login.example/?token=4711</title>", false, "see https://login.example/…"},
	} {
		c := newTest(t, func(w http.ResponseWriter, _ *http.Request) {
			w.Header()["Content-Type"] = []string{tt.kind}
			io.WriteString(w, tt.body)
		})
		s, err := c.StartBuild(t.Context(), notte.BuildRequest{Query: "q"})
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

// TestCompressedStream reads a stream that a proxy has compressed unasked.
func TestCompressedStream(t *testing.T) {
	c := newTest(t, func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/event-stream")
		w.Header().Set("Content-Encoding", "gzip")
		packed := gzip.NewWriter(w)
		defer packed.Close()
		io.WriteString(packed, "data: {\"type\":\"done\"}\n\n")
	})
	if err := drained(c.StartBuild(t.Context(), notte.BuildRequest{Query: "q"})); err != nil {
		t.Error(err)
	}
	broken := newTest(t, func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/event-stream")
		w.Header().Set("Content-Encoding", "gzip")
		io.WriteString(w, "data: {\"type\":\"done\"}\n\n")
	})
	if err := drained(broken.StartBuild(t.Context(), notte.BuildRequest{Query: "q"})); !errors.Is(err, gzip.ErrHeader) || !errors.Is(err, io.ErrUnexpectedEOF) {
		t.Error(err)
	}
}

// TestCompressedFailure reads a refusal that a proxy has compressed unasked.
func TestCompressedFailure(t *testing.T) {
	c := newTest(t, func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		w.Header().Set("Content-Encoding", "gzip")
		w.WriteHeader(http.StatusForbidden)
		packed := gzip.NewWriter(w)
		defer packed.Close()
		io.WriteString(packed, `{"detail":"the plan has ended"}`)
	})
	_, err := c.StartBuild(t.Context(), notte.BuildRequest{Query: "q"})
	if failed, ok := errors.AsType[*notte.Error](err); !ok || failed.Message != "the plan has ended" {
		t.Error(err)
	}
}

// TestByteOrderMarkBeforeJSON reads JSON answers that begin with a byte order mark.
func TestByteOrderMarkBeforeJSON(t *testing.T) {
	c := newTest(t, func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		io.WriteString(w, "\uFEFF{\"status\":\"closed\",\"function_run_id\":\"r1\"}")
	})
	if err := drained(c.StartRun(t.Context(), "f1", "r1", nil)); err != nil {
		t.Error(err)
	}
	if run, err := c.GetRun(t.Context(), "f1", "r1"); err != nil || run.Status != notte.RunClosed {
		t.Errorf("%+v, %v", run, err)
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
	s, err := c.StartBuild(ctx, notte.BuildRequest{Query: "q"})
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
	s, err := c.StartBuild(t.Context(), notte.BuildRequest{Query: "q"})
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
	for _, body := range []string{"", "{", "[]", "no capacity", `{"message":"later"}`} {
		c := newTest(t, func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "application/json")
			io.WriteString(w, body)
		})
		s, err := c.StartRun(t.Context(), "f1", "r1", nil)
		err = drained(s, err)
		answer, ok := errors.AsType[*notte.Error](err)
		if !errors.Is(err, io.ErrUnexpectedEOF) || !ok || answer.StatusCode != http.StatusOK || !notte.MayHaveStarted(err) {
			t.Errorf("%q: %v", body, err)
		}
	}
}
