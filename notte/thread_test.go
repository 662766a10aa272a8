package notte_test

import (
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/anything-mcp/anything-mcp/notte"
)

const threadID = "11111111-2222-4333-8444-555555555555"

// told returns the types of a stream's events, with the thread that they name, and
// the stream's error.
func told(s *notte.Stream, err error) (string, error) {
	if err != nil {
		return "", err
	}
	var all []string
	for ev, e := range s.Events() {
		if err = e; err != nil {
			break
		}
		all = append(all, strings.TrimSpace(strings.Join([]string{string(ev.Type), ev.ThreadID, ev.ThreadURL}, " ")))
	}
	return strings.Join(all, "\n"), err
}

// TestThreadAndDetachedAnswers reads answers to a build's start that name a thread
// or say that the build goes on without its client.
func TestThreadAndDetachedAnswers(t *testing.T) {
	const stream = "data: {\"type\":\"start-step\"}\n\ndata: {\"type\":\"finish\"}\n\ndata: [DONE]\n\n"
	const page = "https://console.notte.cc/anything/1"
	const both = threadID + " " + page
	for _, tt := range []struct {
		name         string
		status       int
		kind, thread string
		body, want   string
	}{
		{"a stream", 200, "text/event-stream", threadID, stream, "thread " + threadID + "\nstatus\ndone " + threadID},
		{"a stream without headers", 200, "text/event-stream", "", stream, "status\ndone"},
		{"a stream without a type", 200, "", threadID, stream, "thread " + threadID + "\nstatus\ndone " + threadID},
		{"a stream of v1", 200, "text/event-stream", threadID, "data: {\"type\":\"done\"}\n\n", "thread " + threadID + "\ndone"},
		{"a stream with status 202", 202, "text/event-stream", threadID, stream, "thread " + threadID + "\nstatus\ndone " + threadID},
		{"a thread that is not an ID", 200, "text/event-stream", "a/b", stream, "status\ndone"},
		{"the key as the thread", 200, "text/event-stream", "sk-4711-the-key", stream, "status\ndone"},
		{"detached", 202, "application/json", threadID, `{"thread_id":"` + threadID + `","url":"` + page + `","status":"started"}`, "thread " + both + "\ndetached " + both},
		{"detached, without the header", 202, "application/json; charset=utf-8", "", `{"thread_id":"` + threadID + `","url":"` + page + `"}`, "thread " + both + "\ndetached " + both},
		{"detached, with the header alone", 202, "application/json", threadID, `{"url":"` + page + `"}`, "thread " + both + "\ndetached " + both},
		{"detached, with an ID that is none", 202, "application/json", threadID, `{"thread_id":"a b","url":"` + page + `"}`, "thread " + both + "\ndetached " + both},
		{"detached, without a type", 202, "", "", `{"thread_id":"` + threadID + `"}`, "thread " + threadID + "\ndetached " + threadID},
		{"detached, without a body", 202, "", threadID, "", "thread " + threadID + "\ndetached " + threadID},
		{"detached, without a thread", 202, "application/json", "", `{"status":"started"}`, "detached"},
		{"detached, with status 200", 200, "application/json", "", `{"thread_id":"` + threadID + `"}`, "thread " + threadID + "\ndetached " + threadID},
		{"a link by http", 202, "application/json", "", `{"thread_id":"t1","url":"http://console.notte.cc/1"}`, "thread t1\ndetached t1"},
		{"a link to a script", 202, "application/json", "", `{"thread_id":"t1","url":"javascript:alert(1)"}`, "thread t1\ndetached t1"},
		{"a link to this machine", 202, "application/json", "", `{"thread_id":"t1","url":"http://localhost:8080/1"}`, "thread t1 http://localhost:8080/1\ndetached t1 http://localhost:8080/1"},
		{"a long link", 202, "application/json", "", `{"thread_id":"t1","url":"https://notte.cc/` + strings.Repeat("x", 3000) + `"}`, "thread t1\ndetached t1"},
		{"a link with the key", 202, "application/json", "", `{"thread_id":"t1","url":"https://notte.cc/?key=sk-4711-the-key"}`, "thread t1 https://notte.cc/?key=[redacted]\ndetached t1 https://notte.cc/?key=[redacted]"},
	} {
		for _, detach := range []bool{false, true} {
			c := newClient(t, notte.Config{Key: "sk-4711-the-key", HTTPClient: &http.Client{Transport: roundTrip(func(*http.Request) (*http.Response, error) {
				h := http.Header{}
				for key, value := range map[string]string{"Content-Type": tt.kind, "X-Thread-Id": tt.thread} {
					if value != "" {
						h.Set(key, value)
					}
				}
				return &http.Response{StatusCode: tt.status, Header: h, Body: io.NopCloser(strings.NewReader(tt.body))}, nil
			})}})
			if got, err := told(c.StartBuild(t.Context(), notte.BuildRequest{Query: "q", Detach: detach})); got != tt.want || err != nil {
				t.Errorf("%s: %v\ngot  %s\nwant %s", tt.name, err, got, tt.want)
			}
		}
	}
}

