package sandbox_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

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
		for _, query := range []string{"page=0", "page=x", "page_size=101", "only_active=perhaps", "only_current_token=x", "include_system=x"} {
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

func TestFunctionFields(t *testing.T) {
	inBubble(t, func(t *testing.T, s *sandbox.Server) {
		id := s.AddFunction(sandbox.Function{
			Instructions: "i", Domain: "e.test", ResponseFormat: object("type", "array"), RequiredSecrets: []string{"TOKEN"},
			Source: "anything", SelfHealing: true, Published: true, Shared: true, Inactive: true,
			Created:   time.Date(2020, 1, 2, 3, 4, 5, 6000, time.UTC),
			Variables: []sandbox.Variable{{Name: "a"}, {Name: "b", Type: "str | None", Default: new("None")}},
		})
		want := map[string]string{
			"domain": "e.test", "required_secrets": "[TOKEN]", "source": "anything", "self_healing": "true", "published": "true",
			"shared": "true", "status": "inactive", "created_at": "2020-01-02T03:04:05.000006Z", "updated_at": "2020-01-02T03:04:05.000006Z",
			"variables": "[map[default:<nil> name:a type:<nil>] map[default:None name:b type:str | None]]",
		}
		listed := ok(t, s, "GET", "/functions?only_active=false", "")["items"].([]any)[0].(map[string]any)
		for _, field := range []string{"instructions", "response_format", "url"} {
			if _, ok := listed[field]; ok {
				t.Errorf("%s is in a list", field)
			}
		}
		got := ok(t, s, "GET", "/functions/"+id, "")
		for field, want := range want {
			if fmt.Sprint(got[field]) != want || fmt.Sprint(listed[field]) != want {
				t.Errorf("%s is %v, in a list %v, want %s", field, got[field], listed[field], want)
			}
		}
		if got["instructions"] != "i" || fmt.Sprint(got["response_format"]) != "map[type:array]" {
			t.Errorf("got %v", got)
		}
		bare := ok(t, s, "GET", "/functions/"+s.AddFunction(sandbox.Function{}), "")
		for _, field := range []string{"domain", "source", "instructions", "response_format", "schedule_cron", "reference_workflow_id"} {
			if value, ok := bare[field]; !ok || value != nil {
				t.Errorf("%s of a bare function is %v, want null", field, value)
			}
		}
	})
}

func TestUpdateFunction(t *testing.T) {
	inBubble(t, func(t *testing.T, s *sandbox.Server) {
		id := s.AddFunction(sandbox.Function{Name: "n", Variables: []sandbox.Variable{{Name: "a"}}})
		before := ok(t, s, "GET", "/functions/"+id, "")
		<-time.After(time.Minute)
		if err := s.UpdateFunction(id, func(f *sandbox.Function) { f.Variables[0].Name = "b" }); err != nil {
			t.Fatal(err)
		}
		after := ok(t, s, "GET", "/functions/"+id, "")
		if fmt.Sprint(after["variables"]) != "[map[default:<nil> name:b type:<nil>]]" || after["latest_version"] != "2" ||
			after["created_at"] != before["created_at"] || after["updated_at"] == before["updated_at"] {
			t.Errorf("before %v, after %v", before, after)
		}
		for range 200 {
			s.UpdateFunction(id, func(*sandbox.Function) {})
		}
		after = ok(t, s, "GET", "/functions/"+id, "")
		if n := len(after["versions"].([]any)); n != 100 || after["latest_version"] != "202" {
			t.Errorf("%d versions, the latest %v", n, after["latest_version"])
		}
		if err := s.UpdateFunction("none", nil); err == nil || !strings.Contains(err.Error(), `no function "none"`) {
			t.Errorf("got %v", err)
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
			"GET /functions/f/schedule":        405,
			"POST /functions/none/schedule":    404,
			"POST /functions/none":             404,
			"PATCH /functions/f/runs/none":     404,
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

// The problems of a request always have the same order, so that tests can compare them.
func TestProblemsAreInOrder(t *testing.T) {
	inBubble(t, func(t *testing.T, s *sandbox.Server) {
		for range 20 {
			_, v := call(t, s, "POST", "/secrets", "{}")
			var names []any
			for _, p := range v["detail"].([]any) {
				names = append(names, p.(map[string]any)["loc"].([]any)[1])
			}
			if got := fmt.Sprint(names); got != "[name namespace value]" {
				t.Fatalf("the missing fields are %s", got)
			}
		}
	})
}
