package transport

import (
	"bufio"
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"math/big"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/mark3labs/mcp-go/server"
)

func newHTTP(t *testing.T, w *worker, opts HTTPOptions) *HTTP {
	t.Helper()
	if opts.Addr == "" {
		opts.Addr = "127.0.0.1:8808"
	}
	h, err := NewHTTP(w.srv, opts)
	if err != nil {
		t.Fatal(err)
	}
	return h
}

// modernCall is a stateless tools/call of work.
func modernCall(t testing.TB, url string, token int, arguments string) *http.Request {
	t.Helper()
	body := fmt.Sprintf(`{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"work","arguments":%s,"_meta":{"progressToken":%d,`+
		`"io.modelcontextprotocol/protocolVersion":"2026-07-28","io.modelcontextprotocol/clientCapabilities":{}}}}`, arguments, token)
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, url+"/mcp", strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	for name, value := range map[string]string{
		"Content-Type": "application/json", "Accept": "application/json, text/event-stream",
		"Mcp-Protocol-Version": "2026-07-28", "Mcp-Method": "tools/call", "Mcp-Name": "work",
	} {
		req.Header.Set(name, value)
	}
	return req
}

// begin opens a legacy session and returns its ID.
func begin(t *testing.T, client *http.Client, url string) string {
	t.Helper()
	resp, err := client.Post(url+"/mcp", "application/json", strings.NewReader(
		`{"jsonrpc":"2.0","id":0,"method":"initialize","params":{"protocolVersion":"2025-06-18","capabilities":{},"clientInfo":{"name":"c","version":"1"}}}`))
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	id := resp.Header.Get("Mcp-Session-Id")
	if id == "" {
		t.Fatalf("no session: %s", resp.Status)
	}
	return id
}

// events returns the data of an event stream, in order.
func events(r io.Reader) (data [][]byte) {
	lines := bufio.NewScanner(r)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		if d, ok := bytes.CutPrefix(lines.Bytes(), []byte("data: ")); ok {
			data = append(data, bytes.Clone(d))
		}
	}
	return data
}

// TestHTTPUpdatesInOrder has 20 calls send 10,000 updates at once, in each era
// and over each version of HTTP: each call finds its own on its own stream,
// none late, lost or out of order. All use the same token.
func TestHTTPUpdatesInOrder(t *testing.T) {
	const calls, updates = 20, 500
	w := newWorker()
	h := newHTTP(t, w, HTTPOptions{})
	plain, secure := httptest.NewServer(h), httptest.NewUnstartedServer(h)
	secure.EnableHTTP2 = true
	secure.StartTLS()
	defer plain.Close()
	defer secure.Close()
	for _, tt := range []struct {
		name   string
		server *httptest.Server
		legacy bool
	}{{"modern", plain, false}, {"legacy", plain, true}, {"HTTP/2", secure, false}} {
		t.Run(tt.name, func(t *testing.T) {
			var session string // the legacy calls share two
			var wg sync.WaitGroup
			for n := range calls {
				req := modernCall(t, tt.server.URL, 7, fmt.Sprintf(`{"updates":%d,"size":%d}`, updates, n))
				if tt.legacy {
					body := request(1+n, 7, fmt.Sprintf(`{"updates":%d,"size":%d}`, updates, n))
					req.Body, req.ContentLength = io.NopCloser(strings.NewReader(body)), int64(len(body))
					req.Header.Del("Mcp-Protocol-Version")
					if n%(calls/2) == 0 {
						session = begin(t, tt.server.Client(), tt.server.URL)
					}
					req.Header.Set("Mcp-Session-Id", session)
				}
				wg.Go(func() { checkUpdates(t, tt.server.Client(), req, updates, n) })
			}
			wg.Wait()
			if late := w.notes(); late != nil {
				t.Errorf("updates failed: %q", late)
			}
		})
	}
}

// checkUpdates does req and wants its updates, then a result of size letters.
func checkUpdates(t *testing.T, client *http.Client, req *http.Request, updates, size int) {
	resp, err := client.Do(req)
	if err != nil {
		t.Error(err)
		return
	}
	defer resp.Body.Close()
	got := events(resp.Body)
	if len(got) != updates+1 {
		t.Errorf("call %d got %d messages, want %d", size, len(got), updates+1)
		return
	}
	for i, line := range got[:updates] {
		if m := decode(t, line); m.Params.Progress != i+1 || string(m.Params.ProgressToken) != "7" {
			t.Errorf("call %d: message %d is %s", size, i, line)
			return
		}
	}
	if want := `"done` + strings.Repeat("x", size) + `"`; !strings.Contains(string(got[updates]), want) {
		t.Errorf("call %d got another's result: %s", size, got[updates])
	}
}

