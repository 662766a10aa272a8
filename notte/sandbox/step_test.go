package sandbox_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/anything-mcp/anything-mcp/notte/sandbox"
)

// readAll returns what the body holds before it ends or breaks.
func readAll(resp *http.Response) string {
	data, _ := io.ReadAll(resp.Body)
	return string(data)
}

func TestSteps(t *testing.T) {
	hello := map[string]string{"type": "text_delta", "delta": "<hello>"}
	const helloFrame = "data: {\"delta\":\"<hello>\",\"type\":\"text_delta\"}\n\n"
	for _, test := range []struct {
		name   string
		steps  []sandbox.Step
		status int
		kind   string
		body   string
		took   time.Duration
	}{
		{"event", []sandbox.Step{sandbox.Event(hello)}, 200, "text/event-stream", helloFrame, 0},
		{"raw", []sandbox.Step{sandbox.Raw("\ufeffdata: no JSON\r")}, 200, "text/event-stream", "\ufeffdata: no JSON\r", 0},
		{"delay", []sandbox.Step{sandbox.Raw("a"), sandbox.Delay(time.Hour), sandbox.Raw("b")}, 200, "text/event-stream", "ab", time.Hour},
		{"cut", []sandbox.Step{sandbox.Raw("a"), sandbox.Cut(), sandbox.Raw("b")}, 200, "text/event-stream", "a", 0},
		{"cut in a repeat in a batch", []sandbox.Step{sandbox.Batch(sandbox.Repeat(9, sandbox.Raw("a"), sandbox.Cut())), sandbox.Raw("b")}, 200, "text/event-stream", "a", 0},
		{"cut alone", []sandbox.Step{sandbox.Cut()}, 200, "text/event-stream", "", 0},
		{"flush alone", []sandbox.Step{sandbox.Flush()}, 200, "text/event-stream", "", 0},
		{"content type", []sandbox.Step{sandbox.ContentType("text/html"), sandbox.Raw("<p>")}, 200, "text/html", "<p>", 0},
		{"status", []sandbox.Step{sandbox.Status(429, "application/json", "{}")}, 429, "application/json", "{}", 0},
		{"status without a type", []sandbox.Step{sandbox.Status(500, "", "<html>")}, 500, "", "<html>", 0},
		{"status and more", []sandbox.Step{sandbox.Status(200, "text/plain", "a"), sandbox.Raw("b")}, 200, "text/plain", "ab", 0},
		{"status too late", []sandbox.Step{sandbox.Raw("a"), sandbox.Status(500, "", "b"), sandbox.Raw("c")}, 200, "text/event-stream", "a", 0},
		{"repeat", []sandbox.Step{sandbox.Repeat(3, sandbox.Raw("a"), sandbox.Raw("b"))}, 200, "text/event-stream", "ababab", 0},
		{"batch", []sandbox.Step{sandbox.Batch(sandbox.Raw("a"), sandbox.Batch(sandbox.Event(1)), sandbox.Raw("b"))}, 200, "text/event-stream", "adata: 1\n\nb", 0},
		{"func", []sandbox.Step{sandbox.Func(func(st *sandbox.Stream) error {
			fmt.Fprint(st, "a")
			return st.Event(2)
		}), sandbox.Raw("b")}, 200, "text/event-stream", "adata: 2\n\nb", 0},
		{"func that fails", []sandbox.Step{sandbox.Func(func(*sandbox.Stream) error { return errors.New("no") }), sandbox.Raw("b")}, 200, "", "", 0},
	} {
		t.Run(test.name, func(t *testing.T) {
			inBubble(t, func(t *testing.T, s *sandbox.Server) {
				s.Script("q", test.steps...)
				for range 2 { // a script is played each time
					began := time.Now()
					resp := send(t, s, buildRequest(t.Context(), "q"))
					body := readAll(resp)
					if kind := resp.Header.Get("Content-Type"); resp.StatusCode != test.status || kind != test.kind || body != test.body {
						t.Errorf("got %d, %q, %q", resp.StatusCode, kind, body)
					}
					if took := time.Since(began); took != test.took {
						t.Errorf("took %v, want %v", took, test.took)
					}
				}
			})
		})
	}
}

