package transport

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/mark3labs/mcp-go/mcp"
)

// listenRequest asks for notices about tools.
func listenRequest(id any) string {
	return fmt.Sprintf(`{"jsonrpc":"2.0","id":%v,"method":"subscriptions/listen","params":{"notifications":{"toolsListChanged":true},%s}}`+"\n", id, modernMeta)
}

// TestManyListens checks that the 65th subscription over stdio is refused in words, and
// that a stop ends the others with their results.
func TestManyListens(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f, _ := newFakeToolbox()
		in, toServer := io.Pipe()
		defer toServer.Close()
		out := &recorder{}
		ctx, stop := context.WithCancel(t.Context())
		served := make(chan error, 1)
		go func() { served <- ServeStdio(ctx, f.srv, in, out, StdioOptions{MaxCalls: 1, Toolbox: f.toolbox}) }()
		for id := range maxListensStdio {
			io.WriteString(toServer, listenRequest(id))
		}
		synctest.Wait()
		if n := strings.Count(out.take(), "acknowledged"); n != maxListensStdio {
			t.Errorf("%d subscriptions were acknowledged, want %d", n, maxListensStdio)
		}
		io.WriteString(toServer, listenRequest(`"one more"`))
		synctest.Wait()
		want := `{"jsonrpc":"2.0","id":"one more","error":{"code":-32000,"message":"64 subscriptions are open, and this server allows no more at once. Try again when some have ended."}}` + "\n"
		if got := out.take(); got != want {
			t.Errorf("got %s", got)
		}
		io.WriteString(toServer, request(100, 0, `{}`)) // does not wait for them
		synctest.Wait()
		if got := out.take(); !strings.Contains(got, "done") {
			t.Errorf("a call was answered with %s", got)
		}
		start := time.Now()
		stop()
		if err := <-served; err != nil || time.Since(start) > 0 {
			t.Errorf("the server stopped after %s: %v", time.Since(start), err)
		}
		got := out.take()
		for id := range maxListensStdio {
			if !strings.Contains(got, fmt.Sprintf(`"io.modelcontextprotocol/subscriptionId":%d},"resultType":"complete"`, id)) {
				t.Errorf("subscription %d has no result", id)
			}
		}
	})
}

// TestManyListensOverHTTP checks that the subscriptions over HTTP are bounded, and that
// one which its client has left makes room.
func TestManyListensOverHTTP(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f, _ := newFakeToolbox()
		h := newHTTP(t, f, HTTPOptions{Toolbox: f.toolbox, MaxCalls: 1})
		var journal lineJournal
		leave := make([]context.CancelFunc, maxListensHTTP)
		var open sync.WaitGroup
		listen := func(n int) (ctx context.Context) {
			ctx, leave[n] = context.WithCancel(t.Context())
			open.Go(func() { h.ServeHTTP(&journal, listenOverHTTP(ctx, n)) })
			return ctx
		}
		for n := range maxListensHTTP {
			listen(n)
		}
		synctest.Wait()
		journal.take()
		refused := httptest.NewRecorder()
		h.ServeHTTP(refused, listenOverHTTP(t.Context(), 1))
		if !strings.Contains(refused.Body.String(), "1000 subscriptions are open") {
			t.Errorf("got %s", refused.Body)
		}
		leave[7]()
		synctest.Wait()
		listen(7)
		synctest.Wait()
		if got := strings.Join(journal.take(), ""); !strings.Contains(got, "acknowledged") {
			t.Errorf("got %s", got)
		}
		h.stop()
		open.Wait()
		if n := strings.Count(strings.Join(journal.take(), ""), `"resultType":"complete"`); n != maxListensHTTP {
			t.Errorf("%d subscriptions ended with a result, want %d", n, maxListensHTTP)
		}
	})
}

func listenOverHTTP(ctx context.Context, id int) *http.Request {
	r := httptest.NewRequestWithContext(ctx, http.MethodPost, "http://127.0.0.1:8808/mcp", strings.NewReader(listenRequest(id)))
	r.Header = http.Header{"Content-Type": {"application/json"}, "Accept": {"application/json, text/event-stream"},
		"Mcp-Protocol-Version": {"2026-07-28"}, "Mcp-Method": {"subscriptions/listen"}}
	return r
}

// lineJournal records in one order what is written to several responses.
type lineJournal struct {
	mu    sync.Mutex // guards lines
	lines []string
}

func (j *lineJournal) Header() http.Header { return make(http.Header) }

func (j *lineJournal) WriteHeader(int) {}

func (j *lineJournal) Flush() {}

func (j *lineJournal) Write(p []byte) (int, error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.lines = append(j.lines, string(p))
	return len(p), nil
}

