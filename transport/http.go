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
	"time"

	"github.com/mark3labs/mcp-go/server"
)

// HTTPOptions sets up [NewHTTP]. Addr alone is required.
type HTTPOptions struct {
	// Addr is the host:port that the server listens on. It decides who may
	// call: any address but loopback needs AuthToken.
	Addr string

	TLSCert, TLSKey string // PEM files; both or neither
	AuthToken       string // what clients send as Authorization: Bearer

	// AllowedOrigins are the pages that may call, as scheme://host[:port].
	// AllowedHosts are names of the server besides those of loopback, as
	// host[:port]; a server with a token takes any name. In both a host may begin
	// with "*.", which stands for all names below it, and "*" alone allows all.
	AllowedOrigins, AllowedHosts []string

	// OriginSetting and HostSetting tell the operator in the log how to allow a
	// refused origin or host, which follows them. Default: the log does not tell it.
	OriginSetting, HostSetting string

	// SessionKey signs session IDs: at least 16 bytes, the same for all servers
	// behind one address. Without it the key is random, and sessions end with
	// the process.
	SessionKey []byte

	Logger   *slog.Logger // gets the causes that clients must not see; default: none
	MaxCalls int          // calls at once, and GET streams at once; default 4,096; besides, there may be 1,000 subscriptions
	Tasks    Tasks        // of the tools that answer with tasks; nil: no tool does
	Toolbox  Toolbox      // further tools, and lists that change; nil: none

	// Pages serves pages for people, at other paths than those of MCP. It gets the
	// requests whose Host and Origin may call; the token it must check itself. Nil:
	// there are none.
	Pages *http.ServeMux

	// OnStop is called once when the server stops. It must make waiting handlers
	// return, and must not wait for them.
	OnStop func()
}

// HTTP serves MCP as Streamable HTTP at /mcp, to clients that begin with
// initialize and get a session, and to clients of the stateless protocol of
// 2026-07-28. The progress and the answer of a call go out on that call's own
// response.
type HTTP struct {
	*dispatcher
	guard    guard
	pages    pageServer
	tls      *tls.Config // nil: plain HTTP
	sessions *sessions
	streams  *callLimit // of GET streams
}

// NewHTTP returns the handler of srv, or an error if opts are not valid. Errors
// about the token wrap [ErrToken].
func NewHTTP(srv *server.MCPServer, opts HTTPOptions) (*HTTP, error) {
	g, err := newGuard(opts)
	if err != nil {
		return nil, err
	}
	sessions, err := newSessions(opts.SessionKey)
	if err != nil {
		return nil, err
	}
	tlsConfig, err := loadTLS(opts.TLSCert, opts.TLSKey)
	if err != nil {
		return nil, err
	}
	maxCalls := cmp.Or(opts.MaxCalls, 4096)
	h := &HTTP{
		dispatcher: newDispatcher(srv, opts.Logger, maxCalls, maxListensHTTP, opts.Tasks, opts.Toolbox, opts.OnStop),
		guard:      g,
		tls:        tlsConfig,
		sessions:   sessions,
		streams:    newCallLimit(maxCalls, "streams are open"),
	}
	h.pages = pageServer{opts.Pages, &h.guard, h.limit}
	return h, nil
}

// loadTLS returns nil if no files are given.
func loadTLS(certFile, keyFile string) (*tls.Config, error) {
	if certFile == "" && keyFile == "" {
		return nil, nil
	}
	if certFile == "" || keyFile == "" {
		return nil, errors.New("TLS needs a certificate and a key: give both files, or neither for plain HTTP")
	}
	cert, err := tls.LoadX509KeyPair(certFile, keyFile)
	if err != nil {
		return nil, fmt.Errorf("reading the TLS certificate %s and key %s: %w", certFile, keyFile, err)
	}
	return &tls.Config{Certificates: []tls.Certificate{cert}, MinVersion: tls.VersionTLS12}, nil
}

// ServeHTTP answers /mcp and /healthz. It implements [http.Handler].
func (h *HTTP) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	// A call may wait for minutes. It runs here and not in route, so that its
	// stack stays small.
	if c, raw := h.route(w, r); c != nil {
		h.run(c, raw)
	}
}

