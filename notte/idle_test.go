package notte_test

import (
	"context"
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/anything-mcp/anything-mcp/notte"
)

// roundTrip is a function that serves requests, for tests in a bubble.
type roundTrip func(*http.Request) (*http.Response, error)

func (f roundTrip) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

// piped returns a client, and a pipe whose input its builds and runs read.
// headers are more of its answers' headers, each a key with its value.
func piped(t *testing.T, idle time.Duration, headers ...string) (*notte.Client, *io.PipeWriter) {
	r, w := io.Pipe()
	h := http.Header{"Content-Type": {"text/event-stream"}}
	for i := 0; i < len(headers); i += 2 {
		h.Set(headers[i], headers[i+1])
	}
	answer := roundTrip(func(*http.Request) (*http.Response, error) {
		return &http.Response{StatusCode: 200, Header: h, Body: r}, nil
	})
	return newClient(t, notte.Config{Key: "k", IdleTimeout: idle, HTTPClient: &http.Client{Transport: answer}}), w
}

// part is a part of a stream.
type part struct {
	at   time.Duration // after the stream's begin
	text string
}

// writeParts writes each part at its time.
func writeParts(w io.Writer, begin time.Time, parts []part) {
	for _, p := range parts {
		time.Sleep(time.Until(begin.Add(p.at))) // of the bubble's time
		io.WriteString(w, p.text)
	}
}

// TestIdle writes parts of a stream at the given times, and checks when and how the
// stream ends.
func TestIdle(t *testing.T) {
	const status, done = "data: {\"type\":\"status\"}\n\n", "data: {\"type\":\"done\"}\n\n"
	for _, tt := range []struct {
		name  string
		idle  time.Duration
		parts []part
		want  error
		after time.Duration
	}{
		{"nothing comes, for the default time", 0, nil, notte.ErrIdle, 5 * time.Minute},
		{"nothing comes, for a second", time.Second, nil, notte.ErrIdle, time.Second},
		{"events count", time.Minute, []part{{50 * time.Second, status}, {100 * time.Second, status}}, notte.ErrIdle, 160 * time.Second},
		{"comments do not", time.Minute, []part{{20 * time.Second, ": alive\n\n"}, {40 * time.Second, ": alive\n\n"}, {59 * time.Second, ":\n"}}, notte.ErrIdle, time.Minute},
		{"nor other lines without data", time.Minute, []part{{20 * time.Second, "id: 1\n"}, {40 * time.Second, "event: status\n"}, {50 * time.Second, "data: \n\n\n"}}, notte.ErrIdle, time.Minute},
		{"comments between events", time.Minute, []part{{30 * time.Second, ": alive\n\n"}, {50 * time.Second, status}, {80 * time.Second, ": alive\n"}}, notte.ErrIdle, 110 * time.Second},
		{"an event that is still arriving", time.Minute, []part{{0, "data: {"}, {50 * time.Second, "\"type\""}, {100 * time.Second, ":\""}, {150 * time.Second, "done\"}\n"}}, nil, 150 * time.Second},
		{"no limit", -1, []part{{24 * time.Hour, done}}, nil, 24 * time.Hour},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				c, w := piped(t, tt.idle)
				s, err := c.StartBuild(t.Context(), notte.BuildRequest{Query: "q"})
				if err != nil {
					t.Fatal(err)
				}
				begin := time.Now()
				go writeParts(w, begin, tt.parts)
				err = drained(s, nil)
				if took := time.Since(begin); took != tt.after {
					t.Errorf("ended after %v, want %v", took, tt.after)
				}
				if tt.want == nil && err != nil || tt.want != nil && !(errors.Is(err, tt.want) && errors.Is(err, io.ErrUnexpectedEOF)) {
					t.Errorf("ended with %v", err)
				}
			})
		})
	}
}

// TestIdleV2 does the same for streams in v2, and says which event ends them.
func TestIdleV2(t *testing.T) {
	const step, finish, more = "data: {\"type\":\"start-step\"}\n\n", "data: {\"type\":\"finish\"}\n\n", "data: {\"type\":\"data-x\"}\n\n"
	for _, tt := range []struct {
		name    string
		idle    time.Duration
		headers []string
		parts   []part
		want    notte.EventType // empty: lost
		after   time.Duration
	}{
		{"nothing comes, with the stream's header", 0, []string{"x-vercel-ai-ui-message-stream", "v1"}, nil, "", 10 * time.Minute},
		{"nothing comes, with the thread's header", 0, []string{"x-thread-id", "t1"}, nil, "", 10 * time.Minute},
		{"the first chunk tells", 0, nil, []part{{4 * time.Minute, step}}, "", 14 * time.Minute},
		{"a chunk after nine minutes", 0, nil, []part{{0, step}, {9 * time.Minute, step}}, "", 19 * time.Minute},
		{"events of v1 under the headers of v2", 0, []string{"x-thread-id", "t1"}, []part{{0, "data: {\"type\":\"status\"}\n\n"}}, "", 5 * time.Minute},
		{"a set time", time.Minute, nil, []part{{0, step}}, "", time.Minute},
		{"a finish", 0, nil, []part{{0, finish}}, notte.EventDone, 30 * time.Second},
		{"a finish and more", 0, nil, []part{{0, finish}, {20 * time.Second, more}}, notte.EventDone, 50 * time.Second},
		{"a finish and another step", 0, nil, []part{{0, finish}, {20 * time.Second, step}}, "", 20*time.Second + 10*time.Minute},
		{"a finish under a short time", time.Second, nil, []part{{0, finish}}, notte.EventDone, time.Second},
		{"an abort", 0, nil, []part{{0, "data: {\"type\":\"abort\"}\n\n"}}, notte.EventCancelled, 30 * time.Second},
		{"an error", 0, nil, []part{{0, "data: {\"type\":\"error\",\"errorText\":\"x\"}\n\n"}}, notte.EventError, 10 * time.Minute},
		{"no limit", -1, nil, []part{{0, step}, {24 * time.Hour, finish + "data: [DONE]\n\n"}}, notte.EventDone, 24 * time.Hour},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				c, w := piped(t, tt.idle, tt.headers...)
				s, err := c.StartBuild(t.Context(), notte.BuildRequest{Query: "q"})
				if err != nil {
					t.Fatal(err)
				}
				begin := time.Now()
				go writeParts(w, begin, tt.parts)
				var last notte.EventType
				for ev, e := range s.Events() {
					if err = e; ev.Terminal() {
						last = ev.Type
					}
				}
				if took := time.Since(begin); took != tt.after || last != tt.want {
					t.Errorf("ended with %q after %v, want %q after %v", last, took, tt.want, tt.after)
				}
				if lost := errors.Is(err, notte.ErrIdle); lost != (tt.want == "") {
					t.Errorf("ended with %v", err)
				}
			})
		})
	}
}

