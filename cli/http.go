package cli

import (
	"context"
	"errors"
	"fmt"
	"net"
	"runtime/debug"
	"strings"

	"github.com/anything-mcp/anything-mcp/transport"
)

type httpCommand struct {
	Addr        string   `default:"127.0.0.1:8808" placeholder:"HOST:PORT" help:"Where to listen. Any address but loopback needs ANYTHING_MCP_AUTH_TOKEN."`
	AllowOrigin []string `placeholder:"ORIGIN,…" help:"Web pages that may call, like https://app.example.com; * for all."`
	AllowHost   []string `placeholder:"HOST,…" help:"Names that clients may use for the server, besides that in --addr; * for any."`
	TLSCert     string   `name:"tls-cert" placeholder:"FILE" help:"Certificate (PEM) to serve HTTPS with."`
	TLSKey      string   `name:"tls-key" placeholder:"FILE" help:"Its key (PEM)."`
	MaxCalls    int      `default:"4096" placeholder:"N" help:"Calls at once; more are refused."`

	serving  `embed:""`
	keeping  `embed:""`
	spending `embed:""`
}

// Help is the details of the command's help.
func (httpCommand) Help() string {
	return `MCP is at /mcp, and /healthz tells whether the server is up.

  anything-mcp http
  ANYTHING_MCP_AUTH_TOKEN=… anything-mcp http --addr 0.0.0.0:8808

Clients then send "Authorization: Bearer …" with the value of
ANYTHING_MCP_AUTH_TOKEN. There is no flag for it, nor for NOTTE_API_KEY, as
flags show in lists of processes.`
}

// Run serves until a signal comes.
func (c *httpCommand) Run(ctx context.Context, p *program) error {
	if err := c.check(); err != nil {
		return err
	}
	if p.vars["GOGC"] == "" {
		// Many quiet calls are the rule here: memory counts for more than the
		// little garbage that they make.
		debug.SetGCPercent(50)
	}
	r, err := p.newRig(c.keeping, c.spending)
	if err != nil {
		return err
	}
	defer r.close()
	srv, tasks := r.server(c.serving)
	h, err := transport.NewHTTP(srv, transport.HTTPOptions{
		Tasks:          tasks,
		Addr:           c.Addr,
		TLSCert:        c.TLSCert,
		TLSKey:         c.TLSKey,
		AuthToken:      strings.TrimSpace(p.vars[tokenVariable]),
		AllowedOrigins: c.AllowOrigin,
		AllowedHosts:   c.AllowHost,
		Logger:         r.log,
		MaxCalls:       c.MaxCalls,
		OnStop:         r.stopJobs,
	})
	if errors.Is(err, transport.ErrToken) {
		err = fmt.Errorf("%w (the token is set with %s)", err, tokenVariable)
	}
	if err != nil {
		return usageError{err, "http"}
	}
	ln, err := listen(ctx, c.Addr)
	if err != nil {
		return err
	}
	scheme := "http"
	if c.TLSCert != "" {
		scheme = "https"
	}
	r.welcome("serving MCP over HTTP", "url", scheme+"://"+reachable(ln.Addr().String())+"/mcp", "token", p.vars[tokenVariable] != "")
	err = h.Serve(ctx, ln)
	r.log.Info("stopped")
	return err
}

func (c *httpCommand) check() error {
	return c.serving.check("http", c.MaxCalls)
}

// listen says in plain words why it could not.
func listen(ctx context.Context, addr string) (net.Listener, error) {
	var lc net.ListenConfig
	ln, err := lc.Listen(ctx, "tcp", addr)
	if err != nil {
		return nil, fmt.Errorf("could not listen on %s: %w; another port can be had with --addr", addr, cause(err))
	}
	return ln, nil
}

// cause is what a network error is about, without the address once more.
func cause(err error) error {
	if op, ok := err.(*net.OpError); ok {
		return op.Err
	}
	return err
}

// reachable is an address to connect to: a server on every address of the
// machine is on this one too.
func reachable(addr string) string {
	host, port, err := net.SplitHostPort(addr)
	if ip := net.ParseIP(host); err != nil || !ip.IsUnspecified() {
		return addr
	}
	return net.JoinHostPort("127.0.0.1", port)
}
