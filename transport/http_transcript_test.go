package transport

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// TestHTTPTranscripts plays what goes over Streamable HTTP, both ways. A step
// is a request ("> " METHOD PATH, then its headers and body, "S1" standing for
// the first session's ID), or "# wait DURATION", "# close N" when the client
// leaves request N, or "# stop". What came on response N since is "<N ".
func TestHTTPTranscripts(t *testing.T) {
	replay(t, "testdata/http.txtar", func(t *testing.T, steps []string) (lines []string) {
		synctest.Test(t, func(t *testing.T) { lines = playHTTP(t, newFakeServer(), steps) })
		return lines
	})
}

// player is the client that plays a transcript.
type player struct {
	f      *fakeServer
	client *http.Client
	stop   context.CancelFunc
	wg     sync.WaitGroup

	mu       sync.Mutex // guards what follows
	came     [][]string // lines by request, since the last look
	close    []context.CancelFunc
	sessions []string
}

func playHTTP(t *testing.T, f *fakeServer, steps []string) (lines []string) {
	p := &player{f: f}
	h, err := NewHTTP(p.f.srv, HTTPOptions{Addr: "127.0.0.1:8808", MaxCalls: 3, OnStop: f.stop, Tasks: f.tasks, Toolbox: f.toolbox})
	if err != nil {
		t.Fatal(err)
	}
	ln := newPipeListener()
	p.client = &http.Client{Transport: &http.Transport{DialContext: ln.dial, DisableCompression: true}}
	ctx, stop := context.WithCancel(t.Context())
	p.stop = stop
	start := time.Now()
	ended := make(chan string, 1)
	go func() {
		err := h.Serve(ctx, ln)
		ended <- fmt.Sprintf("~ ended after %s: %v", time.Since(start).Truncate(100*time.Millisecond), err)
	}()
	for len(steps) > 0 {
		n := 1
		for strings.HasPrefix(steps[0], "> ") && n < len(steps) && strings.HasPrefix(steps[n], ">") && !isRequestLine(steps[n]) {
			n++
		}
		lines = append(lines, steps[:n]...)
		p.step(t, steps[:n])
		steps = steps[n:]
		synctest.Wait()
		lines = append(lines, p.look()...)
	}
	p.f.stop()
	stop()
	p.client.CloseIdleConnections()
	lines = append(lines, <-ended)
	p.wg.Wait()
	return lines
}

func isRequestLine(line string) bool {
	return slices.ContainsFunc([]string{"GET", "POST", "DELETE", "PUT", "OPTIONS", "HEAD"}, func(method string) bool {
		return strings.HasPrefix(line, "> "+method+" ")
	})
}

func (p *player) step(t *testing.T, step []string) {
	words := strings.Fields(step[0])
	switch {
	case words[0] == ">":
		p.request(t, words[1], words[2], step[1:])
	case step[0] == "# stop":
		p.stop()
	case strings.HasPrefix(step[0], "# wait "):
		d, err := time.ParseDuration(words[2])
		if err != nil {
			t.Fatal(err)
		}
		time.Sleep(d)
	case strings.HasPrefix(step[0], "# close "):
		n, _ := strconv.Atoi(words[2])
		p.close[n-1]()
	case p.f.signal[step[0]] != nil:
		p.f.signal[step[0]]()
	}
}

func (p *player) request(t *testing.T, method, path string, rest []string) {
	ctx, cancel := context.WithCancel(t.Context())
	p.mu.Lock()
	n := len(p.came)
	p.came = append(p.came, nil)
	p.close = append(p.close, cancel)
	var body string
	headers := http.Header{"Content-Type": {"application/json"}, "Accept": {"application/json, text/event-stream"}}
	for _, line := range rest {
		line = strings.TrimPrefix(strings.TrimPrefix(line, ">"), " ")
		if name, value, ok := strings.Cut(line, ": "); ok && !strings.HasPrefix(line, "{") {
			for i, id := range p.sessions {
				if value == "S"+strconv.Itoa(i+1) {
					value = id
				}
			}
			headers.Set(name, value)
		} else {
			body += line
		}
	}
	p.mu.Unlock()
	req, err := http.NewRequestWithContext(ctx, method, "http://127.0.0.1:8808"+path, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	req.Header = headers
	if host := headers.Get("Host"); host != "" {
		req.Host = host
	}
	p.wg.Go(func() { p.read(req, n) })
}

// shown are the response headers that transcripts show.
var shown = []string{
	"Content-Type", "Allow", "Cache-Control", "X-Accel-Buffering", "Mcp-Session-Id", "Www-Authenticate",
	"Access-Control-Allow-Origin", "Access-Control-Allow-Headers", "Access-Control-Allow-Methods",
	"Access-Control-Expose-Headers", "Vary",
}

func (p *player) read(req *http.Request, n int) {
	resp, err := p.client.Do(req)
	if err != nil {
		p.show(n, "no response")
		return
	}
	defer resp.Body.Close()
	p.show(n, strconv.Itoa(resp.StatusCode))
	for _, name := range shown {
		if value := resp.Header.Get(name); value != "" {
			p.show(n, name+": "+p.alias(name, value))
		}
	}
	body := bufio.NewScanner(resp.Body)
	for body.Scan() {
		p.show(n, body.Text())
	}
	if err := body.Err(); errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, context.Canceled) {
		p.show(n, "cut")
	} else if resp.Header.Get("Content-Type") == "text/event-stream" {
		p.show(n, "end")
	}
}

// alias replaces a session ID by its name.
func (p *player) alias(name, value string) string {
	if name != "Mcp-Session-Id" {
		return value
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.sessions = append(p.sessions, value)
	return "S" + strconv.Itoa(len(p.sessions))
}

func (p *player) show(n int, line string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.came[n] = append(p.came[n], strings.TrimRight(fmt.Sprintf("<%d %s", n+1, line), " "))
}

func (p *player) look() (lines []string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for n := range p.came {
		lines = append(lines, p.came[n]...)
		p.came[n] = nil
	}
	for _, note := range p.f.notes() {
		lines = append(lines, "~ "+note)
	}
	return lines
}

// pipeListener accepts what dial dials, without a network.
type pipeListener struct {
	conns  chan net.Conn
	closed chan struct{}
	once   func()
}

func newPipeListener() *pipeListener {
	l := &pipeListener{conns: make(chan net.Conn), closed: make(chan struct{})}
	l.once = sync.OnceFunc(func() { close(l.closed) })
	return l
}

func (l *pipeListener) dial(ctx context.Context, _, _ string) (net.Conn, error) {
	client, srv := net.Pipe()
	select {
	case l.conns <- srv:
		return client, nil
	case <-l.closed:
		return nil, net.ErrClosed
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

func (l *pipeListener) Accept() (net.Conn, error) {
	select {
	case conn := <-l.conns:
		return conn, nil
	case <-l.closed:
		return nil, net.ErrClosed
	}
}

func (l *pipeListener) Close() error { l.once(); return nil }

func (l *pipeListener) Addr() net.Addr { return pipeAddr{} }

type pipeAddr struct{}

func (pipeAddr) Network() string { return "pipe" }
func (pipeAddr) String() string  { return "pipe" }
