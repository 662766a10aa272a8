package sandbox_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/anything-mcp/anything-mcp/notte/sandbox"
)

func TestExamples(t *testing.T) {
	inBubble(t, func(t *testing.T, s *sandbox.Server) {
		all := functions(t, s)
		if len(all) != 6 {
			t.Fatalf("%d functions", len(all))
		}
		failed := 0
		for _, f := range all {
			vars, sites := map[string]string{}, fmt.Sprint(f["domain"])
			for _, v := range f["variables"].([]any) {
				if v := v.(map[string]any); v["default"] == nil {
					vars[v["name"].(string)] = "2026-01"
				}
			}
			given, _ := json.Marshal(vars)
			id := f["function_id"].(string)
			got := ok(t, s, "POST", "/functions/"+id+"/runs/start", startBody(id, string(given), false))
			if text, _ := got["result"].(string); strings.HasPrefix(text, "Script execution failed") {
				failed++
			}
			if !strings.Contains(sites, ".") || f["description"] == "" {
				t.Errorf("got %v", f)
			}
		}
		if failed != 1 {
			t.Errorf("%d of six functions fail, want one", failed)
		}
	}, sandbox.WithExamples(), sandbox.WithSpeed(0))
}

// The examples are there once for all processes, and stay deleted.
func TestExamplesInAFile(t *testing.T) {
	path := tempFile(t)
	synctest.Test(t, func(t *testing.T) {
		server := func() *sandbox.Server {
			s := sandbox.New(sandbox.WithAPI(sandbox.V2), sandbox.WithFile(path), sandbox.WithExamples())
			t.Cleanup(s.Close)
			return s
		}
		first, second := server(), server()
		if a, b := functions(t, first), functions(t, second); len(a) != 6 || fmt.Sprint(a) != fmt.Sprint(b) {
			t.Errorf("two processes have\n%v\n%v", a, b)
		}
		ok(t, first, "DELETE", "/functions/"+functions(t, first)[0]["function_id"].(string), "")
		id := first.AddFunction(sandbox.Function{Name: "mine"})
		for name, s := range map[string]*sandbox.Server{"the first": first, "another": second, "a later": server()} {
			all := functions(t, s)
			if len(all) != 6 || all[0]["function_id"] != id {
				t.Errorf("%s process has %v", name, all)
			}
		}
	})
}

func TestConcurrentRuns(t *testing.T) {
	inBubble(t, func(t *testing.T, s *sandbox.Server) {
		id := s.AddFunction(sandbox.Function{Run: &sandbox.Outcome{After: time.Minute}})
		created := ok(t, s, "POST", "/functions/"+id+"/runs/create", `{}`)["function_run_id"].(string)
		var wg sync.WaitGroup
		for range 10 {
			wg.Go(func() { ok(t, s, "POST", "/functions/"+id+"/runs/start", startBody(id, `{}`, false)) })
		}
		synctest.Wait()
		for _, path := range []string{"start", "create", created} {
			body := fmt.Sprintf(`{"workflow_id":%q,"workflow_run_id":%q}`, id, created)
			resp := send(t, s, request(t.Context(), "POST", "/functions/"+id+"/runs/"+path, body))
			if text := readAll(resp); resp.StatusCode != 429 || resp.Header.Get("Retry-After") != "1" || !strings.Contains(text, "at most 10") {
				t.Errorf("%s: %s %s", path, resp.Status, text)
			}
		}
		wg.Wait()
		ok(t, s, "POST", "/functions/"+id+"/runs/start", startBody(id, `{}`, false))
	})
}

func TestRateLimit(t *testing.T) {
	inBubble(t, func(t *testing.T, s *sandbox.Server) {
		for range 2 {
			for i := range 5 {
				resp := send(t, s, request(t.Context(), "GET", "/functions", ""))
				h := resp.Header
				if want := 200 + min(i/3, 1)*229; resp.StatusCode != want || h.Get("X-RateLimit-Limit") != "3" || (h.Get("Retry-After") == "60") != (i >= 3) {
					t.Errorf("request %d: %s %v", i, resp.Status, h)
				}
			}
			<-time.After(time.Minute)
		}
	}, sandbox.WithRateLimit(3))
}

func TestHostileFunctions(t *testing.T) {
	inBubble(t, func(t *testing.T, s *sandbox.Server) {
		for _, f := range sandbox.HostileFunctions() {
			id := s.AddFunction(f)
			if got := ok(t, s, "GET", "/functions/"+id, ""); got["name"] != f.Name || len(got["variables"].([]any)) != len(f.Variables) {
				t.Errorf("got %v", got)
			}
		}
	})
}
