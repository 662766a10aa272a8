package transport

import (
	"crypto/sha256"
	"crypto/subtle"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"slices"
	"strings"

	"github.com/mark3labs/mcp-go/mcp"
)

// ErrToken is wrapped by the errors of [NewHTTP] about HTTPOptions.AuthToken.
var ErrToken = errors.New("the server's token")

// guard decides who may call /mcp. It refuses calls without the token, and calls
// with a foreign host or origin, because web pages use those to reach servers on
// their visitor's machine.
type guard struct {
	token    *[sha256.Size]byte // nil: no token is needed
	loopback bool               // the server listens on loopback only
	own      string             // the host that the server listens on; empty for all
	hosts    []string           // lower case
	origins  []string           // lower case
}

func newGuard(opts HTTPOptions) (guard, error) {
	host, _, err := net.SplitHostPort(opts.Addr)
	if err != nil {
		return guard{}, fmt.Errorf("the address %q is not a host and a port: write it like 127.0.0.1:8808", opts.Addr)
	}
	g := guard{loopback: isLoopback(host), own: strings.ToLower(host)}
	if ip, err := netip.ParseAddr(host); err == nil && ip.IsUnspecified() {
		g.own = ""
	}
	if opts.AuthToken == "" && !g.loopback {
		return guard{}, fmt.Errorf("other machines can reach %s, but %w is missing: set a token that clients send "+
			"as a bearer token, or listen on 127.0.0.1", opts.Addr, ErrToken)
	}
	if strings.ContainsFunc(opts.AuthToken, func(r rune) bool { return r <= ' ' || r > '~' }) {
		return guard{}, fmt.Errorf("%w cannot be sent in a header: use printable ASCII without spaces", ErrToken)
	}
	if opts.AuthToken != "" {
		sum := sha256.Sum256([]byte(opts.AuthToken))
		g.token = &sum
	}
	for _, h := range opts.AllowedHosts {
		g.hosts = append(g.hosts, strings.ToLower(strings.TrimSpace(h)))
	}
	for _, o := range opts.AllowedOrigins {
		o = strings.ToLower(strings.TrimRight(strings.TrimSpace(o), "/"))
		if u, err := url.Parse(o); o != "*" && (err != nil || u.Scheme == "" || u.Host == "" || u.Path != "") {
			return guard{}, fmt.Errorf("the allowed origin %q is not valid: write it like https://app.example.com", o)
		}
		g.origins = append(g.origins, o)
	}
	return g, nil
}

// check returns why r is refused, or nil. It sets the headers for CORS and
// authentication. A preflight request needs no token.
func (g *guard) check(header http.Header, r *http.Request) *refusal {
	if !g.allowsHost(r) {
		return refused(http.StatusForbidden, fmt.Sprintf("The server does not go by the name %.100q. "+
			"Its operator can allow it as a host.", r.Host))
	}
	if origin := r.Header.Get("Origin"); origin != "" {
		if !g.allowsOrigin(origin) {
			return refused(http.StatusForbidden, fmt.Sprintf("Pages of %.100q may not call this server. "+
				"Its operator can allow that origin.", origin))
		}
		allowOrigin(header, origin)
	}
	if r.Method == http.MethodOptions {
		return nil
	}
	return g.checkToken(header, r)
}

func (g *guard) allowsHost(r *http.Request) bool {
	full := strings.ToLower(r.Host)
	name := hostname(full)
	if slices.Contains(g.hosts, "*") || slices.Contains(g.hosts, full) || slices.Contains(g.hosts, name) {
		return true
	}
	local, _ := r.Context().Value(http.LocalAddrContextKey).(*net.TCPAddr)
	if g.loopback || local != nil && local.IP.IsLoopback() {
		return isLoopback(name)
	}
	return len(g.hosts) == 0 || g.own != "" && name == hostname(g.own)
}

func (g *guard) allowsOrigin(origin string) bool {
	origin = strings.ToLower(origin)
	if slices.Contains(g.origins, "*") || slices.Contains(g.origins, origin) {
		return true
	}
	u, err := url.Parse(origin)
	return err == nil && g.loopback && (u.Scheme == "http" || u.Scheme == "https") && isLoopback(u.Hostname())
}

// corsHeaders are the request headers that pages may set.
const corsHeaders = "Accept, Authorization, Content-Type, " + mcp.HeaderLastEventID + ", " +
	mcp.HeaderProtocolVersion + ", " + mcp.HeaderSessionID + ", " + mcp.HeaderMethod + ", " + mcp.HeaderName

func allowOrigin(h http.Header, origin string) {
	h.Add("Vary", "Origin")
	h.Set("Access-Control-Allow-Origin", origin)
	h.Set("Access-Control-Allow-Methods", "GET, POST, DELETE, OPTIONS")
	h.Set("Access-Control-Allow-Headers", corsHeaders)
	h.Set("Access-Control-Expose-Headers", mcp.HeaderSessionID+", "+mcp.HeaderProtocolVersion+", WWW-Authenticate")
	h.Set("Access-Control-Max-Age", "600")
}

// checkToken compares the bearer token in constant time.
func (g *guard) checkToken(header http.Header, r *http.Request) *refusal {
	if g.token == nil {
		return nil
	}
	scheme, token, _ := strings.Cut(r.Header.Get("Authorization"), " ")
	sum := sha256.Sum256([]byte(strings.TrimSpace(token)))
	if strings.EqualFold(scheme, "Bearer") && subtle.ConstantTimeCompare(sum[:], g.token[:]) == 1 {
		return nil
	}
	challenge, what := `Bearer realm="anything-mcp"`, "This server wants a token."
	if token != "" {
		challenge, what = challenge+`, error="invalid_token"`, "The token is not the server's."
	}
	header.Set("WWW-Authenticate", challenge)
	return refused(http.StatusUnauthorized, what+" Send the header Authorization: Bearer <token> with the token "+
		"that the server was started with. There is no OAuth login: set the header in the client's configuration.")
}

// hostname strips the port and the brackets of an IPv6 address.
func hostname(hostport string) string { return (&url.URL{Host: hostport}).Hostname() }

// isLoopback reports whether host, without a port, always means this machine.
func isLoopback(host string) bool {
	if strings.EqualFold(host, "localhost") {
		return true
	}
	ip, err := netip.ParseAddr(host)
	return err == nil && ip.IsLoopback()
}