// TestAnswersThatAreNoBuild checks that an answer in JSON which names no thread is
// an error, and says what came.
func TestAnswersThatAreNoBuild(t *testing.T) {
	for _, tt := range []struct {
		status           int
		kind, body, want string
	}{
		{200, "application/json", `{"message":"hello"}`, "not an event stream but application/json: hello"},
		{200, "application/json", `{"thread_id":"a b"}`, "not an event stream but application/json"},
		{200, "text/plain", `{"thread_id":"t1"}`, "not an event stream but text/plain"},
		{202, "text/html", `<title>Accepted</title>`, "not an event stream but text/html: Accepted"},
		{202, "application/json", `[1]`, "not an event stream but application/json"},
	} {
		c := newTest(t, func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", tt.kind)
			w.WriteHeader(tt.status)
			io.WriteString(w, tt.body)
		})
		_, err := c.StartBuild(t.Context(), notte.BuildRequest{Query: "q", Detach: true})
		if err == nil || !strings.Contains(err.Error(), tt.want) || !notte.MayHaveStarted(err) {
			t.Errorf("%d %s: %v", tt.status, tt.body, err)
		}
	}
}

// TestThreadOfARunIsNotRead checks that the language of a run is v1 whatever its
// headers and its events are.
func TestThreadOfARunIsNotRead(t *testing.T) {
	c := newTest(t, func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/event-stream")
		w.Header().Set("X-Thread-Id", threadID)
		io.WriteString(w, "data: {\"type\":\"finish\"}\n\ndata: {\"type\":\"text-delta\",\"id\":\"1\",\"delta\":\"a\"}\n\ndata: [DONE]\n\ndata: {\"type\":\"result\",\"message\":\"{}\"}\n\n")
	})
	if got, err := told(c.StartRun(t.Context(), "f1", "r1", nil)); got != "finish\ntext-delta\nresult" || err != nil {
		t.Errorf("%q, %v", got, err)
	}
}

// TestFollowUpErrors checks what a refused turn of a thread says to do.
func TestFollowUpErrors(t *testing.T) {
	for status, want := range map[int]string{
		404: "Notte has no such thread for this API key",
		409: "Notte answered 409 Conflict: thread is busy. A turn of this thread still runs: wait until it has ended, then try again.",
	} {
		c := newTest(t, func(w http.ResponseWriter, _ *http.Request) { http.Error(w, "thread is busy", status) })
		_, err := c.StartBuild(t.Context(), notte.BuildRequest{Query: "q", ThreadID: "t1"})
		if err == nil || !strings.Contains(err.Error(), want) || notte.MayHaveStarted(err) {
			t.Errorf("%d: %v", status, err)
		}
		_, err = c.StartBuild(t.Context(), notte.BuildRequest{Query: "q"})
		if err == nil || strings.Contains(err.Error(), "thread still") || strings.Contains(err.Error(), "no such thread") {
			t.Errorf("%d of a new thread: %v", status, err)
		}
	}
	c := newTest(t, func(_ http.ResponseWriter, r *http.Request) { t.Errorf("a request to %s", r.URL) })
	if _, err := c.StartBuild(t.Context(), notte.BuildRequest{Query: "q", ThreadID: "a b"}); !errors.Is(err, notte.ErrInvalidID) || notte.MayHaveStarted(err) {
		t.Errorf("a thread that is not an ID: %v", err)
	}
}
