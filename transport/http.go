package transport

import (
	"cmp"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"sync"
	"time"

	"github.com/mark3labs/mcp-go/server"
)

// HTTPOptions sets up [NewHTTP]. Addr alone is required.
type HTTPOptions struct {
	// Addr is the host:port that is listened on. It decides who may ask: any
	// address but loopback needs AuthToken.
	Addr string

	TLSCert, TLSKey string   // PEM files; both or neither
	AuthToken       string   // what clients send as Authorization: Bearer
	AllowedOrigins  []string // pages that may call, as scheme://host[:port]; "*" for all
	AllowedHosts    []string // names that the server goes by, besides Addr's; "*" for all

	Logger      *slog.Logger  // for what clients are not told; default: none
	MaxCalls    int           // calls in flight; default 4,096
	MaxSessions int           // of legacy clients; the longest idle one makes room; default 10,000
	MaxBody     int64         // bytes of a request body; default 8 MiB
	SessionIdle time.Duration // a session without a call or stream ends after this; default 1 h
	KeepAlive   time.Duration // a quiet call's stream gets a comment this often; default 15 s
	StopWait    time.Duration // for calls in flight after OnStop; default 8 s

	Tasks Tasks // of the tools that answer with tasks; nil: none do

	// OnStop is called once when the server stops. It makes waiting handlers
	// return, and returns itself without waiting for them.
	OnStop func()
}

func (o HTTPOptions) withDefaults() HTTPOptions {
	o.Logger = cmp.Or(o.Logger, slog.New(slog.DiscardHandler))
	o.MaxCalls = cmp.Or(o.MaxCalls, 4096)
	o.MaxSessions = cmp.Or(o.MaxSessions, 10_000)
	o.MaxBody = cmp.Or(o.MaxBody, 8<<20)
	o.SessionIdle = cmp.Or(o.SessionIdle, time.Hour)
	o.KeepAlive = cmp.Or(o.KeepAlive, 15*time.Second)
	o.StopWait = cmp.Or(o.StopWait, 8*time.Second)
	if o.OnStop == nil {
		o.OnStop = func() {}
	}
	return o
}

// HTTP serves MCP as Streamable HTTP at /mcp: sessions for clients that begin
// with initialize, the stateless protocol of 2026-07-28 beside them. The
// progress and the answer of a call go out on that call's own response.
type HTTP struct {
	opts     HTTPOptions
	engine   *engine
	guard    guard
	tls      *tls.Config // nil: plain HTTP
	sessions sessions
	stopping chan struct{} // closed when the server stops
	stop     func()        // stops taking calls, once
}

// NewHTTP returns the handler of srv, or what is wrong with opts.
func NewHTTP(srv *server.MCPServer, opts HTTPOptions) (*HTTP, error) {
	opts = opts.withDefaults()
	g, err := newGuard(opts)
	if err != nil {
		return nil, err
	}
	h := &HTTP{
		opts:     opts,
		engine:   newEngine(srv, opts.Logger, opts.MaxCalls, opts.Tasks),
		guard:    g,
		sessions: sessions{idle: opts.SessionIdle, max: opts.MaxSessions},
		stopping: make(chan struct{}),
	}
	h.stop = sync.OnceFunc(func() {
		h.engine.gate.close()
		close(h.stopping)
		opts.OnStop()
	})
	if (opts.TLSCert == "") != (opts.TLSKey == "") {
		return nil, errors.New("TLS needs a certificate and a key: give both files, or neither for plain HTTP")
	}
	if opts.TLSCert != "" {
		cert, err := tls.LoadX509KeyPair(opts.TLSCert, opts.TLSKey)
		if err != nil {
			return nil, fmt.Errorf("reading the TLS certificate %s and key %s: %w", opts.TLSCert, opts.TLSKey, err)
		}
		h.tls = &tls.Config{Certificates: []tls.Certificate{cert}, MinVersion: tls.VersionTLS12}
	}
	return h, nil
}

// ServeHTTP answers /mcp and /healthz. It implements [http.Handler].
func (h *HTTP) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("X-Content-Type-Options", "nosniff")
	switch r.URL.Path {
	case "/mcp", "/mcp/":
		if h.guard.admit(w, r) {
			h.serveMCP(w, r)
		}
	case "/healthz":
		h.serveHealth(w, r)
	default:
		// In the shape of an OAuth error: clients that look for a login after a
		// 401 show their user this text.
		writeJSON(w, http.StatusNotFound, map[string]string{
			"error": "invalid_request",
			"error_description": "There is nothing here: MCP is at /mcp. This server has no OAuth login; " +
				"a token, where it wants one, is sent as Authorization: Bearer <token>.",
		})
	}
}

func (h *HTTP) serveMCP(w http.ResponseWriter, r *http.Request) {
	switch r.Method {
	case http.MethodPost:
		h.servePost(w, r)
	case http.MethodGet:
		h.serveStream(w, r)
	case http.MethodDelete:
		h.serveDelete(w, r)
	default:
		w.Header().Set("Allow", "GET, POST, DELETE, OPTIONS")
		refuseHTTP(w, http.StatusMethodNotAllowed, "MCP takes POST, and GET and DELETE for sessions.")
	}
}

func (h *HTTP) serveHealth(w http.ResponseWriter, r *http.Request) {
	if r.Method != http.MethodGet && r.Method != http.MethodHead {
		w.Header().Set("Allow", "GET, HEAD")
		refuseHTTP(w, http.StatusMethodNotAllowed, "Ask for /healthz with GET or HEAD.")
		return
	}
	writeJSON(w, http.StatusOK, map[string]string{"status": "ok"})
}

// Serve answers what ln accepts until ctx ends or ln fails, and closes ln. At
// the end of ctx no new calls are taken, open streams end, OnStop is called,
// and calls in flight have StopWait to be answered; then connections are cut.
// The error is nil after a stop by ctx.
func (h *HTTP) Serve(ctx context.Context, ln net.Listener) error {
	srv := &http.Server{
		Handler:           h,
		TLSConfig:         h.tls,
		ReadHeaderTimeout: 10 * time.Second,
		IdleTimeout:       2 * time.Minute,
		MaxHeaderBytes:    64 << 10,
		ErrorLog:          slog.NewLogLogger(h.opts.Logger.Handler(), slog.LevelDebug),
	}
	served := make(chan error, 1)
	go func() {
		if h.tls != nil {
			served <- srv.ServeTLS(ln, "", "")
		} else {
			served <- srv.Serve(ln)
		}
	}()
	defer h.sessions.close()
	select {
	case err := <-served:
		h.stop()
		return fmt.Errorf("serving on %s: %w", ln.Addr(), err)
	case <-ctx.Done():
	}
	h.shutdown(srv)
	<-served
	return nil
}

// closeWait is what connections get to write their last bytes once every call
// has been answered.
const closeWait = time.Second

func (h *HTTP) shutdown(srv *http.Server) {
	h.stop()
	ctx, cancel := context.WithTimeout(context.Background(), h.opts.StopWait)
	defer cancel()
	var wait sync.WaitGroup
	defer wait.Wait()
	wait.Go(func() {
		// Shutdown alone would wait for connections that have yet to ask for
		// anything.
		select {
		case <-h.engine.gate.close():
			time.AfterFunc(closeWait, cancel)
		case <-ctx.Done():
		}
	})
	if srv.Shutdown(ctx) != nil {
		_ = srv.Close() // what is cut here has had its time
	}
	cancel()
}
