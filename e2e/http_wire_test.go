package e2e_test

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"
)

// httpServer is a process that serves MCP over HTTP.
type httpServer struct {
	*process
	url  string
	http *http.Client
}

func newHTTPServer(t *testing.T, url string, env []string, flags ...string) *httpServer {
	t.Helper()
	p := launch(t, url, nil, func(stdout *journal) {
		if s := stdout.String(); s != "" {
			t.Errorf("an HTTP server wrote to stdout: %.200q", s)
		}
	}, env, append([]string{"http", "--addr", "127.0.0.1:0"}, flags...)...)
	transport := &http.Transport{MaxIdleConnsPerHost: 200}
	t.Cleanup(transport.CloseIdleConnections)
	s := &httpServer{process: p, http: &http.Client{Transport: transport}}
	p.stderr.await(t, "the address", func(line string, _ message) bool {
		var log struct{ URL string }
		_ = json.Unmarshal([]byte(line), &log)
		s.url = log.URL
		return s.url != ""
	})
	return s
}

// do sends one request and returns the response and its body.
func (s *httpServer) do(t *testing.T, method, path, body string, header http.Header) (*http.Response, string) {
	t.Helper()
	base := strings.TrimSuffix(s.url, "/mcp")
	req, err := http.NewRequestWithContext(t.Context(), method, base+path, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	req.Header = header
	req.Host = header.Get("Host")
	resp, err := s.http.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	checkSecrets(t, "a body", string(text))
	return resp, string(text)
}

// webClient is one client of an HTTP server. Its IDs are those of its requests.
type webClient struct {
	t      *testing.T
	server *httpServer
	era    era

	session   string // legacy: from initialize
	reading   sync.WaitGroup
	mu        sync.Mutex // guards exchanges
	exchanges map[int]*exchange
}

// exchange is the response to one request.
type exchange struct {
	journal
	comments   journal
	disconnect context.CancelFunc
}

func (s *httpServer) connect(t *testing.T, e era) *conn {
	t.Helper()
	w := &webClient{t: t, server: s, era: e, exchanges: make(map[int]*exchange)}
	t.Cleanup(w.check)
	c := &conn{t: t, era: e, wire: w}
	c.handshake()
	return c
}

// check closes all responses. It checks that each holds only messages of its own
// request.
func (w *webClient) check() {
	for _, x := range w.exchanges {
		x.disconnect()
	}
	w.reading.Wait()
	for id, x := range w.exchanges {
		checkSecrets(w.t, "a response", x.String())
		messages := x.messages(w.t)
		checkOrder(w.t, messages)
		for _, m := range messages {
			if !m.answers(id) && !m.updates(id) && !m.tells(id) {
				w.t.Errorf("the response to request %d carries a message of another request: %+v", id, m)
			}
		}
	}
}

func (w *webClient) send(id int, method string, message json.RawMessage) {
	w.t.Helper()
	ctx, disconnect := context.WithCancel(context.WithoutCancel(w.t.Context())) // check calls disconnect
	x := &exchange{disconnect: disconnect}
	w.mu.Lock()
	w.exchanges[id] = x
	w.mu.Unlock()
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, w.server.url, bytes.NewReader(message))
	if err != nil {
		w.t.Fatal(err)
	}
	req.Header = w.header(method, message)
	if method == "initialize" || id == 0 {
		w.exchange(x, req) // later requests need its session
	} else {
		w.reading.Go(func() { w.exchange(x, req) })
	}
}

// header returns the headers that a client of the era sends.
func (w *webClient) header(method string, message json.RawMessage) http.Header {
	h := http.Header{"Content-Type": {"application/json"}, "Accept": {"application/json, text/event-stream"}}
	if method != "initialize" {
		h.Set("Mcp-Protocol-Version", string(w.era))
	}
	if w.session != "" {
		h.Set("Mcp-Session-Id", w.session)
	}
	if w.era >= modern {
		h.Set("Mcp-Method", method)
		var m struct{ Params struct{ Name, URI string } }
		if json.Unmarshal(message, &m) == nil && m.Params.Name+m.Params.URI != "" {
			h.Set("Mcp-Name", m.Params.Name+m.Params.URI)
		}
	}
	return h
}

// exchange sends a request and adds the messages of its response to x, until the
// response ends, the client disconnects or the server exits.
func (w *webClient) exchange(x *exchange, req *http.Request) {
	defer x.close()
	defer x.comments.close()
	resp, err := w.server.http.Do(req)
	if err != nil {
		return
	}
	defer resp.Body.Close()
	if w.era < modern && w.session == "" {
		w.session = resp.Header.Get("Mcp-Session-Id")
	}
	if !strings.HasPrefix(resp.Header.Get("Content-Type"), "text/event-stream") {
		x.readFrom(resp.Body)
		return
	}
	in := bufio.NewReader(resp.Body)
	for {
		line, err := in.ReadString('\n')
		if data, ok := strings.CutPrefix(line, "data: "); ok {
			x.add(data)
		} else if strings.HasPrefix(line, ":") {
			x.comments.add(line)
		}
		if err != nil {
			return
		}
	}
}

func (w *webClient) journal(id int) *journal { return &w.find(id).journal }

func (w *webClient) find(id int) *exchange {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.exchanges[id]
}

// cancel cancels a request: modern clients close the response, legacy ones send a
// notification.
func (w *webClient) cancel(id int) {
	w.t.Helper()
	if w.era >= modern {
		w.find(id).disconnect()
		return
	}
	w.notifyCancelled(id)
}

func (w *webClient) notifyCancelled(id int) {
	w.t.Helper()
	body := fmt.Sprintf(`{"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":%d}}`, id)
	resp, text := w.server.do(w.t, http.MethodPost, "/mcp", body, w.header("notifications/cancelled", nil))
	if resp.StatusCode != http.StatusAccepted {
		w.t.Fatalf("a cancellation was answered with %s: %s", resp.Status, text)
	}
}
