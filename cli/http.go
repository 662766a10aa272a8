package cli

import (
	"context"
	"fmt"
	"net"
	"net/netip"
	"runtime/debug"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/anything-mcp/anything-mcp/pages"
	"github.com/anything-mcp/anything-mcp/transport"
)

// listenFlags say where the server of the command http listens.
type listenFlags struct {
	addr    string
	tlsCert string
}

func (l *listenFlags) add(f *pflag.FlagSet) {
	f.StringVar(&l.addr, "addr", "127.0.0.1:8808", "The server listens on `HOST:PORT`.")
	f.StringVar(&l.tlsCert, "tls-cert", "", "The server speaks HTTPS, with the certificate in `FILE` (PEM).")
}

// url returns the address of a path for clients of this machine.
func (l *listenFlags) url(path string) string {
	scheme := "http"
	if l.tlsCert != "" {
		scheme = "https"
	}
	return scheme + "://" + connectableAddr(l.addr) + path
}

// httpFlags are the settings of the command http.
type httpFlags struct {
	serverFlags
	listenFlags
	allowOrigins []string
	allowHosts   []string
	tlsKey       string
	pages        string // auto, on or off
}

// showsPages reports whether people get pages. By default they do where nobody but the
// users of this machine can reach them.
func (f *httpFlags) showsPages() bool {
	host, _, _ := net.SplitHostPort(f.addr)
	return f.pages == "on" || f.pages == "auto" && isLoopback(host)
}

func (p *program) httpCommand() *cobra.Command {
	var flags httpFlags
	cmd := &cobra.Command{
		Use:     "http",
		GroupID: serverGroup,
		Short:   "Serve MCP over Streamable HTTP at /mcp",
		Long: `Serve MCP over Streamable HTTP at /mcp. /healthz says whether the server is up.
On a loopback address / shows your builds and runs in a browser.

Any address but loopback needs a token in ANYTHING_MCP_AUTH_TOKEN, which
clients send as "Authorization: Bearer …".`,
		Example: `  anything-mcp http
  ANYTHING_MCP_AUTH_TOKEN=… anything-mcp http --addr 0.0.0.0:8808`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return p.serveHTTP(cmd.Context(), flags) },
	}
	f := cmd.Flags()
	flags.listenFlags.add(f)
	f.StringSliceVar(&flags.allowOrigins, "allow-origin", nil, "Let web pages of these `ORIGINS` call, like https://app.example.com or https://*.example.com; *: all.")
	f.StringSliceVar(&flags.allowHosts, "allow-host", nil, "Without a token, let clients call the server by these `NAMES`, like mcp.example.com or *.example.com; *: any.")
	f.StringVar(&flags.tlsKey, "tls-key", "", "The key of the certificate, in `FILE` (PEM).")
	f.Var(choiceValue(&flags.pages, "auto", "on", "off"), "pages", "Show builds and runs to people in a browser, at /: `auto|on|off`. auto: on a loopback address.")
	flags.serverFlags.add(f, 4096)
	return cmd
}

// serveHTTP serves until ctx ends.
func (p *program) serveHTTP(ctx context.Context, flags httpFlags) error {
	// Collect garbage sooner. That saves memory and costs little time, because
	// most calls are quiet.
	if p.vars["GOGC"] == "" {
		debug.SetGCPercent(50)
	}
	p.readBuffer = 1 << 10
	token, err := p.vars.secret(tokenVariable)
	if err != nil {
		return usageErrorf("%w", err)
	}
	if _, set := p.vars[tokenVariable]; set && token == "" {
		p.log.Warn("the variable counts as not set: it is empty", "variable", tokenVariable)
	}
	a, err := p.newApp(flags.store, flags.limits)
	if err != nil {
		return err
	}
	defer a.Close()
	h, err := p.httpServer(a, flags, token)
	if err != nil {
		return usageErrorf("%w", err)
	}
	ln, err := net.Listen("tcp", flags.addr)
	if err != nil {
		return listenError(flags.addr, err)
	}
	flags.addr = ln.Addr().String() // the port may have been 0
	url := flags.url("/mcp")
	args := []any{"url", ownAddress(url), "token", token != ""}
	if flags.showsPages() {
		args = append(args, "pages", ownAddress(flags.url("/")))
	}
	a.logReady("serving MCP over HTTP", args...)
	defer inBackground(ctx, returnMemory)()
	err = h.Serve(ctx, ln)
	a.log.Info("the server has stopped")
	return err
}

// httpServer returns the server of a with the settings.
func (p *program) httpServer(a *app, flags httpFlags, token string) (*transport.HTTP, error) {
	srv := a.server(flags.serverFlags, p.callerAccount(a))
	opts := transport.HTTPOptions{
		Tasks:          srv.tasks,
		Toolbox:        srv.Toolbox,
		Addr:           flags.addr,
		TLSCert:        flags.tlsCert,
		TLSKey:         flags.tlsKey,
		AuthToken:      token,
		AllowedOrigins: flags.allowOrigins,
		AllowedHosts:   flags.allowHosts,
		OriginSetting:  "--allow-origin",
		HostSetting:    "--allow-host",
		Logger:         a.log,
		MaxCalls:       flags.maxCalls,
		OnStop:         a.stopJobs,
	}
	if flags.showsPages() {
		opts.Pages = pages.New(pages.Options{
			Call: srv.Call, Token: token, TokenPlace: "in " + tokenVariable + " where the server runs",
			Simulated: a.simulated, Logger: a.log,
		})
	}
	return transport.NewHTTP(srv.MCP, opts)
}

// listenError returns the error of listening on addr.
func listenError(addr string, err error) error {
	if op, ok := err.(*net.OpError); ok {
		err = op.Err // does not repeat the address
	}
	return fmt.Errorf("could not listen on %s: %w; choose another port with --addr", addr, err)
}

// connectableAddr returns an address that clients of this machine can connect
// to: loopback for a server that listens on all addresses.
func connectableAddr(addr string) string {
	host, port, err := net.SplitHostPort(addr)
	if ip := net.ParseIP(host); err != nil || !ip.IsUnspecified() {
		return addr
	}
	return net.JoinHostPort("127.0.0.1", port)
}

// isLoopback reports whether a host, without a port, is always this machine.
func isLoopback(host string) bool {
	ip, err := netip.ParseAddr(host)
	return strings.EqualFold(host, "localhost") || err == nil && ip.IsLoopback()
}
