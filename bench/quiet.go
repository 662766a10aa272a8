package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/anything-mcp/anything-mcp/notte/sandbox"
)

// openWait bounds a measurement of memory, against a server that hangs.
const openWait = 2 * time.Minute

// era is how the callers of quiet builds speak to the server.
type era string

const (
	modern     era = "without sessions"
	oneSession era = "one session for all"
	ownSession era = "a session each"
)

// opener opens the stream of the i-th of many builds.
type opener func(ctx context.Context, i int) (*http.Response, error)

// quiet measures what each of n builds at once, which say one word and then
// nothing, takes of the server's resident memory, in bytes. Each call has its
// own connection, waits for an hour and asks for progress.
func (l *lab) quiet(ctx context.Context, n int, how era) (int64, error) {
	server, err := l.startHTTP(ctx)
	if err != nil {
		return 0, err
	}
	defer server.stop()
	client := newConnections(n)
	defer client.CloseIdleConnections()
	all := &caller{client: client, url: server.url}
	if how == oneSession {
		if err := all.beginSession(ctx); err != nil {
			return 0, err
		}
	}
	return l.perStream(ctx, server, n, "Status: ", func(ctx context.Context, i int) (*http.Response, error) {
		c := all
		if how == ownSession {
			c = &caller{client: client, url: server.url}
			if err := c.beginSession(ctx); err != nil {
				return nil, err
			}
		}
		return c.startBuild(ctx, fmt.Sprint("quiet ", i), i)
	})
}

// quietRelay measures the same of the relay.
func (l *lab) quietRelay(ctx context.Context, n int) (int64, error) {
	relay, err := l.startRelay(ctx)
	if err != nil {
		return 0, err
	}
	defer relay.stop()
	client := newConnections(n)
	defer client.CloseIdleConnections()
	return l.perStream(ctx, relay, n, `"status"`, func(ctx context.Context, i int) (*http.Response, error) {
		return l.upstream.build(ctx, client, relay.url, fmt.Sprint("quiet ", i))
	})
}

func newConnections(n int) *http.Client {
	return &http.Client{Transport: &http.Transport{MaxIdleConns: n, MaxIdleConnsPerHost: n}}
}

// perStream opens n streams at once and returns by how much the memory of s
// grew for each, once a line with sign, the last for long, has come on all.
func (l *lab) perStream(ctx context.Context, s *httpServer, n int, sign string, open opener) (int64, error) {
	l.upstream.Fault(http.MethodPost, "/api/anything/start",
		sandbox.Event(map[string]string{"type": "status", "status": "running"}), sandbox.Stall())
	defer l.upstream.Fault(http.MethodPost, "/api/anything/start")
	time.Sleep(l.settle)
	idle, err := residentBytes(ctx, s.cmd.Process.Pid)
	if err != nil {
		return 0, err
	}
	ctx, leave := context.WithTimeout(ctx, openWait)
	defer leave()
	bodies, err := openAll(ctx, n, sign, open)
	for _, body := range bodies {
		defer body.Close()
	}
	if err != nil {
		return 0, err
	}
	time.Sleep(l.settle)
	busy, err := residentBytes(ctx, s.cmd.Process.Pid)
	return (busy - idle) / int64(n), err
}

// openAll opens n streams at once and reads each up to its sign. The streams
// are to be closed, also after an error.
func openAll(ctx context.Context, n int, sign string, open opener) ([]io.Closer, error) {
	var mu sync.Mutex // guards bodies and failures
	var bodies []io.Closer
	var failures []error
	var all sync.WaitGroup
	for i := range n {
		all.Go(func() {
			resp, err := open(ctx, i+1)
			if err == nil {
				err = readUpTo(resp.Body, sign)
			}
			mu.Lock()
			defer mu.Unlock()
			if resp != nil {
				bodies = append(bodies, resp.Body)
			}
			if err != nil {
				failures = append(failures, err)
			}
		})
	}
	all.Wait()
	return bodies, errors.Join(failures...)
}

// readUpTo reads up to a line that holds sign.
func readUpTo(r io.Reader, sign string) error {
	lines := bufio.NewScanner(r)
	for lines.Scan() {
		if strings.Contains(lines.Text(), sign) {
			return nil
		}
	}
	return fmt.Errorf("a stream ended before %q: %w", sign, errors.Join(lines.Err(), io.ErrUnexpectedEOF))
}
