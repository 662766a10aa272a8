package transport

import (
	"crypto/sha256"
	"crypto/subtle"
	"encoding/json"
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

// guard decides who may talk to /mcp: it refuses foreign hosts and origins,
// which is how web pages reach servers on their visitor's machine, and calls
// without the token.
type guard struct {
	token    *[sha256.Size]byte // nil: none is asked for
	loopback bool               // the server listens on loopback only
	own      string             // the host listened on, empty for all
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
		return guard{}, fmt.Errorf("listening on %s lets others in: set ANYTHING_MCP_AUTH_TOKEN to a secret that "+
			"clients then send as a bearer token, or listen on 127.0.0.1", opts.Addr)
	}
	if strings.ContainsFunc(opts.AuthToken, func(r rune) bool { return r <= ' ' || r > '~' }) {
		return guard{}, errors.New("the token in ANYTHING_MCP_AUTH_TOKEN cannot be sent in a header: " +
			"use printable ASCII without spaces")
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
			return guard{}, fmt.Errorf("the allowed origin %q is not one: write it like https://app.example.com", o)
		}
		g.origins = append(g.origins, o)
	}
	return g, nil
}

// admit reports whether r may go on. If not, or if r only asks what is allowed
// across origins, it has been answered.
func (g *guard) admit(w http.ResponseWriter, r *http.Request) bool {
	if !g.allowsHost(r) {
		refuseHTTP(w, http.StatusForbidden, fmt.Sprintf("The server does not go by the name %.100q. "+
			"Its operator can allow it as a host.", r.Host))
		return false
	}
	if origin := r.Header.Get("Origin"); origin != "" {
		if !g.allowsOrigin(origin) {
			refuseHTTP(w, http.StatusForbidden, fmt.Sprintf("Pages of %.100q may not call this server. "+
				"Its operator can allow that origin.", origin))
			return false
		}
		allowOrigin(w.Header(), origin)
	}
	if r.Method == http.MethodOptions {
		w.Header().Set("Allow", "GET, POST, DELETE, OPTIONS")
		w.WriteHeader(http.StatusNoContent)
		return false
	}
	return g.authorize(w, r)
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
var corsHeaders = strings.Join([]string{
	"Accept", "Authorization", "Content-Type", mcp.HeaderLastEventID,
	mcp.HeaderProtocolVersion, mcp.HeaderSessionID, mcp.HeaderMethod, mcp.HeaderName,
}, ", ")

func allowOrigin(h http.Header, origin string) {
	h.Add("Vary", "Origin")
	h.Set("Access-Control-Allow-Origin", origin)
	h.Set("Access-Control-Allow-Methods", "GET, POST, DELETE, OPTIONS")
	h.Set("Access-Control-Allow-Headers", corsHeaders)
	h.Set("Access-Control-Expose-Headers", mcp.HeaderSessionID+", "+mcp.HeaderProtocolVersion+", WWW-Authenticate")
	h.Set("Access-Control-Max-Age", "600")
}

// authorize compares the bearer token in a time that says nothing about it.
func (g *guard) authorize(w http.ResponseWriter, r *http.Request) bool {
	if g.token == nil {
		return true
	}
	scheme, token, _ := strings.Cut(r.Header.Get("Authorization"), " ")
	sum := sha256.Sum256([]byte(strings.TrimSpace(token)))
	if strings.EqualFold(scheme, "Bearer") && subtle.ConstantTimeCompare(sum[:], g.token[:]) == 1 {
		return true
	}
	challenge, what := `Bearer realm="anything-mcp"`, "This server wants a token."
	if token != "" {
		challenge, what = challenge+`, error="invalid_token"`, "The token is not the server's."
	}
	w.Header().Set("WWW-Authenticate", challenge)
	refuseHTTP(w, http.StatusUnauthorized, what+" Send the header Authorization: Bearer <token> with the value of "+
		"ANYTHING_MCP_AUTH_TOKEN that the server was started with. There is no OAuth login: "+
		"set the header in the client's configuration.")
	return false
}

// hostname strips the port and the brackets of an IPv6 address.
func hostname(hostport string) string {
	if host, _, err := net.SplitHostPort(hostport); err == nil {
		return host
	}
	return strings.Trim(hostport, "[]")
}

// isLoopback reports whether host, without a port, can only mean this machine.
func isLoopback(host string) bool {
	if strings.EqualFold(host, "localhost") {
		return true
	}
	ip, err := netip.ParseAddr(host)
	return err == nil && ip.IsLoopback()
}

// refuseHTTP answers a request that never became a JSON-RPC call with an error
// of the same shape, so that every client can show its text.
func refuseHTTP(w http.ResponseWriter, status int, text string) {
	refuse(w, status, nil, &rpcError{codeServer, text})
}

func refuse(w http.ResponseWriter, status int, id json.RawMessage, e *rpcError) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_, _ = w.Write(encodeError(id, e)) // a client that is gone needs no error
}

func writeJSON(w http.ResponseWriter, status int, value any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	enc := json.NewEncoder(w)
	enc.SetEscapeHTML(false) // people read these raw
	_ = enc.Encode(value)
}