// route answers a request, or returns a call and its message for run.
func (h *HTTP) route(w http.ResponseWriter, r *http.Request) (c *call, raw []byte) {
	w.Header().Set("X-Content-Type-Options", "nosniff")
	var bad *refusal
	switch r.URL.Path {
	case "/mcp", "/mcp/":
		c, raw, bad = h.serveMCP(w, r)
	case "/healthz":
		bad = serveHealth(w, r)
	default:
		if h.pages.has(r) {
			bad = h.pages.serve(w, r)
		} else {
			writeJSON(w, http.StatusNotFound, []byte(notFound))
		}
	}
	if bad != nil {
		h.logRefusal(r, bad)
		bad.write(w)
	}
	return c, raw
}

func (h *HTTP) serveMCP(w http.ResponseWriter, r *http.Request) (*call, []byte, *refusal) {
	if bad := h.guard.check(w.Header(), r); bad != nil {
		return nil, nil, bad
	}
	switch r.Method {
	case http.MethodPost:
		return h.accept(w, r)
	case http.MethodGet, http.MethodDelete:
		return nil, nil, h.serveSession(w, r)
	}
	w.Header().Set("Allow", "GET, POST, DELETE, OPTIONS")
	if r.Method == http.MethodOptions {
		w.WriteHeader(http.StatusNoContent)
		return nil, nil, nil
	}
	return nil, nil, refused(http.StatusMethodNotAllowed, "MCP takes POST, and GET and DELETE for sessions.")
}

// notFound has the form of an OAuth error, because clients that look for a login
// after a 401 show its text to their user.
const notFound = `{"error":"invalid_request","error_description":"There is nothing here: MCP is at /mcp. ` +
	`This server has no OAuth. If it needs a token, send it as Authorization: Bearer <token>."}` + "\n"

func serveHealth(w http.ResponseWriter, r *http.Request) *refusal {
	if r.Method != http.MethodGet && r.Method != http.MethodHead {
		w.Header().Set("Allow", "GET, HEAD")
		return refused(http.StatusMethodNotAllowed, "Ask for /healthz with GET or HEAD.")
	}
	writeJSON(w, http.StatusOK, []byte(`{"status":"ok"}`+"\n"))
	return nil
}

// closeWait is how long connections may take to write their last bytes once
// every call has been answered.
const closeWait = time.Second

// Serve serves the connections of ln until ctx ends or ln fails, and closes ln. When
// ctx ends, Serve refuses new calls, ends open streams and subscriptions, calls OnStop,
// and gives running calls 8 s to be answered. Then it closes all connections and
// returns nil. Serve may be called once.
func (h *HTTP) Serve(ctx context.Context, ln net.Listener) error {
	srv := &http.Server{
		Handler:           h,
		TLSConfig:         h.tls,
		ReadHeaderTimeout: 10 * time.Second,
		IdleTimeout:       2 * time.Minute,
		MaxHeaderBytes:    64 << 10,
		ErrorLog:          slog.NewLogLogger(h.log.Handler(), slog.LevelDebug),
	}
	served := make(chan error, 1)
	go func() {
		if h.tls != nil {
			served <- srv.ServeTLS(ln, "", "")
		} else {
			served <- srv.Serve(ln)
		}
	}()
	var err error
	select {
	case err = <-served:
		err = fmt.Errorf("serving on %s: %w", ln.Addr(), err)
	case <-ctx.Done():
		_ = ln.Close()
		<-served
	}
	h.stop()
	h.shutdown(srv)
	h.hub.wait()
	return err
}

// shutdown waits up to stopWait for calls and connections to end.
func (h *HTTP) shutdown(srv *http.Server) {
	ctx, cancel := context.WithTimeout(context.Background(), stopWait)
	defer cancel()
	select {
	case <-h.limit.idle:
		ctx, cancel = context.WithTimeout(ctx, closeWait)
		defer cancel()
	case <-ctx.Done():
	}
	if srv.Shutdown(ctx) != nil {
		_ = srv.Close() // closes the remaining connections
	}
}
