package sandbox

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net/http"
	"strings"
	"sync"
	"time"
)

// maxBody bounds a request's body in bytes; a longer one is answered 413.
const maxBody = 1 << 20

// Server is both APIs. It is safe for concurrent use. What it keeps is bounded:
// the newest 1,000 functions, runs and sessions, and 10,000 requests.
//
// It has no goroutine of its own: builds live in their request, and a run is a
// timeline that is read off when somebody asks, so it goes on without its
// caller. A Server for a testing/synctest bubble has to be made inside it.
type Server struct {
	speed   float64
	key     string
	baseURL string
	ids     idSource

	mux     *http.ServeMux
	log     recorder
	scripts scripts
	store   store
	quota   quota

	ctx      context.Context // ends with Close
	cancel   context.CancelFunc
	handlers sync.WaitGroup

	mu     sync.Mutex // guards closed and pipe
	closed bool
	pipe   *pipe
}

// Option changes a Server under construction.
type Option func(*Server)

// WithSpeed sets the demo's pace: 1, the default, is its natural one (a build
// of about 6 seconds, a run of 2), 10 is ten times as fast, and 0 or less means
// no pauses at all. Scripted delays are not scaled.
func WithSpeed(factor float64) Option {
	return func(s *Server) { s.speed = factor }
}

// WithKey accepts this API key alone. Without it any non-empty bearer token
// will do, as the demo has no accounts.
func WithKey(key string) Option {
	return func(s *Server) { s.key = key }
}

// WithBaseURL says where a browser reaches the Server, for viewer URLs, for
// example "http://127.0.0.1:8809". Without it they use the request's own host.
func WithBaseURL(url string) Option {
	return func(s *Server) { s.baseURL = strings.TrimRight(url, "/") }
}

// WithSeed makes IDs and viewer tokens the same in each process, in the order
// in which they are drawn. Without it they come from crypto/rand.
func WithSeed(seed uint64) Option {
	return func(s *Server) { s.ids = seededIDs(seed) }
}

// New returns a Server that is ready to serve. Close it when done.
func New(opts ...Option) *Server {
	s := &Server{speed: 1, store: newStore()}
	s.ctx, s.cancel = context.WithCancel(context.Background())
	for _, opt := range opts {
		opt(s)
	}
	s.mux = s.routes()
	return s
}

func (s *Server) routes() *http.ServeMux {
	mux := http.NewServeMux()
	mux.HandleFunc("POST /api/anything/start", s.startBuild)
	for pattern, handle := range map[string]http.HandlerFunc{
		"GET /functions":                       s.listFunctions,
		"GET /functions/{id}":                  s.withFunction(s.getFunction),
		"DELETE /functions/{id}":               s.withFunction(s.deleteFunction),
		"POST /functions/{id}/fork":            s.withFunction(s.forkFunction),
		"GET /functions/{id}/runs":             s.withFunction(s.listRuns),
		"POST /functions/{id}/runs/start":      s.withFunction(s.startNewRun),
		"POST /functions/{id}/runs/create":     s.withFunction(s.createRun),
		"POST /functions/{id}/runs/{run_id}":   s.withFunction(s.startCreatedRun),
		"GET /functions/{id}/runs/{run_id}":    s.withFunction(s.getRun),
		"DELETE /functions/{id}/runs/{run_id}": s.withFunction(s.stopRun),
	} {
		mux.HandleFunc(pattern, s.functionsAPI(handle))
	}
	mux.HandleFunc("GET /health", func(w http.ResponseWriter, _ *http.Request) {
		writeJSON(w, http.StatusOK, map[string]any{"status": "ok", "sandbox": true})
	})
	mux.HandleFunc("GET /viewer/{session}", s.viewer)
	mux.HandleFunc("GET /viewer/{session}/events", s.viewerEvents)
	mux.HandleFunc("GET /{$}", index)
	return mux
}

// ServeHTTP answers one request of either API. A scripted [Reset] panics with
// http.ErrAbortHandler, as net/http wants it.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if !s.enter() {
		writeJSON(w, http.StatusServiceUnavailable, detail("the sandbox is closed"))
		return
	}
	defer s.handlers.Done()
	s.quota.stamp(w.Header(), time.Now())

	body, err := io.ReadAll(io.LimitReader(r.Body, maxBody+1))
	seen := s.log.add(r, body)
	defer s.log.watch(r.Context(), seen)()
	if err != nil || len(body) > maxBody {
		writeJSON(w, http.StatusRequestEntityTooLarge, detail("request body too large or unreadable"))
		return
	}

	ctx, cancel := context.WithCancel(r.Context())
	defer cancel()
	defer context.AfterFunc(s.ctx, cancel)()
	r = r.WithContext(ctx)
	r.Body = io.NopCloser(bytes.NewReader(body))

	h, pattern := s.mux.Handler(r)
	serve := func(w http.ResponseWriter) {
		if pattern == "" {
			noRoute(w, r, h)
			return
		}
		s.mux.ServeHTTP(w, r)
	}
	if steps := s.scripts.takeFault(r.Method, r.URL.Path, pattern); steps != nil {
		play(w, r, steps, func(st *Stream) error { serve(st.w); return nil })
		return
	}
	serve(w)
}

// enter counts a handler in, unless the Server is closed. The lock keeps
// WaitGroup.Add from racing with Close's Wait.
func (s *Server) enter() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return false
	}
	s.handlers.Add(1)
	return true
}

// Close ends all streams where they are, refuses later requests with 503, closes
// the connections of Client, and returns when everything of the Server's has
// ended. It may be called more than once. What was recorded stays readable.
func (s *Server) Close() {
	s.mu.Lock()
	s.closed = true
	p := s.pipe
	s.mu.Unlock()
	s.cancel()
	if p != nil {
		p.close()
	}
	s.handlers.Wait()
}

// pause waits for d at the Server's speed.
func (s *Server) pause(ctx context.Context, d time.Duration) error {
	return sleep(ctx, s.scaled(d))
}

// scaled is d at the Server's speed.
func (s *Server) scaled(d time.Duration) time.Duration {
	if !(s.speed > 0) { // also not a number
		return 0
	}
	return time.Duration(float64(d) / s.speed)
}

var errLeft = errors.New("sandbox: the client left or the sandbox was closed")

// sleep waits for d, or returns an error when ctx ends first.
func sleep(ctx context.Context, d time.Duration) error {
	if d > 0 {
		t := time.NewTimer(d)
		defer t.Stop()
		select {
		case <-t.C:
		case <-ctx.Done():
		}
	}
	if ctx.Err() != nil {
		return errLeft
	}
	return nil
}
