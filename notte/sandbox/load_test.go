package sandbox_test

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"runtime"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"unicode/utf8"

	"github.com/anything-mcp/anything-mcp/notte/sandbox"
)

// TestConcurrency makes many requests at once over real connections, for the race
// detector.
func TestConcurrency(t *testing.T) {
	s := sandbox.New(sandbox.WithSpeed(1000))
	server := httptest.NewServer(s)
	defer server.Close()
	defer s.Close()
	id := s.AddFunction(sandbox.Function{Run: &sandbox.Outcome{Logs: []string{"a"}}})
	var all sync.WaitGroup
	for i := range 40 {
		all.Go(func() {
			s.Script(fmt.Sprint("scripted ", i), sandbox.Repeat(10, sandbox.Event(i)))
			for _, r := range []*http.Request{
				buildRequest(t.Context(), fmt.Sprint("list ", i, " books")),
				buildRequest(t.Context(), fmt.Sprint("scripted ", i)),
				request(t.Context(), "POST", "/functions/"+id+"/runs/start", startBody(id, `{}`, i%2 == 0)),
				request(t.Context(), "GET", "/functions/"+id+"/runs", ""),
				request(t.Context(), "GET", "/functions?page_size=100", ""),
			} {
				r.URL.Host = strings.TrimPrefix(server.URL, "http://")
				resp, err := http.DefaultClient.Do(r)
				if err != nil {
					t.Error(err)
					return
				}
				if _, err := io.Copy(io.Discard, resp.Body); err != nil || resp.StatusCode != 200 {
					t.Errorf("%s: %s, %v", r.URL.Path, resp.Status, err)
				}
				resp.Body.Close()
			}
		})
	}
	all.Wait()
	if n := len(s.Requests()); n != 200 {
		t.Errorf("%d requests recorded", n)
	}
}

// TestBounds checks that what is kept is bounded and that the oldest goes first.
func TestBounds(t *testing.T) {
	s := sandbox.New()
	defer s.Close()
	for i := range 1001 {
		s.AddFunction(sandbox.Function{ID: fmt.Sprint("f", i)})
	}
	for id, want := range map[string]int{"f0": 404, "f1": 200, "f1000": 200} {
		w := httptest.NewRecorder()
		s.ServeHTTP(w, request(t.Context(), "GET", "/functions/"+id, ""))
		if w.Code != want {
			t.Errorf("%s: %d", id, w.Code)
		}
	}
	first, err := s.AddRun("f1", sandbox.Outcome{})
	if err != nil {
		t.Fatal(err)
	}
	for range 1000 {
		if _, err := s.AddRun("f1", sandbox.Outcome{After: -1}); err != nil {
			t.Fatal(err)
		}
	}
	if err := s.EndRun(first, sandbox.Outcome{}); err == nil || !strings.Contains(err.Error(), "no run") {
		t.Errorf("the oldest run: %v", err)
	}
	for range 10_010 {
		s.ServeHTTP(httptest.NewRecorder(), request(t.Context(), "GET", "/health", ""))
	}
	if all := s.Requests(); len(all) != 10_000 || all[0].Path != "/health" {
		t.Errorf("%d requests, the oldest %s", len(all), all[0].Path)
	}
	body := strings.Repeat(" ", 1<<20)
	for range 40 {
		s.ServeHTTP(httptest.NewRecorder(), request(t.Context(), "POST", "/nothing", body))
	}
	if all := s.Requests(); len(all) != 32 {
		t.Errorf("%d large requests", len(all))
	}
}

func TestServerIsClosed(t *testing.T) {
	s := sandbox.New()
	s.Close()
	w := httptest.NewRecorder()
	s.ServeHTTP(w, request(t.Context(), "GET", "/health", ""))
	if w.Code != http.StatusServiceUnavailable {
		t.Errorf("a closed Server answers %d", w.Code)
	}
}

// A bubble panics if Close leaves a goroutine behind.
func TestCloseLeavesNothing(t *testing.T) {
	for range 20 {
		synctest.Test(t, func(t *testing.T) {
			s := sandbox.New()
			s.Script("q", sandbox.Stall())
			for range 5 {
				resp, err := s.Client().Do(buildRequest(context.Background(), "q"))
				if err != nil {
					t.Fatal(err)
				}
				defer resp.Body.Close()
			}
			s.Close()
		})
	}
}