func (j *lineJournal) take() []string {
	j.mu.Lock()
	defer j.mu.Unlock()
	lines := j.lines
	j.lines = nil
	return lines
}

// TestNoticeFollowsAnswer checks that no client learns of a change before the answer to
// the call that made it, although both are due at the same time.
func TestNoticeFollowsAnswer(t *testing.T) {
	pin := fmt.Sprintf(`{"jsonrpc":"2.0","id":7,"method":"tools/call","params":{"name":"pin","arguments":{"name":"x","after":%q}}}`+"\n", noticeDelay)
	check := func(t *testing.T, n int, written []string) {
		t.Helper()
		if notices := strings.Count(strings.Join(written, ""), "list_changed"); notices != 2 {
			t.Errorf("call %d: %d notices, want one on each of two streams", n, notices)
		}
		answer := slices.IndexFunc(written, func(s string) bool { return strings.Contains(s, `"id":7`) })
		notice := slices.IndexFunc(written, func(s string) bool { return strings.Contains(s, "list_changed") })
		if answer < 0 || notice < answer {
			t.Fatalf("call %d: written was %q", n, written)
		}
	}
	t.Run("stdio", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			f, _ := newFakeToolbox()
			in, toServer := io.Pipe()
			out := &recorder{}
			served := make(chan error, 1)
			go func() { served <- ServeStdio(t.Context(), f.srv, in, out, StdioOptions{Toolbox: f.toolbox}) }()
			io.WriteString(toServer, `{"jsonrpc":"2.0","method":"notifications/initialized"}`+"\n"+listenRequest(1))
			synctest.Wait()
			out.take()
			for n := range 100 {
				io.WriteString(toServer, pin)
				time.Sleep(2 * noticeDelay)
				check(t, n, slices.Collect(strings.Lines(out.take())))
			}
			toServer.Close()
			if err := <-served; err != nil {
				t.Error(err)
			}
		})
	})
	t.Run("HTTP", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			f, _ := newFakeToolbox()
			h := newHTTP(t, f, HTTPOptions{Toolbox: f.toolbox})
			session := h.sessions.begin(false)
			var journal lineJournal
			var open sync.WaitGroup
			open.Go(func() { h.ServeHTTP(&journal, listenOverHTTP(t.Context(), 1)) })
			open.Go(func() {
				r := httptest.NewRequest(http.MethodGet, "http://127.0.0.1:8808/mcp", nil)
				r.Header = http.Header{"Mcp-Session-Id": {session}}
				h.ServeHTTP(&journal, r)
			})
			synctest.Wait()
			journal.take()
			for n := range 100 {
				r := httptest.NewRequest(http.MethodPost, "http://127.0.0.1:8808/mcp", strings.NewReader(pin))
				r.Header = http.Header{"Mcp-Session-Id": {session}, "Content-Type": {"application/json"}}
				h.ServeHTTP(&journal, r)
				time.Sleep(2 * noticeDelay)
				check(t, n, journal.take())
			}
			h.stop()
			open.Wait()
		})
	})
}

// TestHubRaces has followers come and go while lists change and calls hold notices. One
// that stays learns of the last change of each list.
func TestHubRaces(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		_, b := newFakeToolbox()
		h := newHub(b)
		var told sync.Map
		stays := h.follow("", toolList|resourceList)
		var all sync.WaitGroup
		all.Go(func() {
			h.tell(t.Context(), stays, func(method string) error { told.Store(method, time.Now()); return nil })
		})
		for n := range 8 {
			all.Go(func() {
				for range 100 {
					pause := time.Duration(rand.Int64N(int64(noticeDelay)))
					switch rand.N(3) {
					case 0:
						f := h.follow([]string{"", "s"}[n%2], toolList)
						ctx, cancel := context.WithTimeout(t.Context(), pause)
						h.tell(ctx, f, func(string) error { return errors.New("the client is gone") })
						cancel()
						h.leave(f)
					case 1:
						h.hold()
						time.Sleep(pause)
						h.release()
					default:
						b.say(mcp.MethodNotificationToolsListChanged)
						time.Sleep(pause)
					}
				}
			})
		}
		time.Sleep(time.Minute) // all have ended
		last := time.Now()
		b.say(mcp.MethodNotificationToolsListChanged)
		b.say(mcp.MethodNotificationResourcesListChanged)
		time.Sleep(2 * noticeDelay)
		h.close()
		all.Wait()
		h.leave(stays)
		h.wait()
		for _, method := range noticeMethods {
			if at, ok := told.Load(method); !ok || at.(time.Time).Before(last) {
				t.Errorf("%s was not told", method)
			}
		}
	})
}
