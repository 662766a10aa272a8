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

// site is the program as an HTTP server.
type site struct {
	*process
	url  string
	http *http.Client
}

func newSite(t *testing.T, url string, env []string, flags ...string) *site {
	t.Helper()
	p := launch(t, url, nil, func(stdout *journal) {
		if s := stdout.String(); s != "" {
			t.Errorf("an HTTP server wrote to stdout: %.200q", s)
		}
	}, env, append([]string{"http", "--addr", "127.0.0.1:0"}, flags...)...)
	transport := &http.Transport{MaxIdleConnsPerHost: 200}
	t.Cleanup(transport.CloseIdleConnections)
	s := &site{process: p, http: &http.Client{Transport: transport}}
	p.stderr.await(t, "the address", func(line string, _ message) bool {
		var log struct{ URL string }
		_ = json.Unmarshal([]byte(line), &log)
		s.url = log.URL
		return s.url != ""
	})
	return s
}

// do sends one request and returns status, headers and body.
func (s *site) do(t *testing.T, method, path, body string, header http.Header) (*http.Response, string) {
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

// webClient is one client of a site.
type webClient struct {
	t    *testing.T
	site *site
	era  era

	session   string // legacy: from initialize
	reading   sync.WaitGroup
	mu        sync.Mutex // guards exchanges
	exchanges map[int]*exchange
}

// exchange is a request with its response.
type exchange struct {
	journal
	comments journal
	hangUp   context.CancelFunc
}

func (s *site) connect(t *testing.T, e era) *conn {
	t.Helper()
	w := &webClient{t: t, site: s, era: e, exchanges: make(map[int]*exchange)}
	t.Cleanup(w.check)
	c := &conn{t: t, era: e, wire: w}
	c.handshake()
	return c
}

// check ends all exchanges and looks at each: nothing of another call may be on
// a call's response.
func (w *webClient) check() {
	for _, x := range w.exchanges {
		x.hangUp()
	}
	w.reading.Wait()
	for id, x := range w.exchanges {
		checkSecrets(w.t, "a response", x.String())
		messages := x.messages(w.t)
		checkOrder(w.t, messages)
		for _, m := range messages {
			if !m.answers(id) && !m.updates(id) {
				w.t.Errorf("the response to request %d carries another's message: %+v", id, m)
			}
		}
	}
}

func (w *webClient) send(id int, method string, message json.RawMessage) {
	w.t.Helper()
	ctx, hangUp := context.WithCancel(context.WithoutCancel(w.t.Context())) // check hangs up
	x := &exchange{hangUp: hangUp}
	w.mu.Lock()
	w.exchanges[id] = x
	w.mu.Unlock()
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, w.site.url, bytes.NewReader(message))
	if err != nil {
		w.t.Fatal(err)
	}
	req.Header = w.header(method, message)
	if method == "initialize" || id == 0 {
		w.exchange(x, req) // what follows needs it done
	} else {
		w.reading.Go(func() { w.exchange(x, req) })
	}
}

// header is what a client of the era sends along.
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
		var m struct{ Params struct{ Name string } }
		if json.Unmarshal(message, &m) == nil && m.Params.Name != "" {
			h.Set("Mcp-Name", m.Params.Name)
		}
	}
	return h
}

// exchange sends a request and keeps the messages of its response. It ends
// early when the client hangs up or the server is gone: the journal tells.
func (w *webClient) exchange(x *exchange, req *http.Request) {
	defer x.close()
	defer x.comments.close()
	resp, err := w.site.http.Do(req)
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

// cancel does it as the era has it: by closing the response, or by telling.
func (w *webClient) cancel(id int) {
	w.t.Helper()
	if w.era >= modern {
		w.find(id).hangUp()
		return
	}
	w.notifyCancelled(id)
}

func (w *webClient) notifyCancelled(id int) {
	w.t.Helper()
	body := fmt.Sprintf(`{"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":%d}}`, id)
	resp, text := w.site.do(w.t, http.MethodPost, "/mcp", body, w.header("notifications/cancelled", nil))
	if resp.StatusCode != http.StatusAccepted {
		w.t.Fatalf("a cancellation was answered with %s: %s", resp.Status, text)
	}
}
