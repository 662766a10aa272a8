package sandbox_test

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/anything-mcp/anything-mcp/notte/sandbox"
)

// inV2 calls f with a Server of the v2 contract inside a synctest bubble.
func inV2(t *testing.T, f func(t *testing.T, s *sandbox.Server), opts ...sandbox.Option) {
	t.Helper()
	inBubble(t, f, append([]sandbox.Option{sandbox.WithAPI(sandbox.V2)}, opts...)...)
}

// turn is the start of a build by the v2 contract.
type turn struct {
	Query    string `json:"query"`
	ThreadID string `json:"thread_id,omitempty"`
	Detach   bool   `json:"detach,omitempty"`
}

func (b turn) request(ctx context.Context) *http.Request {
	body, _ := json.Marshal(b)
	return request(ctx, "POST", "/api/anything/start", string(body))
}

// start starts a build and returns the status, the thread's ID and the body.
func start(t *testing.T, s *sandbox.Server, b turn) (status int, threadID, body string) {
	t.Helper()
	resp := send(t, s, b.request(t.Context()))
	data, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return resp.StatusCode, resp.Header.Get("X-Thread-Id"), string(data)
}

// functions returns the functions that are listed, the newest first.
func functions(t *testing.T, s *sandbox.Server) (all []map[string]any) {
	t.Helper()
	for _, item := range ok(t, s, "GET", "/functions?page_size=100", "")["items"].([]any) {
		all = append(all, item.(map[string]any))
	}
	return all
}

func TestFollowUpChangesTheFunction(t *testing.T) {
	inV2(t, func(t *testing.T, s *sandbox.Server) {
		_, thread, _ := start(t, s, turn{Query: news})
		first := functions(t, s)[0]
		for i := 2; i <= 4; i++ {
			<-time.After(time.Hour)
			if status, again, _ := start(t, s, turn{Query: fmt.Sprint("make it ", 10*i), ThreadID: thread}); status != 200 || again != thread {
				t.Fatalf("follow-up: %d, thread %s, want %s", status, again, thread)
			}
			all := functions(t, s)
			f := all[0]
			if len(all) != 1 || f["function_id"] != first["function_id"] || f["created_at"] != first["created_at"] || f["name"] != first["name"] {
				t.Errorf("got %v, first %v", all, first)
			}
			if f["latest_version"] != fmt.Sprint(i) || len(f["versions"].([]any)) != i || f["updated_at"].(string) <= first["updated_at"].(string) {
				t.Errorf("turn %d: %v", i, f)
			}
			if want := fmt.Sprintf("[map[default:%d name:count type:int]]", 10*i); fmt.Sprint(f["variables"]) != want {
				t.Errorf("variables %v, want %s", f["variables"], want)
			}
		}
	})
}

func TestFollowUpMakesAFunctionIfThereIsNone(t *testing.T) {
	for name, prepare := range map[string]func(t *testing.T, s *sandbox.Server) (thread string){
		"the first turn made none": func(t *testing.T, s *sandbox.Server) string {
			_, thread, _ := start(t, s, turn{Query: "x [sandbox:nofunction]"})
			return thread
		},
		"it was deleted": func(t *testing.T, s *sandbox.Server) string {
			_, thread, _ := start(t, s, turn{Query: "x"})
			ok(t, s, "DELETE", "/functions/"+functions(t, s)[0]["function_id"].(string), "")
			return thread
		},
		"the thread is new": func(t *testing.T, s *sandbox.Server) string {
			s.AddThread("t", "")
			return "t"
		},
		"a script began the thread": func(t *testing.T, s *sandbox.Server) string {
			s.Script("x", sandbox.Thread("t"), sandbox.Done())
			start(t, s, turn{Query: "x"})
			return "t"
		},
	} {
		t.Run(name, func(t *testing.T) {
			inV2(t, func(t *testing.T, s *sandbox.Server) {
				thread := prepare(t, s)
				if n := len(functions(t, s)); n != 0 {
					t.Fatalf("%d functions before the follow-up", n)
				}
				start(t, s, turn{Query: "list books", ThreadID: thread})
				if all := functions(t, s); len(all) != 1 || all[0]["latest_version"] != "1" || all[0]["name"] != "list-books" {
					t.Errorf("got %v", all)
				}
			})
		})
	}
}

func TestFollowUpOfAnAddedFunction(t *testing.T) {
	inV2(t, func(t *testing.T, s *sandbox.Server) {
		id := s.AddFunction(sandbox.Function{Name: "mine", Run: &sandbox.Outcome{Result: 7}, ResponseFormat: object("type", "integer")})
		s.AddThread("t", id)
		_, _, body := start(t, s, turn{Query: "and more", ThreadID: "t"})
		f := ok(t, s, "GET", "/functions/"+id, "")
		if f["latest_version"] != "2" || f["name"] != "mine" || fmt.Sprint(f["response_format"]) != "map[type:integer]" || !strings.Contains(body, id) {
			t.Errorf("got %v", f)
		}
		if run := ok(t, s, "POST", "/functions/"+id+"/runs/start", startBody(id, `{}`, false)); run["result"] != 7.0 {
			t.Errorf("its run: %v", run)
		}
	})
}

