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

// roundTrip is a server in a function, for tests in a bubble.
type roundTrip func(*http.Request) (*http.Response, error)

func (f roundTrip) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

// piped is a client whose builds and runs are what is written to the pipe.
func piped(t *testing.T, idle time.Duration) (*notte.Client, *io.PipeWriter) {
	r, w := io.Pipe()
	answer := roundTrip(func(*http.Request) (*http.Response, error) {
		return &http.Response{StatusCode: 200, Header: http.Header{"Content-Type": {"text/event-stream"}}, Body: r}, nil
	})
	return newClient(t, notte.Config{Key: "k", IdleTimeout: idle, HTTPClient: &http.Client{Transport: answer}}), w
}

func TestIdle(t *testing.T) {
	for _, tt := range []struct {
		name        string
		idle        time.Duration
		gaps        []time.Duration // each before a comment
		want        error
		after, upTo time.Duration
	}{
		{"by default", 0, nil, notte.ErrIdle, 5 * time.Minute, 5 * time.Minute},
		{"as set", time.Second, nil, notte.ErrIdle, time.Second, time.Second},
		{"comments count", time.Minute, []time.Duration{50 * time.Second, 59 * time.Second}, notte.ErrIdle, 169 * time.Second, 169 * time.Second},
		{"none", -1, []time.Duration{24 * time.Hour}, nil, 24 * time.Hour, 24 * time.Hour},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				c, w := piped(t, tt.idle)
				s, err := c.StartBuild(t.Context(), "q")
				if err != nil {
					t.Fatal(err)
				}
				begin := time.Now()
				go func() {
					for _, gap := range tt.gaps {
						time.Sleep(gap) // of the bubble's time
						io.WriteString(w, ": alive\n\n")
					}
					if tt.want == nil {
						io.WriteString(w, "data: {\"type\":\"done\"}\n\n")
					}
				}()
				err = drained(s, nil)
				if took := time.Since(begin); took < tt.after || took > tt.upTo {
					t.Errorf("ended after %v", took)
				}
				if tt.want == nil && err != nil || tt.want != nil && !(errors.Is(err, tt.want) && errors.Is(err, io.ErrUnexpectedEOF)) {
					t.Errorf("ended with %v", err)
				}
			})
		})
	}
}

// TestSlowReaderIsNotIdle checks that only the wait for bytes counts.
func TestSlowReaderIsNotIdle(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, w := piped(t, time.Second)
		s, err := c.StartBuild(t.Context(), "q")
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

// TestAnswerTimeout has a look-up stall, in its header and in its body: a caller
// without a deadline gets an error all the same.
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
