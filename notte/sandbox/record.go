package sandbox

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"sync"
	"time"
)

// Bounds of the record. The oldest requests are dropped first.
const (
	maxRequests     = 10_000
	maxRequestBytes = 32 << 20 // of all bodies together
)

// Request is one request that came in. Header and Body are shared and must not
// be changed.
type Request struct {
	Method string
	Host   string
	Path   string
	Query  url.Values
	Header http.Header // contains the caller's key: must not be logged
	Body   []byte      // at most 1 MiB + 1 byte
	At     time.Time
	// ClientLeft is when the client left before its answer was complete. It is
	// zero if the client did not.
	ClientLeft time.Time
}

// recorder keeps the newest requests.
type recorder struct {
	mu      sync.Mutex // guards the fields below and the kept requests
	kept    []*Request // oldest first
	bytes   int
	changed signal
}

func (l *recorder) add(r *http.Request, body []byte) *Request {
	q := &Request{
		Method: r.Method, Host: r.Host, Path: r.URL.Path, Query: r.URL.Query(),
		Header: r.Header.Clone(), Body: body, At: time.Now(),
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.kept = append(l.kept, q)
	l.bytes += len(body)
	for len(l.kept) > maxRequests || l.bytes > maxRequestBytes {
		l.bytes -= len(l.kept[0].Body)
		l.kept[0] = nil
		l.kept = l.kept[1:]
	}
	l.changed.wake()
	return q
}

// watch sets q.ClientLeft when ctx, the context of the client, ends. The
// function that it returns ends the watch; q does not change after that.
func (l *recorder) watch(ctx context.Context, q *Request) (end func()) {
	noted := make(chan struct{})
	stop := context.AfterFunc(ctx, func() {
		defer close(noted)
		l.mu.Lock()
		defer l.mu.Unlock()
		q.ClientLeft = time.Now()
		l.changed.wake()
	})
	return func() {
		if !stop() {
			<-noted
		}
	}
}

// Requests returns the recorded requests, oldest first: the last 10,000, or
// fewer when their bodies take more than 32 MiB.
func (s *Server) Requests() []Request {
	s.log.mu.Lock()
	defer s.log.mu.Unlock()
	all := make([]Request, len(s.log.kept))
	for i, q := range s.log.kept {
		all[i] = *q
	}
	return all
}

// WaitRequest returns the oldest recorded request for which match reports true,
// and waits for one if there is none. It calls match again for a request whose
// client leaves, so a caller can wait for that too. It returns an error when ctx
// ends. match must not call the Server.
func (s *Server) WaitRequest(ctx context.Context, match func(Request) bool) (Request, error) {
	for {
		q, changed := s.log.find(match)
		if changed == nil {
			return q, nil
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return Request{}, fmt.Errorf("sandbox: no matching request among the %d received: %w", len(s.Requests()), ctx.Err())
		}
	}
}

// find returns the oldest match, or a channel that is closed at the next change.
func (l *recorder) find(match func(Request) bool) (Request, <-chan struct{}) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, q := range l.kept {
		if match(*q) {
			return *q, nil
		}
	}
	return Request{}, l.changed.wait()
}