func TestBodyLimit(t *testing.T) {
	const limit = maxBody
	s := httptest.NewServer(newHTTP(t, newWorker(), HTTPOptions{}))
	defer s.Close()
	message := func(size int) []byte {
		const head, tail = `{"jsonrpc":"2.0","method":"m","params":{"x":"`, `"}}`
		return []byte(head + strings.Repeat("x", size-len(head)-len(tail)) + tail)
	}
	session := begin(t, s.Client(), s.URL)
	for _, tt := range []struct {
		name   string
		body   io.Reader
		expect string
		want   int
	}{
		{"at the limit", bytes.NewReader(message(limit)), "", 202},
		{"one more", bytes.NewReader(message(limit + 1)), "", 413},
		{"chunked, at the limit", io.MultiReader(bytes.NewReader(message(limit))), "", 202},
		{"chunked, one more", io.MultiReader(bytes.NewReader(message(limit + 1))), "", 413},
		{"chunked, a lot more", io.MultiReader(bytes.NewReader(message(3 * limit))), "", 413},
		{"asked first", bytes.NewReader(message(3 * limit)), "100-continue", 413},
		{"chunked, asked first", io.MultiReader(bytes.NewReader(message(3 * limit))), "100-continue", 413},
	} {
		t.Run(tt.name, func(t *testing.T) {
			req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, s.URL+"/mcp", tt.body)
			if err != nil {
				t.Fatal(err)
			}
			req.Header.Set("Content-Type", "application/json")
			req.Header.Set("Mcp-Session-Id", session)
			if tt.expect != "" {
				req.Header.Set("Expect", tt.expect)
			}
			resp, err := s.Client().Do(req)
			if err != nil {
				t.Fatal(err)
			}
			defer resp.Body.Close()
			if resp.StatusCode != tt.want {
				t.Errorf("got %s, want %d", resp.Status, tt.want)
			}
		})
	}
}

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

// TestSlowClients ends what would otherwise hold a connection for ever, and
// nothing else.
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
				dial, stop := serveInBubble(t, newHTTP(t, newWorker(), HTTPOptions{}))
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

// TestStalledReader ends the call of a client that does not read.
func TestStalledReader(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorker()
		dial, stop := serveInBubble(t, newHTTP(t, w, HTTPOptions{}))
		conn := dial()
		defer conn.Close()
		if err := modernCall(t, "http://127.0.0.1", 1, `{"name":"one","updates":3,"wait":"1h"}`).Write(conn); err != nil {
			t.Fatal(err)
		}
		time.Sleep(writeTimeout)
		synctest.Wait()
		got := w.notes()
		if len(got) != 2 || !strings.HasPrefix(got[0], "one update: ") || got[1] != "one context: context canceled" {
			t.Errorf("the call saw %q", got)
		}
		if err := stop(); err != nil {
			t.Error(err)
		}
	})
}

// TestStopWithUnusedConnection does not wait for a connection that has asked
// for nothing.
func TestStopWithUnusedConnection(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		dial, stop := serveInBubble(t, newHTTP(t, newWorker(), HTTPOptions{}))
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
	w := newWorker()
	if err := newHTTP(t, w, HTTPOptions{OnStop: w.stop}).Serve(t.Context(), ln); !errors.Is(err, net.ErrClosed) {
		t.Errorf("got %v", err)
	}
	<-w.quit
}

func TestTLS(t *testing.T) {
	cert, key, pool := selfSigned(t)
	w := newWorker()
	h := newHTTP(t, w, HTTPOptions{TLSCert: cert, TLSKey: key})
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	served := make(chan error, 1)
	go func() { served <- h.Serve(ctx, ln) }()
	transport := &http.Transport{TLSClientConfig: &tls.Config{RootCAs: pool}, ForceAttemptHTTP2: true}
	checkUpdates(t, &http.Client{Transport: transport}, modernCall(t, "https://"+ln.Addr().String(), 7, `{"updates":3,"size":4}`), 3, 4)
	transport.CloseIdleConnections()
	cancel()
	if err := <-served; err != nil {
		t.Error(err)
	}
}

// selfSigned returns a certificate for 127.0.0.1 and its key as files, and as
// what clients trust.
func selfSigned(t *testing.T) (certFile, keyFile string, pool *x509.CertPool) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1), NotAfter: time.Now().Add(time.Hour),
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}}
	cert, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	keyDER, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	certFile, keyFile = filepath.Join(dir, "cert.pem"), filepath.Join(dir, "key.pem")
	pool = x509.NewCertPool()
	for path, block := range map[string]*pem.Block{
		certFile: {Type: "CERTIFICATE", Bytes: cert}, keyFile: {Type: "PRIVATE KEY", Bytes: keyDER},
	} {
		if err := os.WriteFile(path, pem.EncodeToMemory(block), 0o600); err != nil {
			t.Fatal(err)
		}
		pool.AppendCertsFromPEM(pem.EncodeToMemory(block))
	}
	return certFile, keyFile, pool
}

func ExampleHTTP_Serve() {
	h, err := NewHTTP(server.NewMCPServer("greeter", "1.0.0"), HTTPOptions{Addr: "127.0.0.1:0"})
	if err != nil {
		fmt.Println(err)
		return
	}
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		fmt.Println(err)
		return
	}
	ctx, stop := context.WithCancel(context.Background())
	defer stop()
	served := make(chan error, 1)
	go func() { served <- h.Serve(ctx, ln) }()
	resp, err := http.Get("http://" + ln.Addr().String() + "/healthz")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer resp.Body.Close()
	body, _ := io.ReadAll(resp.Body)
	fmt.Print(resp.Status, " ", string(body))
	stop()
	fmt.Println(<-served)
	// Output:
	// 200 OK {"status":"ok"}
	// <nil>
}
