package transport

import (
	"bufio"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"runtime"
	"strings"
	"testing"
)

// TestWaitingCalls checks that calls which have deferred their wait keep neither
// their messages nor the frames of mcp-go.
func TestWaitingCalls(t *testing.T) {
	const calls, size = 4, 512 << 10
	arguments := `{"defer":true,"updates":1,"wait":"1h","pad":"` + strings.Repeat("x", size) + `"}`
	f := newFakeServer()
	s := httptest.NewServer(newHTTP(t, f, HTTPOptions{}))
	defer s.Close()
	defer f.stop()
	in, toServer := io.Pipe()
	fromServer, out := io.Pipe()
	go ServeStdio(t.Context(), f.srv, in, out, StdioOptions{})
	defer toServer.Close()
	answers := bufio.NewReader(fromServer)
	post := modernCall(t, s.URL, 1, arguments)
	for name, start := range map[string]func(id int) error{
		"stdio": func(id int) error {
			if _, err := io.WriteString(toServer, request(id, id, arguments)); err != nil {
				return err
			}
			_, err := answers.ReadString('\n')
			return err
		},
		"HTTP": func(int) error {
			body, err := post.GetBody() // the client holds the text once
			if err != nil {
				return err
			}
			again := post.Clone(t.Context())
			again.Body = body
			resp, err := s.Client().Do(again)
			if err != nil {
				return err
			}
			t.Cleanup(func() { resp.Body.Close() })
			_, err = bufio.NewReader(resp.Body).ReadString('\n')
			return err
		},
	} {
		t.Run(name, func(t *testing.T) {
			before := heapBytes()
			for id := range calls {
				if err := start(id); err != nil {
					t.Fatal(err)
				}
			}
			if grown := heapBytes() - before; grown > calls*size/4 {
				t.Errorf("%d waiting calls of %d bytes keep %d bytes", calls, size, grown)
			}
			stacks := make([]byte, 1<<20)
			if strings.Contains(string(stacks[:runtime.Stack(stacks, true)]), "HandleMessage") {
				t.Error("a waiting call is below mcp-go")
			}
		})
	}
}

// heapBytes returns the size of all reachable objects.
func heapBytes() int64 {
	runtime.GC()
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc)
}

// TestAnsweredIDIsFree checks that a client which has read an answer may use the
// request's ID again.
func TestAnsweredIDIsFree(t *testing.T) {
	f := newFakeServer()
	s := httptest.NewServer(newHTTP(t, f, HTTPOptions{}))
	defer s.Close()
	s.Client().Transport.(*http.Transport).DisableKeepAlives = true
	session := begin(t, s.Client(), s.URL)
	in, toServer := io.Pipe()
	fromServer, out := io.Pipe()
	go ServeStdio(t.Context(), f.srv, in, out, StdioOptions{})
	defer toServer.Close()
	lines := bufio.NewReader(fromServer)
	for n := range 200 {
		resp := sessionRequest(t, s, http.MethodPost, session, request(1, 1, `{}`))
		overHTTP, err := io.ReadAll(resp.Body)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := io.WriteString(toServer, request(1, 1, `{}`)); err != nil {
			t.Fatal(err)
		}
		overStdio, err := lines.ReadString('\n')
		if err != nil {
			t.Fatal(err)
		}
		if want := `{"jsonrpc":"2.0","id":1,"result":{"content":[{"type":"text","text":"done"}]}}` + "\n"; string(overHTTP) != want || overStdio != want {
			t.Fatalf("call %d was answered with %s and %s", n, fmt.Sprintf("%.200s", overHTTP), overStdio)
		}
	}
}
