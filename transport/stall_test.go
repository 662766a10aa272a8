package transport

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

func cancellation(id int, reason string) string {
	return fmt.Sprintf(`{"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":%d,"reason":%q}}`+"\n", id, reason)
}

// TestStdioStalledWrite has a client that does not read. The server reads its
// messages, and cancels its calls at once. Of a cancelled call it writes only the
// message that it was writing.
func TestStdioStalledWrite(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFakeServer()
		in, toServer := io.Pipe()
		fromServer, out := io.Pipe()
		served := make(chan error, 1)
		go func() {
			served <- ServeStdio(t.Context(), f.srv, in, out, StdioOptions{OnStop: f.stop})
			out.Close()
		}()
		start := time.Now()
		for _, line := range []string{
			request(1, 1, `{"name":"one","updates":2,"wait":"1h"}`), // its first update stalls
			`{"jsonrpc":"2.0","id":2,"method":"ping"}` + "\n",
			request(3, 3, `{"name":"three","wait":"1h"}`),
			cancellation(1, "first"), cancellation(3, "second"), "not JSON\n",
		} {
			io.WriteString(toServer, line)
			synctest.Wait()
		}
		if got, want := fmt.Sprint(f.notes()), "[three context: the client cancelled the call: second]"; got != want || time.Since(start) != 0 {
			t.Errorf("after %s got %s, want %s at once", time.Since(start), got, want)
		}
		toServer.Close()
		got, _ := io.ReadAll(fromServer)
		want := `{"jsonrpc":"2.0","method":"notifications/progress","params":{"progressToken":1,"progress":1,"message":"step 1"}}` + "\n" +
			`{"jsonrpc":"2.0","id":2,"result":{}}` + "\n" +
			`{"jsonrpc":"2.0","id":null,"error":{"code":-32700,"message":"The message is not valid JSON."}}` + "\n"
		if string(got) != want {
			t.Errorf("wrote %s", got)
		}
		if err := <-served; err != nil {
			t.Error(err)
		}
		if got, want := fmt.Sprint(f.notes()), "[one update: the call has been answered or cancelled one context: the client cancelled the call: first]"; got != want {
			t.Errorf("got %s, want %s", got, want)
		}
	})
}

// TestStdioAnswersAreBounded has a client that sends 300 pings and reads nothing.
// The server stops reading at 256 answers. When the client reads, all 300 come in
// order.
func TestStdioAnswersAreBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const pings = 300
		in, toServer := io.Pipe()
		fromServer, out := io.Pipe()
		s := newStdio(newFakeServer().srv, in, out, StdioOptions{})
		s.in.r = bufio.NewReaderSize(in, 16) // so that it reads nothing ahead
		go func() {
			s.serve(t.Context())
			out.Close()
		}()
		sent := 0
		go func() {
			for ; sent < pings; sent++ {
				fmt.Fprintf(toServer, `{"jsonrpc":"2.0","id":%d,"method":"ping"}`+"\n", sent)
			}
			toServer.Close()
		}()
		synctest.Wait()
		if sent < maxQueue || sent > maxQueue+4 {
			t.Errorf("read %d messages while the client reads no answers, want about %d", sent, maxQueue)
		}
		answered := 0
		for lines := bufio.NewScanner(fromServer); lines.Scan(); answered++ {
			if want := fmt.Sprintf(`{"jsonrpc":"2.0","id":%d,"result":{}}`, answered); lines.Text() != want {
				t.Fatalf("answer %d is %s", answered, lines.Text())
			}
		}
		if answered != pings {
			t.Errorf("%d pings were answered, want %d", answered, pings)
		}
	})
}

// TestHTTPStalledWrite has a client that does not read the stream of a call. A
// cancellation of the call, or a DELETE of the session, is answered at once.
func TestHTTPStalledWrite(t *testing.T) {
	for _, tt := range []struct{ name, method, body, cause string }{
		{"cancellation", http.MethodPost, cancellation(1, "no patience"), "the client cancelled the call: no patience"},
		{"end of the session", http.MethodDelete, "", "the client cancelled the call: its session was ended"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				f := newFakeServer()
				dial, stop := serveInBubble(t, newHTTP(t, f, HTTPOptions{}))
				client := &http.Client{Transport: &http.Transport{DialContext: func(context.Context, string, string) (net.Conn, error) { return dial(), nil }}}
				defer client.CloseIdleConnections()
				session := begin(t, client, "http://127.0.0.1")
				send := func(method, body string) *http.Request {
					req, err := http.NewRequestWithContext(t.Context(), method, "http://127.0.0.1/mcp", strings.NewReader(body))
					if err != nil {
						t.Fatal(err)
					}
					req.Header = http.Header{"Content-Type": {"application/json"}, "Accept": {"text/event-stream"}, "Mcp-Session-Id": {session}}
					return req
				}
				stalled := dial()
				defer stalled.Close()
				if err := send(http.MethodPost, request(1, 1, `{"name":"one","updates":2,"wait":"1h"}`)).Write(stalled); err != nil {
					t.Fatal(err)
				}
				synctest.Wait()
				start := time.Now()
				resp, err := client.Do(send(tt.method, tt.body))
				if err != nil {
					t.Fatal(err)
				}
				resp.Body.Close()
				if resp.StatusCode >= 300 || time.Since(start) != 0 {
					t.Errorf("answered with %s after %s", resp.Status, time.Since(start))
				}
				time.Sleep(writeTimeout)
				synctest.Wait()
				if got := f.notes(); len(got) != 2 || got[1] != "one context: "+tt.cause {
					t.Errorf("the call saw %q", got)
				}
				if err := stop(); err != nil {
					t.Error(err)
				}
			})
		})
	}
}
