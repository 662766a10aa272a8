package sandbox_test

import (
	"context"
	"net/http"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/anything-mcp/anything-mcp/notte/sandbox"
)

const news = "fetch the top 3 hacker news posts"

func TestDemoEventOrder(t *testing.T) {
	inBubble(t, func(t *testing.T, s *sandbox.Server) {
		began := time.Now()
		events := build(t, s, news)
		if took := time.Since(began); took < 4*time.Second || took > 9*time.Second {
			t.Errorf("the build took %v, want about 6s", took)
		}
		var kinds []string
		for _, e := range events {
			kinds = append(kinds, e["type"].(string))
		}
		want := []string{
			"status", "thinking_delta", "notte_session_data", "status",
			"tool_start", "tool_result", "tool_start", "tool_result", "thinking_delta", "tool_start", "tool_result",
			"text_delta", "message_complete", "status",
			"tool_start", "tool_result", "tool_start", "tool_result", "function_uploaded",
			"text_delta", "message_complete", "done",
		}
		if got := slices.Compact(slices.Clone(kinds)); !slices.Equal(got, want) {
			t.Errorf("events in order:\n got %v\nwant %v", got, want)
		}
		if n := len(kinds); n < 20 {
			t.Errorf("only %d events", n)
		}
	})
}

func TestDemoEventFields(t *testing.T) {
	inBubble(t, func(t *testing.T, s *sandbox.Server) {
		events := build(t, s, news)
		done, uploaded := find(events, "done"), find(events, "function_uploaded")
		if done["function_id"] != uploaded["function_id"] || uploaded["function_name"] != "fetch-top-hacker-news-posts" {
			t.Errorf("done %v does not fit %v", done, uploaded)
		}
		if _, err := time.Parse(time.RFC3339, uploaded["created_at"].(string)); err != nil {
			t.Errorf("created_at: %v", err)
		}
		if done["metadata"].(map[string]any)["thread_id"] == "" {
			t.Errorf("no thread ID in %v", done)
		}
		if cost := done["total_cost_usd"].(float64); cost < 0.05 || cost > 0.95 {
			t.Errorf("cost %v is not plausible", cost)
		}
		if again := find(build(t, s, news), "done"); again["total_cost_usd"] != done["total_cost_usd"] {
			t.Errorf("the same query cost %v, then %v", done["total_cost_usd"], again["total_cost_usd"])
		}
		if answer := joined(events, "text_delta"); !strings.Contains(answer, "simulated") || !strings.Contains(answer, "takes count") {
			t.Errorf("answer: %q", answer)
		}
		if find(events, "message_complete")["role"] != "assistant" || find(events, "tool_start")["name"] == "" {
			t.Errorf("a role or a tool's name is missing")
		}
	}, sandbox.WithSpeed(0))
}

func TestSpeed(t *testing.T) {
	took := func(opts ...sandbox.Option) (d time.Duration) {
		inBubble(t, func(t *testing.T, s *sandbox.Server) {
			began := time.Now()
			build(t, s, news)
			d = time.Since(began)
		}, opts...)
		return d
	}
	normal := took()
	if fast := took(sandbox.WithSpeed(10)); fast < normal/11 || fast > normal/9 {
		t.Errorf("at speed 10 %v, at speed 1 %v", fast, normal)
	}
	if none := took(sandbox.WithSpeed(0)); none != 0 {
		t.Errorf("at speed 0 the build took %v", none)
	}
}

func TestEndings(t *testing.T) {
	for _, test := range []struct {
		marker, last string
		uploaded     bool
	}{
		{"", "done", true},
		{"[sandbox:error]", "error", false},
		{"[sandbox:timeout]", "timeout", true},
		{"[sandbox:cancelled]", "cancelled", true},
		{"[sandbox:cut]", "function_uploaded", true},
		{"[sandbox:nofunction]", "done", false},
		{"[sandbox:broken]", "done", true},
		{"[sandbox:unknown]", "done", true},
	} {
		t.Run(test.marker, func(t *testing.T) {
			inBubble(t, func(t *testing.T, s *sandbox.Server) {
				events := build(t, s, "list books "+test.marker)
				last := events[len(events)-1]
				if last["type"] != test.last {
					t.Errorf("the last event is %v, want %s", last, test.last)
				}
				if uploaded := find(events, "function_uploaded"); (uploaded != nil) != test.uploaded {
					t.Errorf("function_uploaded: %v", uploaded)
				} else if uploaded != nil && uploaded["function_name"] != "list-books" {
					t.Errorf("the marker is part of the name %q", uploaded["function_name"])
				}
				if _, ok := last["function_id"]; last["type"] == "done" && ok != test.uploaded {
					t.Errorf("function_id in %v", last)
				}
				functions := ok(t, s, "GET", "/functions", "")["items"].([]any)
				if (len(functions) == 1) != test.uploaded {
					t.Errorf("%d functions are listed", len(functions))
				}
			}, sandbox.WithSpeed(0))
		})
	}
}

func TestEndingDetails(t *testing.T) {
	inBubble(t, func(t *testing.T, s *sandbox.Server) {
		for kind, fields := range map[string][]string{
			"error": {"error", "detail"}, "timeout": {"reason", "detail"}, "cancelled": {"reason"},
		} {
			e := find(build(t, s, "x [sandbox:"+kind+"]"), kind)
			for _, field := range fields {
				if text, _ := e[field].(string); text == "" {
					t.Errorf("%s event without %s: %v", kind, field, e)
				}
			}
		}
	}, sandbox.WithSpeed(0))
}