func TestNamesAndVariables(t *testing.T) {
	for _, test := range []struct{ query, name, variables string }{
		{news, "fetch-top-hacker-news-posts", `count=3`},
		{"Get 12 rows of https://a.test/2024/5?q=7, please.", "get-rows", `count=12 url='https://a.test/2024/5?q=7'`},
		{"Summarise www.example.co.uk/path!", "summarise", `url='https://www.example.co.uk/path'`},
		{"Die Züge nach Köln", "die-züge-nach-köln", `query='Die Züge nach Köln'`},
		{"7", "automation", `count=7`},
		{"??", "automation", `query='??'`},
		{"the price of 12345678901 shares", "price-12345678901-shares", `query='the price of 12345678901 shares'`},
		{"see http://[bad now", "see-http-bad-now", `query='see http://[bad now'`},
		{strings.Repeat("abcdefghij ", 9), "abcdefghij-abcdefghij-abcdefghij-abcdefghij-abcd", `query='` + strings.TrimSpace(strings.Repeat("abcdefghij ", 9)) + `'`},
	} {
		t.Run(test.query, func(t *testing.T) {
			inBubble(t, func(t *testing.T, s *sandbox.Server) {
				got := ok(t, s, "GET", "/functions/"+built(t, s, test.query), "")
				var variables []string
				for _, v := range got["variables"].([]any) {
					v := v.(map[string]any)
					variables = append(variables, fmt.Sprint(v["name"], "=", v["default"]))
				}
				if got["name"] != test.name || strings.Join(variables, " ") != test.variables {
					t.Errorf("got %q, %q", got["name"], variables)
				}
			}, sandbox.WithSpeed(0))
		})
	}
}

// FuzzDemo checks that any query leads to a whole build whose function runs.
func FuzzDemo(f *testing.F) {
	for _, query := range []string{news, "?", "http://", "a.b/c 007", "\x00\u202e\"'\\", "[sandbox:broken]", "x\xff", "http://%zz"} {
		f.Add(query)
	}
	f.Fuzz(func(t *testing.T, query string) {
		if strings.TrimSpace(strings.ToValidUTF8(query, "\ufffd")) == "" || len(query) > 10_000 || strings.Contains(query, "[sandbox:") {
			t.Skip()
		}
		for _, api := range []sandbox.API{sandbox.V1, sandbox.V2} {
			s := sandbox.New(sandbox.WithSpeed(0), sandbox.WithAPI(api))
			defer s.Close()
			w := httptest.NewRecorder()
			s.ServeHTTP(w, buildRequest(t.Context(), query))
			id, name := builtFunction(t, api, w.Body)
			if n := utf8.RuneCountInString(name); n == 0 || n > 48 || strings.ContainsAny(name, "/\\\"' \n") {
				t.Errorf("%s: name %q", api, name)
			}
			w = httptest.NewRecorder()
			s.ServeHTTP(w, request(t.Context(), "POST", "/functions/"+id+"/runs/start", startBody(id, `{}`, false)))
			var run struct{ Result struct{ Sandbox bool } }
			if err := json.Unmarshal(w.Body.Bytes(), &run); err != nil || !run.Result.Sandbox {
				t.Errorf("%s: run: %d %s", api, w.Code, w.Body)
			}
		}
	})
}

// builtFunction returns the function that a whole build has told.
func builtFunction(t *testing.T, api sandbox.API, body io.Reader) (id, name string) {
	t.Helper()
	data, err := io.ReadAll(body)
	if err != nil {
		t.Fatal(err)
	}
	stream, whole := strings.CutSuffix(string(data), "data: [DONE]\n\n")
	events := readEvents(t, strings.NewReader(stream))
	told := find(events, "function_uploaded")
	if api == sandbox.V2 {
		told, _ = find(events, "data-function")["data"].(map[string]any)
	} else {
		whole = find(events, "done") != nil
	}
	if told == nil || !whole {
		t.Fatalf("%s: got %s", api, data)
	}
	return told["function_id"].(string), told["function_name"].(string)
}

// BenchmarkDeltas reads one stream of 100,000 deltas of about 50 bytes.
func BenchmarkDeltas(b *testing.B) {
	s := sandbox.New()
	server := httptest.NewServer(s)
	defer server.Close()
	defer s.Close()
	delta := sandbox.Event(map[string]string{"type": "text_delta", "delta": "a few words"})
	s.Script("large", sandbox.Batch(sandbox.Repeat(100_000, delta)))
	for b.Loop() {
		r := buildRequest(b.Context(), "large")
		r.URL.Host = strings.TrimPrefix(server.URL, "http://")
		resp, err := http.DefaultClient.Do(r)
		if err != nil {
			b.Fatal(err)
		}
		n, err := io.Copy(io.Discard, resp.Body)
		resp.Body.Close()
		if err != nil {
			b.Fatal(err)
		}
		b.SetBytes(n)
	}
}

// BenchmarkQuietBuild measures the memory of one quiet build among 1,000, its
// client included.
func BenchmarkQuietBuild(b *testing.B) {
	s := sandbox.New()
	s.Script("quiet", sandbox.Event(map[string]string{"type": "status", "status": "running"}), sandbox.Stall())
	client := s.Client()
	ctx, cancel := context.WithCancel(b.Context())
	const builds = 1000
	var total int64
	rounds := 0
	for b.Loop() {
		rounds++
		before := memory()
		for range builds {
			if _, err := client.Do(buildRequest(ctx, "quiet")); err != nil {
				b.Fatal(err)
			}
		}
		total += memory() - before
	}
	b.ReportMetric(float64(total)/float64(rounds*builds)/1024, "KiB/build")
	cancel()
	s.Close()
}

func memory() int64 {
	var m runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&m)
	return int64(m.HeapInuse + m.StackInuse)
}
