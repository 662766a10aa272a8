package text

import (
	"net/url"
	"regexp"
	"strings"
)

// ParseLink returns s as a URL that is safe to show: http or https, in printable
// ASCII, without a user name that could pass for the host. It returns nil for
// anything else.
func ParseLink(s string) *url.URL {
	if strings.ContainsFunc(s, func(r rune) bool { return r <= ' ' || r > '~' }) {
		return nil
	}
	u, err := url.Parse(s)
	if err != nil || u.Scheme != "https" && u.Scheme != "http" || u.Hostname() == "" || u.User != nil {
		return nil
	}
	return u
}

// link matches a URL with an authority, up to the first character that cannot
// belong to it.
var link = regexp.MustCompile(`(?i)\b([a-z][a-z0-9+.-]*://)(?:[^/?#@\s"'<>\\]*@)?([^/?#@\s"'<>\\]*)([/?#][^\s"'<>\\]*)?`)

// WithoutLinks returns s with each URL reduced to its scheme and host, since a
// path or a query may hold a token: https://viewer.example/….
func WithoutLinks(s string) string {
	if !strings.Contains(s, "://") {
		return s
	}
	return link.ReplaceAllStringFunc(s, func(u string) string {
		m := link.FindStringSubmatch(u)
		if len(m[3]) > 1 {
			return m[1] + m[2] + "/" + ellipsis
		}
		return m[1] + m[2] + m[3]
	})
}
