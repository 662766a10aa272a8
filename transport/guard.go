package transport

import (
	"crypto/sha256"
	"crypto/subtle"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"strings"

	"github.com/mark3labs/mcp-go/mcp"
)

// ErrToken is wrapped by the errors of [NewHTTP] about HTTPOptions.AuthToken.
var ErrToken = errors.New("the server's token")

// guard decides who may call /mcp. Web pages can reach a server on the machine of
// their visitor, under a name that they choose. So a page of a foreign origin may not
// call. If the server has a token, all calls must have it, and the name does not
// matter, because such a page does not know the token. Otherwise the server listens
// on loopback and refuses foreign names.
type guard struct {
	token    *[sha256.Size]byte // nil: no token is needed
	loopback bool               // the server listens on loopback only
	hosts    []site
	origins  []site

	hostSetting, originSetting string
}

func newGuard(opts HTTPOptions) (guard, error) {
	host, _, err := net.SplitHostPort(opts.Addr)
	if err != nil {
		return guard{}, fmt.Errorf("the address %q is not a host and a port: write it like 127.0.0.1:8808", opts.Addr)
	}
	g := guard{loopback: isLoopback(host), hostSetting: opts.HostSetting, originSetting: opts.OriginSetting}
	if opts.AuthToken == "" && !g.loopback {
		return guard{}, fmt.Errorf("other machines can reach %s, but %w is missing: without one, listen on 127.0.0.1", opts.Addr, ErrToken)
	}
	if strings.ContainsFunc(opts.AuthToken, func(r rune) bool { return r <= ' ' || r > '~' }) {
		return guard{}, fmt.Errorf("%w cannot be sent in a header: use printable ASCII without spaces", ErrToken)
	}
	if opts.AuthToken != "" {
		sum := sha256.Sum256([]byte(opts.AuthToken))
		g.token = &sum
	}
	if g.hosts, err = parseSites(opts.AllowedHosts, parseHost); err != nil {
		return guard{}, fmt.Errorf("the allowed host %w: write it like mcp.example.com or *.example.com", err)
	}
	if g.origins, err = parseSites(opts.AllowedOrigins, parseOrigin); err != nil {
		return guard{}, fmt.Errorf("the allowed origin %w: write it like https://app.example.com or https://*.example.com", err)
	}
	return g, nil
}

// check returns why r is refused, or nil. It sets the headers for CORS and
// authentication. A preflight request needs no token.
func (g *guard) check(header http.Header, r *http.Request) *refusal {
	if bad := g.checkHost(r); bad != nil {
		return bad
	}
	if page := r.Header.Get("Origin"); page != "" {
		if bad := g.checkOrigin(page); bad != nil {
			return bad
		}
		allowOrigin(header, page)
	}
	if r.Method == http.MethodOptions {
		return nil
	}
	return g.checkToken(header, r)
}

// checkHost returns why a request to this host is refused, or nil.
func (g *guard) checkHost(r *http.Request) *refusal {
	if g.token == nil {
		if host, err := parseHost(r.Host); !isAllowed(g.hosts, host) && !isLoopback(host.name) {
			return foreign(fmt.Sprintf("The host %.100q is not allowed. The server's operator can allow it.", r.Host),
				g.hostSetting, host, err)
		}
	}
	return nil
}

// checkOrigin returns why a request of a page of this origin is refused, or nil.
func (g *guard) checkOrigin(page string) *refusal {
	if origin, err := parseOrigin(page); !isAllowed(g.origins, origin) && !g.isOwnPage(origin) {
		return foreign(fmt.Sprintf("The origin %.100q is not allowed. The server's operator can allow it.", page),
			g.originSetting, origin, err)
	}
	return nil
}

// isOwnPage reports whether the origin is of the machine that the server is for.
func (g *guard) isOwnPage(origin site) bool {
	return g.loopback && isLoopback(origin.name) && (origin.scheme == "http" || origin.scheme == "https")
}

// foreign returns the refusal of a request to a foreign host or from a foreign page.
func foreign(text, setting string, s site, parseErr error) *refusal {
	bad := refused(http.StatusForbidden, text)
	if parseErr == nil && setting != "" {
		bad.remedy = setting + " " + s.String()
	}
	return bad
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
	challenge, what := `Bearer realm="anything-mcp"`, "This server needs a token."
	if token != "" {
		challenge, what = challenge+`, error="invalid_token"`, "The token is wrong."
	}
	header.Set("WWW-Authenticate", challenge)
	return refused(http.StatusUnauthorized, what+" Send the header Authorization: Bearer <token> with the token "+
		"that the server was started with. The server has no OAuth, so set the header in the client's configuration.")
}

// isLoopback reports whether host, without a port, always means this machine.
func isLoopback(host string) bool {
	if strings.EqualFold(host, "localhost") {
		return true
	}
	ip, err := netip.ParseAddr(host)
	return err == nil && ip.IsLoopback()
}