func TestHeaderStep(t *testing.T) {
	inBubble(t, func(t *testing.T, s *sandbox.Server) {
		s.Script("q", sandbox.Header("Retry-After", "7"), sandbox.Status(429, "", ""))
		if resp := send(t, s, buildRequest(t.Context(), "q")); resp.Header.Get("Retry-After") != "7" {
			t.Errorf("headers: %v", resp.Header)
		}
	})
}

func TestWait(t *testing.T) {
	inBubble(t, func(t *testing.T, s *sandbox.Server) {
		gate := make(chan struct{})
		s.Script("q", sandbox.Raw("a"), sandbox.Wait(gate), sandbox.Raw("b"))
		body := send(t, s, buildRequest(t.Context(), "q")).Body
		first := make([]byte, 9)
		if n, err := body.Read(first); n != 1 || err != nil || first[0] != 'a' {
			t.Fatalf("before the channel is closed: %q, %v", first[:n], err)
		}
		close(gate)
		if rest, err := io.ReadAll(body); string(rest) != "b" || err != nil {
			t.Errorf("after the channel was closed: %q, %v", rest, err)
		}
	})
}

func TestWaitWithoutAChannelNeverAnswers(t *testing.T) {
	inBubble(t, func(t *testing.T, s *sandbox.Server) {
		s.Script("q", sandbox.Wait(nil))
		ctx, cancel := context.WithTimeout(t.Context(), time.Hour)
		defer cancel()
		if _, err := s.Client().Do(buildRequest(ctx, "q")); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("got %v", err)
		}
	})
}

func TestStallAndBatch(t *testing.T) {
	inBubble(t, func(t *testing.T, s *sandbox.Server) {
		s.Script("q", sandbox.Stall())
		s.Script("held", sandbox.Batch(sandbox.Raw("a"), sandbox.Wait(nil)))
		ctx, cancel := context.WithTimeout(t.Context(), time.Hour)
		defer cancel()
		resp := send(t, s, buildRequest(ctx, "q"))
		if resp.StatusCode != 200 {
			t.Errorf("a stalled stream began with %s", resp.Status)
		}
		if _, err := s.Client().Do(buildRequest(ctx, "held")); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("a batch was flushed before its end: %v", err)
		}
		if _, err := io.ReadAll(resp.Body); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("reading a stalled stream: %v", err)
		}
	})
}

func TestFuncSeesTheClientLeave(t *testing.T) {
	inBubble(t, func(t *testing.T, s *sandbox.Server) {
		left := make(chan time.Time, 1)
		s.Script("q", sandbox.Flush(), sandbox.Func(func(st *sandbox.Stream) error {
			<-st.Context().Done()
			left <- time.Now()
			return st.Context().Err()
		}))
		began := time.Now()
		body := send(t, s, buildRequest(t.Context(), "q")).Body
		<-time.After(time.Minute)
		body.Close()
		if took := (<-left).Sub(began); took != time.Minute {
			t.Errorf("the client left after %v", took)
		}
	})
}

func TestReset(t *testing.T) {
	inBubble(t, func(t *testing.T, s *sandbox.Server) {
		s.Script("before", sandbox.Reset())
		if _, err := s.Client().Do(buildRequest(t.Context(), "before")); err == nil {
			t.Error("an answer came although the connection was reset")
		}
		s.Script("amid", sandbox.Raw("a"), sandbox.Reset())
		data, err := io.ReadAll(send(t, s, buildRequest(t.Context(), "amid")).Body)
		if string(data) != "a" || !errors.Is(err, io.ErrUnexpectedEOF) {
			t.Errorf("got %q, %v", data, err)
		}
	})
}

func TestDemoStep(t *testing.T) {
	inBubble(t, func(t *testing.T, s *sandbox.Server) {
		s.Script(news, sandbox.Raw(": hello\n\n"), sandbox.Demo(), sandbox.Raw(": bye\n\n"))
		body := readAll(send(t, s, buildRequest(t.Context(), news)))
		if !strings.HasPrefix(body, ": hello\n\n") || !strings.HasSuffix(body, ": bye\n\n") || !strings.Contains(body, `"done"`) {
			t.Errorf("got %q", body)
		}
		s.Script(news)
		if body := readAll(send(t, s, buildRequest(t.Context(), news))); strings.Contains(body, "hello") {
			t.Error("a removed script was played")
		}
	}, sandbox.WithSpeed(0))
}