// TestStoppedAfterTheFinish checks that a caller who stops gets the reason of that,
// though the stream has told how the build ends.
func TestStoppedAfterTheFinish(t *testing.T) {
	for name, stop := range map[string]func(*notte.Stream, context.CancelFunc){
		"by its context": func(_ *notte.Stream, cancel context.CancelFunc) { cancel() },
		"by Close":       func(s *notte.Stream, _ context.CancelFunc) { s.Close() },
	} {
		synctest.Test(t, func(t *testing.T) {
			c, w := piped(t, 0)
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			s, err := c.StartBuild(ctx, notte.BuildRequest{Query: "q"})
			if err != nil {
				t.Fatal(err)
			}
			go func() {
				io.WriteString(w, "data: {\"type\":\"finish\"}\n\n")
				stop(s, cancel)
				w.CloseWithError(context.Canceled) // as net/http ends the body
			}()
			ended := false
			for ev, e := range s.Events() {
				err, ended = e, ended || ev.Terminal()
			}
			if err == nil || ended {
				t.Errorf("%s: ended %v, %v", name, ended, err)
			}
		})
	}
}

// TestSlowJSONResult checks that a JSON answer, which has no events, is not idle
// while its bytes come.
func TestSlowJSONResult(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r, w := io.Pipe()
		answer := roundTrip(func(*http.Request) (*http.Response, error) {
			return &http.Response{StatusCode: 200, Header: http.Header{"Content-Type": {"application/json"}}, Body: r}, nil
		})
		c := newClient(t, notte.Config{Key: "k", IdleTimeout: time.Minute, HTTPClient: &http.Client{Transport: answer}})
		go func() {
			for _, part := range []string{"{", `"status":`, `"closed"`, "}"} {
				time.Sleep(50 * time.Second) // of the bubble's time
				io.WriteString(w, part)
			}
			w.Close()
		}()
		if err := drained(c.StartRun(t.Context(), "f1", "r1", nil)); err != nil {
			t.Error(err)
		}
	})
}

// TestSlowReaderIsNotIdle checks that only the wait for bytes counts.
func TestSlowReaderIsNotIdle(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, w := piped(t, time.Second)
		s, err := c.StartBuild(t.Context(), notte.BuildRequest{Query: "q"})
		if err != nil {
			t.Fatal(err)
		}
		go func() {
			io.WriteString(w, "data: {\"type\":\"status\",\"status\":\"a\"}\n\n")
			io.WriteString(w, "data: {\"type\":\"done\"}\n\n")
		}()
		n := 0
		for _, err := range s.Events() {
			if err != nil {
				t.Fatal(err)
			}
			time.Sleep(time.Hour) // of the bubble's time
			n++
		}
		if n != 2 {
			t.Errorf("%d events", n)
		}
	})
}

// TestAnswerTimeout stalls a look-up, in its header and in its body. A caller
// without a deadline gets an error.
func TestAnswerTimeout(t *testing.T) {
	for _, stall := range []string{"header", "body"} {
		synctest.Test(t, func(t *testing.T) {
			answer := roundTrip(func(r *http.Request) (*http.Response, error) {
				if stall == "header" {
					<-r.Context().Done()
					return nil, r.Context().Err()
				}
				body, w := io.Pipe()
				context.AfterFunc(r.Context(), func() { w.CloseWithError(r.Context().Err()) })
				return &http.Response{StatusCode: 200, Body: body}, nil
			})
			c := newClient(t, notte.Config{Key: "k", HTTPClient: &http.Client{Transport: answer}})
			begin := time.Now()
			_, err := c.GetRun(t.Context(), "f1", "r1")
			var lost *notte.Error
			if !errors.As(err, &lost) || !errors.Is(err, context.DeadlineExceeded) || !strings.Contains(err.Error(), "in time") {
				t.Errorf("%s: %v", stall, err)
			}
			if took := time.Since(begin); took != time.Minute {
				t.Errorf("%s: ended after %v", stall, took)
			}
		})
	}
}
