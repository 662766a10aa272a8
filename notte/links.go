package notte

import (
	"net/netip"
	"net/url"
	"strings"
)

const (
	maxViewerURL = 8 << 10 // bytes; the token in it may be long
	maxThreadURL = 2 << 10
)

// links decides which links of a v2 stream become part of an event. Its items are
// the base URLs of the APIs.
type links []*url.URL

// viewer returns link if it may be a viewer's, or "": https on notte.cc or a
// subdomain, or any link to this machine or the host of an API. Other links may come
// from a web page that a tool quotes.
func (l links) viewer(link string) string {
	u := parseLink(link, maxViewerURL)
	if u == nil {
		return ""
	}
	host := strings.ToLower(u.Hostname())
	ofNotte := host == "notte.cc" || strings.HasSuffix(host, ".notte.cc")
	if ofNotte && u.Scheme == "https" || l.has(host) {
		return link
	}
	return ""
}

// thread returns link if it may be the page of a thread, or "": https on any host,
// or http on this machine or the host of an API.
func (l links) thread(link string) string {
	if u := parseLink(link, maxThreadURL); u != nil && (u.Scheme == "https" || l.has(u.Hostname())) {
		return link
	}
	return ""
}

// parseLink parses a link for a browser: at most limit printable ASCII bytes, http or
// https, without a user name. It returns nil for anything else.
func parseLink(link string, limit int) *url.URL {
	if len(link) > limit || strings.ContainsFunc(link, func(r rune) bool { return r <= ' ' || r > '~' }) {
		return nil
	}
	u, err := url.Parse(link)
	if err != nil || u.Scheme != "https" && u.Scheme != "http" || u.Hostname() == "" || u.User != nil {
		return nil
	}
	return u
}

// has reports whether host is this machine or the host of an API.
func (l links) has(host string) bool {
	for _, base := range l {
		if strings.EqualFold(base.Hostname(), host) {
			return true
		}
	}
	host = strings.ToLower(host)
	ip, err := netip.ParseAddr(host)
	return err == nil && ip.IsLoopback() || host == "localhost" || strings.HasSuffix(host, ".localhost")
}