func TestUnencodableEventPanics(t *testing.T) {
	defer func() {
		if recover() == nil {
			t.Error("no panic")
		}
	}()
	sandbox.Event(make(chan int))
}

func TestFaults(t *testing.T) {
	const create = "/functions/{id}/runs/create"
	gone := sandbox.Status(405, "application/json", `{"from":"fault"}`)
	for _, test := range []struct {
		name            string
		method, pattern string
		want            [3]int // of runs/create, runs/start, a lookup of the function
	}{
		{"route", "POST", create, [3]int{405, 200, 200}},
		{"any method", "", create, [3]int{405, 200, 200}},
		{"other method", "GET", create, [3]int{200, 200, 200}},
		{"literal", "POST", "/functions/f/runs/create", [3]int{405, 200, 200}},
		{"glob", "", "/functions/*/runs/*", [3]int{405, 405, 200}},
		{"bad glob", "", "/functions/[", [3]int{200, 200, 200}},
		{"route of the lookup", "GET", "/functions/{id}", [3]int{200, 200, 405}},
	} {
		t.Run(test.name, func(t *testing.T) {
			inBubble(t, func(t *testing.T, s *sandbox.Server) {
				s.AddFunction(sandbox.Function{ID: "f"})
				statuses := func() (got [3]int) {
					got[0], _ = call(t, s, "POST", "/functions/f/runs/create", `{"local":false}`)
					got[1], _ = call(t, s, "POST", "/functions/f/runs/start", `{"function_id":"f"}`)
					got[2], _ = call(t, s, "GET", "/functions/f", "")
					return got
				}
				s.Fault(test.method, test.pattern, gone)
				if got := statuses(); got != test.want {
					t.Errorf("got %v, want %v", got, test.want)
				}
				s.Fault(test.method, test.pattern)
				if got := statuses(); got != [3]int{200, 200, 200} {
					t.Errorf("without the fault: %v", got)
				}
			}, sandbox.WithSpeed(0))
		})
	}
}

func TestFaultNext(t *testing.T) {
	inBubble(t, func(t *testing.T, s *sandbox.Server) {
		s.Fault("GET", "/health", sandbox.Status(500, "application/json", `{}`))
		s.FaultNext(2, "", "/health", sandbox.Status(503, "application/json", `{}`))
		for _, want := range []int{503, 503, 500, 500} {
			if got, _ := call(t, s, "GET", "/health", ""); got != want {
				t.Errorf("got %d, want %d", got, want)
			}
		}
		s.FaultNext(0, "GET", "/health", sandbox.Reset())
		began := time.Now()
		s.FaultNext(1, "GET", "/health", sandbox.Delay(time.Minute), sandbox.Demo())
		ok(t, s, "GET", "/health", "")
		if took := time.Since(began); took != time.Minute {
			t.Errorf("a slowed route took %v", took)
		}
	})
}

func TestRecord(t *testing.T) {
	inBubble(t, func(t *testing.T, s *sandbox.Server) {
		at := time.Now()
		body := `{"function_id":"none"}`
		call(t, s, "POST", "/functions/none/runs/start?a=1", body)
		all := s.Requests()
		if len(all) != 1 {
			t.Fatalf("%d requests", len(all))
		}
		q := all[0]
		if q.Method != "POST" || q.Host != "sandbox.test" || q.Path != "/functions/none/runs/start" || q.Query.Get("a") != "1" ||
			string(q.Body) != body || q.Header.Get("Authorization") != "Bearer "+key || !q.At.Equal(at) || !q.ClientLeft.IsZero() {
			t.Errorf("recorded %+v", q)
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if _, err := s.WaitRequest(ctx, func(sandbox.Request) bool { return false }); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("waiting in vain: %v", err)
		}
	})
}

func TestWaitRequestComesLater(t *testing.T) {
	inBubble(t, func(t *testing.T, s *sandbox.Server) {
		found := make(chan error, 1)
		go func() {
			_, err := s.WaitRequest(t.Context(), func(q sandbox.Request) bool { return q.Path == "/health" })
			found <- err
		}()
		synctest.Wait()
		ok(t, s, "GET", "/health", "")
		if err := <-found; err != nil {
			t.Error(err)
		}
	})
}
