package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/anything-mcp/anything-mcp/notte/sandbox"
)

// openTimeout bounds how long many calls may take to start and to be measured.
const openTimeout = 2 * time.Minute

// sessionMode is how the callers of quiet builds use sessions.
type sessionMode string

const (
	modern     sessionMode = "without sessions"
	oneSession sessionMode = "one session for all"
	ownSession sessionMode = "a session each"
)

// quietRow measures memory three times, because one measurement differs from the
// next by up to 6 KiB.
func quietRow(mode sessionMode) func(context.Context, *lab, contender) (row, error) {
	return func(ctx context.Context, l *lab, c contender) (row, error) {
		const builds = 1000
		var server, proxy []int64
		for range 3 {
			bytes, err := l.quiet(ctx, c, builds, mode)
			if err != nil {
				return row{}, err
			}
			proxyBytes, err := l.quietProxy(ctx, builds)
			if err != nil {
				return row{}, err
			}
			server, proxy = append(server, bytes), append(proxy, proxyBytes)
		}
		slices.Sort(server)
		slices.Sort(proxy)
		ratio := float64(server[1]) / float64(proxy[1])
		return ratioRow("resident memory of each of 1,000 quiet builds at once over HTTP, "+string(mode),
			ratio, 1.2, kibRange(server), "the same streams through net/http's ReverseProxy alone: "+kibRange(proxy)), nil
	}
}

// kibRange returns the median and, in brackets, the smallest and the largest of
// sorted figures.
func kibRange(bytes []int64) string {
	return fmt.Sprintf("%s (%s to %s)", kib(bytes[len(bytes)/2]), kib(bytes[0]), kib(bytes[len(bytes)-1]))
}

// opener opens the stream of the i-th of many builds.
type opener func(ctx context.Context, i int) (*http.Response, error)

// quiet measures how much of the server's resident memory each of n concurrent
// builds takes, in bytes. The builds report a status and then nothing. Each call
// has its own connection, waits for an hour and asks for progress.
func (l *lab) quiet(ctx context.Context, c contender, n int, mode sessionMode) (int64, error) {
	server, err := l.startHTTP(ctx, c)
	if err != nil {
		return 0, err
	}
	defer kill(server.cmd)
	client := newConnections(n)
	defer client.CloseIdleConnections()
	shared := &caller{client: client, url: server.url}
	if mode == oneSession {
		if err := shared.beginSession(ctx); err != nil {
			return 0, err
		}
	}
	return l.perStream(ctx, server, n, "Status: ", func(ctx context.Context, i int) (*http.Response, error) {
		c := shared
		if mode == ownSession {
			c = &caller{client: client, url: server.url}
			if err := c.beginSession(ctx); err != nil {
				return nil, err
			}
		}
		return c.startBuild(ctx, fmt.Sprint("quiet ", i), i)
	})
}

// quietProxy measures the same of the program relay.
func (l *lab) quietProxy(ctx context.Context, n int) (int64, error) {
	proxy, err := l.startRelay(ctx)
	if err != nil {
		return 0, err
	}
	defer kill(proxy.cmd)
	client := newConnections(n)
	defer client.CloseIdleConnections()
	return l.perStream(ctx, proxy, n, `"status"`, func(ctx context.Context, i int) (*http.Response, error) {
		return startBuild(ctx, client, proxy.url, fmt.Sprint("quiet ", i))
	})
}

func newConnections(n int) *http.Client {
	return &http.Client{Transport: &http.Transport{MaxIdleConns: n, MaxIdleConnsPerHost: n}}
}

// perStream opens n streams at once and returns by how many bytes the memory of
// s grew for each. It waits until every stream has brought a line with sign, and
// then for l.settle.
func (l *lab) perStream(ctx context.Context, s *httpServer, n int, sign string, open opener) (int64, error) {
	l.upstream.Fault(http.MethodPost, "/api/anything/start",
		sandbox.Event(map[string]string{"type": "status", "status": "running"}), sandbox.Stall())
	defer l.upstream.Fault(http.MethodPost, "/api/anything/start")
	time.Sleep(l.settle)
	idle, err := residentBytes(ctx, s.cmd.Process.Pid)
	if err != nil {
		return 0, err
	}
	ctx, cancel := context.WithTimeout(ctx, openTimeout)
	defer cancel()
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

// openAll opens n streams at once and reads each up to a line with sign. It
// returns one error if any fails. The caller closes the streams, also after an
// error.
func openAll(ctx context.Context, n int, sign string, open opener) ([]io.Closer, error) {
	var mu sync.Mutex // guards bodies
	var bodies []io.Closer
	var all errgroup.Group
	for i := range n {
		all.Go(func() error {
			resp, err := open(ctx, i+1)
			if err != nil {
				return err
			}
			mu.Lock()
			bodies = append(bodies, resp.Body)
			mu.Unlock()
			return readUpTo(resp.Body, sign)
		})
	}
	err := all.Wait()
	return bodies, err
}

// readUpTo reads up to a line that contains sign.
func readUpTo(r io.Reader, sign string) error {
	lines := bufio.NewScanner(r)
	for lines.Scan() {
		if strings.Contains(lines.Text(), sign) {
			return nil
		}
	}
	return fmt.Errorf("a stream ended before %q: %w", sign, errors.Join(lines.Err(), io.ErrUnexpectedEOF))
}