func TestBusyThread(t *testing.T) {
	inV2(t, func(t *testing.T, s *sandbox.Server) {
		_, thread, _ := start(t, s, turn{Query: "x"})
		var all sync.WaitGroup
		statuses := make(chan int, 10)
		for i := range 10 {
			all.Go(func() {
				status, _, _ := start(t, s, turn{Query: fmt.Sprint("and ", i), ThreadID: thread, Detach: i%2 == 0})
				statuses <- status
			})
		}
		all.Wait()
		close(statuses)
		count := make(map[int]int)
		for status := range statuses {
			count[status]++
		}
		if count[409] != 9 || count[200]+count[202] != 1 {
			t.Errorf("statuses of ten follow-ups at once: %v", count)
		}
		<-time.After(time.Minute)
		if f := functions(t, s)[0]; f["latest_version"] != "2" {
			t.Errorf("got version %v", f["latest_version"])
		}
	})
}

func TestScriptKeepsItsThreadBusy(t *testing.T) {
	inV2(t, func(t *testing.T, s *sandbox.Server) {
		s.Script("first", sandbox.Thread("t"), sandbox.Stall())
		s.Script("second", sandbox.Stall())
		for _, b := range []turn{{Query: "first"}, {Query: "second", ThreadID: "t"}} {
			ctx, leave := context.WithCancel(t.Context())
			resp := send(t, s, b.request(ctx))
			if status, _, body := start(t, s, turn{Query: "third", ThreadID: "t"}); status != 409 {
				t.Errorf("during %s: %d %s", b.Query, status, body)
			}
			leave()
			resp.Body.Close()
			synctest.Wait()
		}
		if status, _, body := start(t, s, turn{Query: "third", ThreadID: "t"}); status != 200 {
			t.Errorf("after the scripts: %d %s", status, body)
		}
	})
}

// TestBuildGoesOnWithoutItsClient checks that a v2 build makes its function
// whether or not its client stays, and no earlier than it says.
func TestBuildGoesOnWithoutItsClient(t *testing.T) {
	inV2(t, func(t *testing.T, s *sandbox.Server) {
		ctx, leave := context.WithTimeout(t.Context(), time.Second)
		defer leave()
		began := time.Now()
		resp := send(t, s, turn{Query: news}.request(ctx))
		io.Copy(io.Discard, resp.Body)
		for len(functions(t, s)) == 0 {
			<-time.After(100 * time.Millisecond)
		}
		took := time.Since(began)
		f := functions(t, s)[0]
		created, err := time.Parse(time.RFC3339, f["created_at"].(string))
		if err != nil || took < 4*time.Second || took > 6*time.Second || created.Sub(began) > took {
			t.Errorf("the function was there after %v, created after %v, %v", took, created.Sub(began), err)
		}
		if status, _, _ := start(t, s, turn{Query: "and more", ThreadID: resp.Header.Get("X-Thread-Id")}); status != 409 {
			t.Errorf("a follow-up before the end of the turn: %d", status)
		}
		<-time.After(time.Hour)
		if later := functions(t, s)[0]; later["created_at"] != f["created_at"] {
			t.Errorf("created_at changed from %v to %v", f["created_at"], later["created_at"])
		}
	})
}

func TestDetachedEndings(t *testing.T) {
	for ending, uploads := range map[string]bool{"": true, "error": false, "timeout": true, "cancelled": true, "nofunction": false, "cut": true} {
		inV2(t, func(t *testing.T, s *sandbox.Server) {
			status, thread, body := start(t, s, turn{Query: "x [sandbox:" + ending + "]", Detach: true})
			if status != 202 || !strings.Contains(body, thread) {
				t.Errorf("%s: %d %s", ending, status, body)
			}
			<-time.After(time.Minute)
			if n := len(functions(t, s)); (n == 1) != uploads {
				t.Errorf("%s: %d functions", ending, n)
			}
		})
	}
}

func TestV2Endings(t *testing.T) {
	for ending, want := range map[string][]string{ // parts of the body, in order
		"":          {`"type":"data-session"`, `"viewer_url"`, `"type":"data-function"`, `"total_cost_usd"`, "[DONE]"},
		"error":     {`"errorText":"Agent failed`, `"finishReason":"error"`, `"total_cost_usd"`, "[DONE]"},
		"lateerror": {`"errorText"`, `"type":"data-function"`, `"finishReason":"stop"`, "[DONE]"},
		"timeout":   {`"type":"data-function"`, `"type":"abort","reason":"timeout: `, "[DONE]"},
		"cancelled": {`"type":"abort","reason":"user_cancelled"`, "[DONE]"},
	} {
		inV2(t, func(t *testing.T, s *sandbox.Server) {
			_, _, body := start(t, s, turn{Query: "x [sandbox:" + ending + "]"})
			rest := body
			for _, part := range want {
				var found bool
				if _, rest, found = strings.Cut(rest, part); !found {
					t.Errorf("%q: no %s at its place in\n%s", ending, part, body)
				}
			}
		}, sandbox.WithSpeed(0))
	}
}

func TestMisusePanics(t *testing.T) {
	odd := []any{"id"}
	for name, f := range map[string]func(){
		"API":                   func() { sandbox.WithAPI("v3") },
		"chunk without a value": func() { sandbox.Chunk("text-delta", odd...) },
		"chunk with a number":   func() { sandbox.Chunk("text-delta", 1, 2) },
		"chunk with a value":    func() { sandbox.Chunk("text-delta", "id", make(chan int)) },
	} {
		func() {
			defer func() {
				if recover() == nil {
					t.Errorf("%s: no panic", name)
				}
			}()
			f()
		}()
	}
}