func TestSlowDemo(t *testing.T) {
	inBubble(t, func(t *testing.T, s *sandbox.Server) {
		began := time.Now()
		build(t, s, "x [sandbox:slow]")
		if took := time.Since(began); took < 90*time.Second || took > 180*time.Second {
			t.Errorf("slow took %v", took)
		}
	})
}

func TestBuildRefusals(t *testing.T) {
	const path = "/api/anything/start"
	for _, test := range []struct {
		name, method, path, body string
		change                   func(http.Header)
		want                     int
	}{
		{"no key", "POST", path, `{"query":"x"}`, func(h http.Header) { h.Del("Authorization") }, 401},
		{"empty key", "POST", path, `{"query":"x"}`, func(h http.Header) { h.Set("Authorization", "Bearer ") }, 401},
		{"other scheme", "POST", path, `{"query":"x"}`, func(h http.Header) { h.Set("Authorization", "Basic "+key) }, 401},
		{"wrong key", "POST", path, `{"query":"x"}`, func(h http.Header) { h.Set("Authorization", "Bearer other") }, 401},
		{"not JSON", "POST", path, `{"query":`, nil, 400},
		{"more than JSON", "POST", path, `{"query":"x"}{}`, nil, 400},
		{"field in capitals", "POST", path, `{"QUERY":"x"}`, nil, 400},
		{"no body", "POST", path, ``, nil, 400},
		{"not an object", "POST", path, `["x"]`, nil, 400},
		{"no query", "POST", path, `{}`, nil, 400},
		{"blank query", "POST", path, `{"query":" \n"}`, nil, 400},
		{"query of another type", "POST", path, `{"query":7}`, nil, 400},
		{"wrong content type", "POST", path, `{"query":"x"}`, func(h http.Header) { h.Set("Content-Type", "text/plain") }, 400},
		{"too large", "POST", path, `{"query":"` + strings.Repeat("x", 1<<20) + `"}`, nil, 413},
		{"GET", "GET", path, ``, nil, 405},
		{"no such path", "POST", "/api/anything/stop", `{}`, nil, 404},
		{"unavailable", "POST", path, `{"query":"x [sandbox:unavailable]"}`, nil, 502},
	} {
		for _, api := range []sandbox.API{sandbox.V1, sandbox.V2} {
			t.Run(test.name+" "+string(api), func(t *testing.T) {
				inBubble(t, func(t *testing.T, s *sandbox.Server) {
					r := request(t.Context(), test.method, test.path, test.body)
					if test.change != nil {
						test.change(r.Header)
					}
					resp := send(t, s, r)
					if resp.StatusCode != test.want || resp.Header.Get("Content-Type") != "application/json" {
						t.Errorf("got %s, %s; want %d", resp.Status, resp.Header.Get("Content-Type"), test.want)
					}
					if allow := resp.Header.Get("Allow"); test.want == 405 && allow != "POST" {
						t.Errorf("Allow: %q", allow)
					}
					for _, name := range []string{"X-Ratelimit-Limit", "X-Ratelimit-Remaining", "X-Ratelimit-Reset"} {
						if resp.Header.Get(name) == "" {
							t.Errorf("no %s", name)
						}
					}
				}, sandbox.WithKey(key), sandbox.WithAPI(api))
			})
		}
	}
}

func TestClientLeavesBuild(t *testing.T) {
	inBubble(t, func(t *testing.T, s *sandbox.Server) {
		ctx, leave := context.WithTimeout(t.Context(), time.Second)
		defer leave()
		began := time.Now()
		resp := send(t, s, buildRequest(ctx, news))
		q, err := s.WaitRequest(t.Context(), func(q sandbox.Request) bool { return !q.ClientLeft.IsZero() })
		if err != nil {
			t.Fatal(err)
		}
		if left := q.ClientLeft.Sub(began); left != time.Second {
			t.Errorf("the client left after %v, want 1s", left)
		}
		resp.Body.Close()
		<-time.After(time.Minute) // longer than a build that goes on would take
		if n := len(ok(t, s, "GET", "/functions", "")["items"].([]any)); n != 0 {
			t.Errorf("the abandoned build uploaded %d functions", n)
		}
	})
}

func TestViewerURL(t *testing.T) {
	url := func(opts ...sandbox.Option) (got string) {
		inBubble(t, func(t *testing.T, s *sandbox.Server) {
			got = find(build(t, s, news), "notte_session_data")["viewer_url"].(string)
		}, append(opts, sandbox.WithSpeed(0))...)
		return got
	}
	if got := url(); !strings.HasPrefix(got, "http://sandbox.test/viewer/") || !strings.Contains(got, "?token=") {
		t.Errorf("from the host: %s", got)
	}
	if got := url(sandbox.WithBaseURL("https://demo.test:8809/")); !strings.HasPrefix(got, "https://demo.test:8809/viewer/") {
		t.Errorf("from the base URL: %s", got)
	}
	if a, b := url(sandbox.WithSeed(7)), url(sandbox.WithSeed(7)); a != b {
		t.Errorf("the same seed made %s and %s", a, b)
	}
	if a, b := url(), url(); a == b {
		t.Errorf("without a seed two sessions are %s", a)
	}
}

func TestCloseEndsBuilds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := sandbox.New()
		s.Script("quiet", sandbox.Stall())
		resp := send(t, s, buildRequest(t.Context(), "quiet"))
		synctest.Wait()
		s.Close()
		if events := readAll(resp); events != "" {
			t.Errorf("a closed stream brought %q", events)
		}
		if _, err := s.Client().Do(buildRequest(t.Context(), "quiet")); err == nil {
			t.Error("a closed Server took a request")
		}
		s.Close()
	})
}
