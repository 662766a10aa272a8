package sandbox_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/anything-mcp/anything-mcp/notte/sandbox"
)

func TestListFunctions(t *testing.T) {
	inBubble(t, func(t *testing.T, s *sandbox.Server) {
		for i := range 25 {
			s.AddFunction(sandbox.Function{ID: fmt.Sprint("f", i), Inactive: i >= 12})
		}
		for _, test := range []struct {
			query, first   string
			n              int
			next, previous bool
		}{
			{"", "f11", 10, true, false},
			{"?page=2", "f1", 2, false, true},
			{"?page=3", "", 0, false, true},
			{"?page_size=12", "f11", 12, false, false},
			{"?only_active=false&page_size=20", "f24", 20, true, false},
			{"?only_active=0&page_size=20&page=2", "f4", 5, false, true},
		} {
			got := ok(t, s, "GET", "/functions"+test.query, "")
			items := got["items"].([]any)
			if len(items) != test.n || got["has_next"] != test.next || got["has_previous"] != test.previous {
				t.Errorf("%q: %d items, %v, %v", test.query, len(items), got["has_next"], got["has_previous"])
			}
			if len(items) > 0 && items[0].(map[string]any)["function_id"] != test.first {
				t.Errorf("%q begins with %v", test.query, items[0])
			}
		}
		for _, query := range []string{"page=0", "page=x", "page_size=101", "only_active=perhaps"} {
			for _, path := range []string{"/functions?", "/functions/f1/runs?"} {
				if status, v := call(t, s, "GET", path+query, ""); status != 422 || len(v["detail"].([]any)) != 1 {
					t.Errorf("%s%s: %d %v", path, query, status, v)
				}
			}
		}
	})
}

func TestGetFunction(t *testing.T) {
	inBubble(t, func(t *testing.T, s *sandbox.Server) {
		id := s.AddFunction(sandbox.Function{Name: "n", Description: "d", Variables: []sandbox.Variable{{Name: "count", Type: "int", Default: new("3")}}})
		got := ok(t, s, "GET", "/functions/"+id, "")
		for field, want := range map[string]string{
			"function_id": id, "workflow_id": id, "name": "n", "description": "d", "latest_version": "1", "versions": "[1]",
			"status": "active", "shared": "false", "required_secrets": "[]", "variables": "[map[default:3 name:count type:int]]",
		} {
			if fmt.Sprint(got[field]) != want {
				t.Errorf("%s is %v, want %s", field, got[field], want)
			}
		}
		if link := got["url"].(string); !strings.Contains(link, ".invalid/") || !strings.Contains(link, "Signature=") {
			t.Errorf("url: %s", link)
		}
		ok(t, s, "GET", "/functions/"+id+"?version=1", "")
		if status, _ := call(t, s, "GET", "/functions/"+id+"?version=2", ""); status != 404 {
			t.Errorf("another version: %d", status)
		}
	})
}

func TestForkAndDelete(t *testing.T) {
	inBubble(t, func(t *testing.T, s *sandbox.Server) {
		id := s.AddFunction(sandbox.Function{Name: "n"})
		fork := ok(t, s, "POST", "/functions/"+id+"/fork", "")
		if fork["name"] != "n" || fork["function_id"] == id {
			t.Errorf("fork %v", fork)
		}
		if got := ok(t, s, "DELETE", "/functions/"+id, ""); got["status"] != "success" {
			t.Errorf("delete: %v", got)
		}
		if status, _ := call(t, s, "GET", "/functions/"+id, ""); status != 404 {
			t.Errorf("deleted, it answers %d", status)
		}
		ok(t, s, "GET", "/functions/"+fork["function_id"].(string), "")
	})
}

func TestUnknownRoutes(t *testing.T) {
	inBubble(t, func(t *testing.T, s *sandbox.Server) {
		s.AddFunction(sandbox.Function{ID: "f"})
		s.AddFunction(sandbox.Function{ID: "g"})
		run, err := s.AddRun("g", sandbox.Outcome{})
		if err != nil {
			t.Fatal(err)
		}
		for route, want := range map[string]int{
			"GET /nothing":                     404,
			"GET /functions/none":              404,
			"DELETE /functions/none":           404,
			"POST /functions/none/fork":        404,
			"GET /functions/none/runs":         404,
			"POST /functions/none/runs/start":  404,
			"POST /functions/none/runs/create": 404,
			"GET /functions/f/runs/none":       404,
			"POST /functions/f/runs/none":      404,
			"DELETE /functions/f/runs/none":    404,
			"GET /functions/f/runs/" + run:     404, // another function's
			"GET /functions/g/runs/" + run:     200,
			"PUT /functions/f":                 405,
			"POST /health":                     405,
			"GET /health":                      200,
		} {
			method, path, _ := strings.Cut(route, " ")
			status, v := call(t, s, method, path, `{}`)
			if text, _ := v["detail"].(string); status != want || want != 200 && text == "" {
				t.Errorf("%s: %d %v, want %d", route, status, v, want)
			}
		}
	})
}

func TestRateLimitHeaders(t *testing.T) {
	inBubble(t, func(t *testing.T, s *sandbox.Server) {
		first := send(t, s, request(t.Context(), "GET", "/health", "")).Header
		second := send(t, s, request(t.Context(), "GET", "/nothing", "")).Header
		if a, b := first.Get("X-RateLimit-Remaining"), second.Get("X-RateLimit-Remaining"); a != "999" || b != "998" {
			t.Errorf("remaining %s, then %s", a, b)
		}
		if a, b := first.Get("X-RateLimit-Reset"), second.Get("X-RateLimit-Reset"); a != b || len(a) < 9 {
			t.Errorf("reset %s, then %s", a, b)
		}
	})
}

func TestIndex(t *testing.T) {
	inBubble(t, func(t *testing.T, s *sandbox.Server) {
		resp := send(t, s, request(t.Context(), "GET", "/", ""))
		if page := readAll(resp); resp.StatusCode != 200 || !strings.Contains(page, "http://sandbox.test/api/anything/start") || !strings.Contains(page, "simulated") {
			t.Errorf("%s: %s", resp.Status, page)
		}
	})
}
