package notte_test

import (
	"context"
	"errors"
	"fmt"
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
			_, err := c.StartBuild(t.Context(), "q")
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
