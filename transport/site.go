package transport

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"golang.org/x/net/idna"
)

// site is the host that a request is addressed to, or the origin of the page that
// sends it.
type site struct {
	scheme string // of an origin; empty for a host
	name   string // an IP address, or a DNS name in lower case and ASCII, without a dot at its end
	port   string // empty for the default port
}

var (
	errNotHost   = errors.New("not the name of a host")
	errNotOrigin = errors.New("not a scheme and a host")
)

// parseHost parses a host with or without a port. It ignores the scheme and the path
// of a URL.
func parseHost(s string) (site, error) {
	if ip, err := netip.ParseAddr(s); err == nil && ip.Is6() {
		s = "[" + s + "]"
	}
	if !strings.Contains(s, "://") {
		s = "//" + s
	}
	host, err := parseSite(s)
	host.scheme = ""
	return host, err
}

// parseOrigin parses an origin. It ignores the path of a URL.
func parseOrigin(s string) (site, error) {
	origin, err := parseSite(s)
	if err != nil || origin.scheme == "" {
		return site{}, errNotOrigin
	}
	return origin, nil
}

func parseSite(s string) (site, error) {
	u, err := url.Parse(s)
	if err != nil || u.User != nil || u.Opaque != "" {
		return site{}, errNotHost
	}
	port := u.Port()
	if n, err := strconv.ParseUint(port, 10, 16); port != "" && (err != nil || n == 0) {
		return site{}, errNotHost
	}
	if port == "443" && u.Scheme != "http" || port == "80" && u.Scheme != "https" {
		port = "" // clients leave out the default port
	}
	name, err := normalizeName(u.Hostname())
	return site{u.Scheme, name, port}, err
}

// lookup maps names as browsers do. It also takes names with an underscore, which
// containers have.
var lookup = idna.New(idna.MapForLookup(), idna.StrictDomainName(false), idna.CheckHyphens(false), idna.VerifyDNSLength(true))

// normalizeName returns a name as clients send it. The name may begin with "*.".
func normalizeName(name string) (string, error) {
	name = strings.TrimRight(name, ".")
	if ip, err := netip.ParseAddr(name); err == nil {
		return ip.Unmap().String(), nil
	}
	parent, isWildcard := strings.CutPrefix(name, "*.")
	ascii, err := lookup.ToASCII(parent) // maps the full stops of other scripts too
	ascii = strings.TrimSuffix(ascii, ".")
	if err != nil || !utf8.ValidString(parent) || strings.Trim(ascii, "abcdefghijklmnopqrstuvwxyz0123456789-_.") != "" {
		return "", errNotHost
	}
	if _, err := netip.ParseAddr(ascii); err == nil {
		return "", errNotHost // nothing is below an IP address
	}
	if isWildcard {
		ascii = "*." + ascii
	}
	return ascii, nil
}

// String returns s as an operator allows it. Of a host it leaves out the port.
func (s site) String() string {
	switch {
	case s.scheme == "":
		return s.name
	case s.port != "":
		return s.scheme + "://" + net.JoinHostPort(s.name, s.port)
	case strings.Contains(s.name, ":"):
		return s.scheme + "://[" + s.name + "]"
	default:
		return s.scheme + "://" + s.name
	}
}

// anySite allows all sites.
var anySite = site{name: "*"}

// allows reports whether an allowed site stands for s. A name that begins with "*."
// stands for all names below it. A host without a port stands for all ports.
func (a site) allows(s site) bool {
	switch {
	case a == anySite:
		return true
	case a.scheme != s.scheme, a.port != s.port && (a.scheme != "" || a.port != ""):
		return false
	}
	parent, isWildcard := strings.CutPrefix(a.name, "*")
	return a.name == s.name || isWildcard && strings.HasSuffix(s.name, parent)
}

// parseSites parses the sites that an operator allows. "*" stands for all sites.
func parseSites(entries []string, parse func(string) (site, error)) (sites []site, err error) {
	for _, entry := range entries {
		s := anySite
		switch entry = strings.TrimSpace(entry); entry {
		case "":
			continue
		case "*":
		default:
			if s, err = parse(entry); err != nil {
				return nil, fmt.Errorf("%q is %w", entry, err)
			}
		}
		sites = append(sites, s)
	}
	return sites, nil
}

// isAllowed reports whether one of the allowed sites stands for s.
func isAllowed(allowed []site, s site) bool {
	return slices.ContainsFunc(allowed, func(a site) bool { return a.allows(s) })
}
