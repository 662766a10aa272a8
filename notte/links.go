package notte

import (
	"net/netip"
	"net/url"
	"slices"
	"strings"

	"github.com/anything-mcp/anything-mcp/text"
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
	u := text.ParseLink(link)
	if u == nil || len(link) > maxViewerURL {
		return ""
	}
	ofNotte := strings.HasSuffix("."+strings.ToLower(u.Hostname()), ".notte.cc")
	if ofNotte && u.Scheme == "https" || l.has(u.Hostname()) {
		return link
	}
	return ""
}

// thread returns link if it may be the page of a thread, or "": https on any host,
// or http on this machine or the host of an API.
func (l links) thread(link string) string {
	if u := text.ParseLink(link); u != nil && len(link) <= maxThreadURL && (u.Scheme == "https" || l.has(u.Hostname())) {
		return link
	}
	return ""
}

// has reports whether host is this machine or the host of an API.
func (l links) has(host string) bool {
	if slices.ContainsFunc(l, func(base *url.URL) bool { return strings.EqualFold(base.Hostname(), host) }) {
		return true
	}
	ip, err := netip.ParseAddr(host)
	return err == nil && ip.IsLoopback() || strings.HasSuffix("."+strings.ToLower(host), ".localhost")
}
