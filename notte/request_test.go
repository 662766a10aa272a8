package notte_test

import (
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/anything-mcp/anything-mcp/notte"
)

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
		{func() error {
			s, err := c.StartBuild(ctx, notte.BuildRequest{Query: `<b>&"é`})
			return drained(s, err)
		},
			request{"POST /base/api/anything/start", `{"query":"<b>&\"é"}`}},
		{func() error {
			s, err := c.StartBuild(ctx, notte.BuildRequest{Query: "q", ThreadID: "t1"})
			return drained(s, err)
		},
			request{"POST /base/api/anything/start", `{"query":"q","thread_id":"t1"}`}},
		{func() error {
			s, err := c.StartBuild(ctx, notte.BuildRequest{Query: "q", Detach: true})
			return drained(s, err)
		},
			request{"POST /base/api/anything/start", `{"query":"q","detach":true}`}},
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
		{func() error { return c.StopRun(ctx, "f1", "r1") }, request{"DELETE /base/functions/f1/runs/r1", ""}},
		{func() error { _, err := c.GetFunction(ctx, "f1"); return err }, request{"GET /base/functions/f1", ""}},
		{func() error { _, err := c.ListFunctions(ctx, 2, 5); return err }, request{"GET /base/functions?page=2&page_size=5", ""}},
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
