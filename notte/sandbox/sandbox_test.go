package sandbox_test

import (
	"bufio"
	"context"
	"encoding/json"
	"io"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/anything-mcp/anything-mcp/notte/sandbox"
)

const key = "test-key"

// inBubble calls f with a Server inside a synctest bubble. Its contract is V1
// unless opts say otherwise.
func inBubble(t *testing.T, f func(t *testing.T, s *sandbox.Server), opts ...sandbox.Option) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		s := sandbox.New(append([]sandbox.Option{sandbox.WithAPI(sandbox.V1)}, opts...)...)
		defer s.Close()
		f(t, s)
	})
}

// request returns a request with the headers that both APIs require.
func request(ctx context.Context, method, path, body string) *http.Request {
	r, err := http.NewRequestWithContext(ctx, method, "http://sandbox.test"+path, strings.NewReader(body))
	if err != nil {
		panic(err)
	}
	r.Header.Set("Authorization", "Bearer "+key)
	r.Header.Set("X-Notte-Api-Key", key)
	r.Header.Set("Content-Type", "application/json")
	return r
}

func buildRequest(ctx context.Context, query string) *http.Request {
	body, _ := json.Marshal(map[string]string{"query": query})
	return request(ctx, "POST", "/api/anything/start", string(body))
}

func send(t *testing.T, s *sandbox.Server, r *http.Request) *http.Response {
	t.Helper()
	resp, err := s.Client().Do(r)
	if err != nil {
		t.Fatalf("%s %s: %v", r.Method, r.URL.Path, err)
	}
	t.Cleanup(func() { resp.Body.Close() })
	return resp
}

// call sends a request and returns the status and the JSON of its answer.
func call(t *testing.T, s *sandbox.Server, method, path, body string) (int, map[string]any) {
	t.Helper()
	resp := send(t, s, request(t.Context(), method, path, body))
	defer resp.Body.Close()
	data, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatalf("%s %s: reading: %v", method, path, err)
	}
	var v map[string]any
	if err := json.Unmarshal(data, &v); err != nil {
		t.Fatalf("%s %s: %v in %q", method, path, err, data)
	}
	return resp.StatusCode, v
}

// ok is call for answers that must have status 200.
func ok(t *testing.T, s *sandbox.Server, method, path, body string) map[string]any {
	t.Helper()
	status, v := call(t, s, method, path, body)
	if status != http.StatusOK {
		t.Fatalf("%s %s: %d %v", method, path, status, v)
	}
	return v
}

// build builds query and returns all events.
func build(t *testing.T, s *sandbox.Server, query string) []map[string]any {
	t.Helper()
	resp := send(t, s, buildRequest(t.Context(), query))
	if resp.StatusCode != http.StatusOK || resp.Header.Get("Content-Type") != "text/event-stream" {
		t.Fatalf("build: %s, %q", resp.Status, resp.Header.Get("Content-Type"))
	}
	return readEvents(t, resp.Body)
}

func readEvents(t *testing.T, r io.Reader) (events []map[string]any) {
	t.Helper()
	lines := bufio.NewScanner(r)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		data, found := strings.CutPrefix(lines.Text(), "data: ")
		if !found {
			continue
		}
		var e map[string]any
		if err := json.Unmarshal([]byte(data), &e); err != nil {
			t.Fatalf("event %q: %v", data, err)
		}
		events = append(events, e)
	}
	if err := lines.Err(); err != nil {
		t.Fatalf("reading events: %v", err)
	}
	return events
}

// find returns the first event of this type, or nil.
func find(events []map[string]any, kind string) map[string]any {
	for _, e := range events {
		if e["type"] == kind {
			return e
		}
	}
	return nil
}

// joined returns the deltas of this type as one text.
func joined(events []map[string]any, kind string) string {
	var b strings.Builder
	for _, e := range events {
		if e["type"] == kind {
			b.WriteString(e["delta"].(string))
		}
	}
	return b.String()
}
