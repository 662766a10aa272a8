package transport

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// serveInBubble serves h over pipes until the test ends.
func serveInBubble(t *testing.T, h *HTTP) (dial func() net.Conn, stop func() error) {
	ln := newPipeListener()
	ctx, cancel := context.WithCancel(t.Context())
	served := make(chan error, 1)
	go func() { served <- h.Serve(ctx, ln) }()
	dial = func() net.Conn {
		conn, err := ln.dial(ctx, "", "")
		if err != nil {
			t.Fatal(err)
		}
		return conn
	}
	return dial, func() error { cancel(); return <-served }
}

// TestSlowClients checks that a client which sends nothing more loses its
// connection, and when.
func TestSlowClients(t *testing.T) {
	const head = "POST /mcp HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\n"
	for _, tt := range []struct {
		name, send, want string
		after            time.Duration
	}{
		{"headers", "POST /mcp HTTP/1.1\r\nHost: 127", "", 10 * time.Second},
		{"body", head + "Content-Length: 100\r\n\r\n{", "HTTP/1.1 408 Request Timeout", 30 * time.Second},
		{"chunked body", head + "Transfer-Encoding: chunked\r\n\r\n1\r\n{\r\n", "HTTP/1.1 408 Request Timeout", 30 * time.Second},
		{"idle", "GET /healthz HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n", "HTTP/1.1 200 OK", 2 * time.Minute},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				dial, stop := serveInBubble(t, newHTTP(t, newFakeServer(), HTTPOptions{}))
				conn := dial()
				start := time.Now()
				go io.WriteString(conn, tt.send)
				got, err := io.ReadAll(conn)
				if status, _, _ := strings.Cut(string(got), "\r\n"); status != tt.want || err != nil {
					t.Errorf("got %q, %v", got, err)
				}
				if d := time.Since(start).Truncate(time.Second); d != tt.after {
					t.Errorf("the connection ended after %s, want %s", d, tt.after)
				}
				if err := stop(); err != nil {
					t.Error(err)
				}
			})
		})
	}
}

// TestBrokenBody checks the answer to a request that ends in the middle of its
// body.
func TestBrokenBody(t *testing.T) {
	const head = "POST /mcp HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\n"
	s := httptest.NewServer(newHTTP(t, newFakeServer(), HTTPOptions{}))
	defer s.Close()
	for name, request := range map[string]string{
		"too short":        head + "Content-Length: 100\r\n\r\n{",
		"no body":          head + "Content-Length: 100\r\n\r\n",
		"chunks cut":       head + "Transfer-Encoding: chunked\r\n\r\n5\r\n{",
		"no last chunk":    head + "Transfer-Encoding: chunked\r\n\r\n1\r\n{\r\n",
		"no size of chunk": head + "Transfer-Encoding: chunked\r\n\r\nzz\r\n{\r\n0\r\n\r\n",
	} {
		t.Run(name, func(t *testing.T) {
			conn, err := net.Dial("tcp", s.Listener.Addr().String())
			if err != nil {
				t.Fatal(err)
			}
			defer conn.Close()
			if _, err := io.WriteString(conn, request); err != nil {
				t.Fatal(err)
			}
			if err := conn.(*net.TCPConn).CloseWrite(); err != nil {
				t.Fatal(err)
			}
			got, err := io.ReadAll(conn)
			if err != nil || !strings.HasPrefix(string(got), "HTTP/1.1 400 Bad Request\r\n") ||
				!strings.HasSuffix(string(got), `{"jsonrpc":"2.0","id":null,"error":{"code":-32000,"message":"The request was cut off before its end."}}`+"\n") {
				t.Errorf("got %s, %v", got, err)
			}
		})
	}
}

// TestStalledReader checks that the call of a client that does not read ends.
func TestStalledReader(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFakeServer()
		dial, stop := serveInBubble(t, newHTTP(t, f, HTTPOptions{}))
		conn := dial()
		defer conn.Close()
		if err := modernCall(t, "http://127.0.0.1", 1, `{"name":"one","updates":3,"wait":"1h"}`).Write(conn); err != nil {
			t.Fatal(err)
		}
		time.Sleep(writeTimeout)
		synctest.Wait()
		got := f.notes()
		if len(got) != 2 || !strings.HasPrefix(got[0], "one update: ") || got[1] != "one context: context canceled" {
			t.Errorf("the call saw %q", got)
		}
		if err := stop(); err != nil {
			t.Error(err)
		}
	})
}

// TestStopWithUnusedConnection checks that a stop does not wait for a connection
// that has not asked for anything.
func TestStopWithUnusedConnection(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		dial, stop := serveInBubble(t, newHTTP(t, newFakeServer(), HTTPOptions{}))
		defer dial().Close()
		synctest.Wait()
		start := time.Now()
		if err := stop(); err != nil || time.Since(start) > 2*time.Second {
			t.Errorf("ended after %s: %v", time.Since(start), err)
		}
	})
}

func TestServeFails(t *testing.T) {
	ln := newPipeListener()
	ln.Close()
	f := newFakeServer()
	if err := newHTTP(t, f, HTTPOptions{OnStop: f.stop}).Serve(t.Context(), ln); !errors.Is(err, net.ErrClosed) {
		t.Errorf("got %v", err)
	}
	<-f.quit
}
