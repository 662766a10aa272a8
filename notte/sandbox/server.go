package sandbox

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net/http"
	"sync"
	"time"
)

// maxBody bounds a request's body in bytes; a longer one is answered 413.
const maxBody = 1 << 20

// Server serves both APIs. It is safe for concurrent use. It keeps the newest
// 1,000 functions, threads, runs, secrets and sessions, and the newest 10,000
// requests. With [WithFile] it shares functions, threads and runs with other
// processes.
//
// It starts no goroutine for builds or runs. The state of a run or of a v2 build
// is computed from its start time whenever it is read, so both go on after their
// client has left. A Server that is used in a testing/synctest bubble must be
// made inside that bubble.
type Server struct {
	api     API
	speed   float64
	key     string
	baseURL string
	ids     idSource

	mux      *http.ServeMux
	log      recorder
	scripts  scripts
	store    store
	sessions sessions
	quota    quota

	ctx      context.Context // ends with Close
	cancel   context.CancelFunc
	handlers sync.WaitGroup

	mu     sync.Mutex // guards closed and pipe
	closed bool
	pipe   *pipe
}

// New returns a Server. The caller must Close it.
func New(opts ...Option) *Server {
	s := &Server{api: defaultAPI, speed: 1}
	s.quota.limit = defaultQuota
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
	for pattern, handle := range map[string]route{
		"GET /functions":                       s.listFunctions,
		"POST /functions":                      s.createFunction,
		"GET /functions/{id}":                  s.withFunction(s.getFunction),
		"POST /functions/{id}":                 s.withFunction(s.updateFunction),
		"DELETE /functions/{id}":               s.withFunction(s.deleteFunction),
		"POST /functions/{id}/fork":            s.withFunction(s.forkFunction),
		"POST /functions/{id}/schedule":        s.withFunction(s.setSchedule),
		"DELETE /functions/{id}/schedule":      s.withFunction(s.deleteSchedule),
		"GET /functions/{id}/runs":             s.withFunction(s.listRuns),
		"POST /functions/{id}/runs/start":      s.withFunction(s.startNewRun),
		"POST /functions/{id}/runs/create":     s.withFunction(s.createRun),
		"POST /functions/{id}/runs/{run_id}":   s.withRun(s.startCreatedRun),
		"GET /functions/{id}/runs/{run_id}":    s.withRun(s.getRun),
		"PATCH /functions/{id}/runs/{run_id}":  s.withRun(s.updateRun),
		"DELETE /functions/{id}/runs/{run_id}": s.withRun(s.stopRun),
		"GET /secrets":                         s.listSecrets,
		"POST /secrets":                        s.storeSecret,
		"GET /secrets/{name}":                  s.getSecret,
		"DELETE /secrets/{id}":                 s.deleteSecret,
	} {
		mux.HandleFunc(pattern, s.functionsAPI(handle))
	}
	mux.HandleFunc("GET /health", func(w http.ResponseWriter, _ *http.Request) {
		writeJSON(w, http.StatusOK, map[string]any{"status": "ok", "sandbox": true})
	})
	mux.HandleFunc("GET /threads/{thread}", s.threadPage)
	mux.HandleFunc("GET /viewer/{session}", s.viewer)
	mux.HandleFunc("GET /viewer/{session}/events", s.viewerEvents)
	mux.HandleFunc("GET /{$}", index)
	return mux
}

// ServeHTTP answers one request of either API. A scripted [Reset] panics with
// http.ErrAbortHandler, which makes net/http close the connection.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if !s.enter() {
		writeJSON(w, http.StatusServiceUnavailable, detail("the sandbox is closed"))
		return
	}
	defer s.handlers.Done()
	within := s.quota.count(w.Header(), time.Now())

	body, err := io.ReadAll(io.LimitReader(r.Body, maxBody+1))
	seen := s.log.add(r, body)
	defer s.log.watch(r.Context(), seen)()
	if err != nil || len(body) > maxBody {
		writeJSON(w, http.StatusRequestEntityTooLarge, detail("request body too large or unreadable"))
		return
	}

	if !within {
		writeJSON(w, http.StatusTooManyRequests, detail("Rate limit exceeded"))
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
			jsonNotFound(w, r, h)
			return
		}
		s.mux.ServeHTTP(w, r)
	}
	if steps := s.scripts.takeFault(r.Method, r.URL.Path, pattern); steps != nil {
		s.play(w, r, steps, func(st *Stream) error { serve(st.w); return nil })
		return
	}
	serve(w)
}

// enter counts a handler and reports whether the Server is open. It holds mu
// because WaitGroup.Add must not race with the Wait of Close.
func (s *Server) enter() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return false
	}
	s.handlers.Add(1)
	return true
}

// Close ends all streams at once, answers later requests with 503, closes the
// connections of Client, and returns when all handlers have ended. It may be
// called more than once. Recorded requests stay readable.
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

// pause waits for d, scaled by the Server's speed.
func (s *Server) pause(ctx context.Context, d time.Duration) error {
	return sleep(ctx, s.scaled(d))
}

// scaled returns d divided by the Server's speed, or 0 without pauses.
func (s *Server) scaled(d time.Duration) time.Duration {
	if !(s.speed > 0) { // NaN as well
		return 0
	}
	return time.Duration(float64(d) / s.speed)
}

var errLeft = errors.New("sandbox: the client left or the sandbox was closed")

// sleep waits for d. It returns an error if ctx ends first.
func sleep(ctx context.Context, d time.Duration) error {
	if d > 0 {
		return await(ctx, d, nil)
	}
	if ctx.Err() != nil {
		return errLeft
	}
	return nil
}

// await waits until changed is closed or d has passed. If d is zero it waits for
// changed alone. It returns an error if ctx ends first.
func await(ctx context.Context, d time.Duration, changed <-chan struct{}) error {
	var due <-chan time.Time
	if d > 0 {
		due = time.After(d)
	}
	select {
	case <-due:
	case <-changed:
	case <-ctx.Done():
		return errLeft
	}
	return nil
}
