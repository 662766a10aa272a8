package notte

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"

	"golang.org/x/net/http/httpproxy"
)

// Proxies says through which proxies requests go. The zero value is none.
type Proxies struct {
	HTTP, HTTPS ProxySetting // for URLs of this scheme
	Except      string       // hosts that need no proxy, as in the variable NO_PROXY
}

// ProxySetting is a setting that holds the URL of a proxy: of the scheme http, which
// may be left out, https, socks5 or socks5h. The last two mean the same: the proxy
// resolves names. Empty means no proxy.
//
// A request that needs a setting that cannot be read fails: it goes neither through
// that proxy nor past it. The URL may hold a password, so no error repeats it.
type ProxySetting struct {
	Name string // in the user's words, such as the name of a variable
	URL  string
}

// choose returns the function that [http.Transport] asks for the proxy of a request.
// Like net/http, it uses none for this machine's own addresses.
func (p Proxies) choose() func(*http.Request) (*url.URL, error) {
	const some = "http://proxy.invalid" // httpproxy is asked only whether to use a proxy
	use := (&httpproxy.Config{HTTPProxy: some, HTTPSProxy: some, NoProxy: p.Except}).ProxyFunc()
	return func(req *http.Request) (*url.URL, error) {
		setting := p.HTTP
		if req.URL.Scheme == "https" {
			setting = p.HTTPS
		}
		if proxy, err := use(req.URL); proxy == nil || err != nil {
			return nil, err
		}
		return setting.parse()
	}
}

// parse returns the proxy's URL, or nil if none is set. It refuses a URL with a path, a
// query or a fragment, because its password probably holds a character that must be
// escaped.
func (s ProxySetting) parse() (*url.URL, error) {
	setting := strings.TrimSpace(s.URL)
	if setting == "" {
		return nil, nil
	}
	if !strings.Contains(setting, "://") {
		setting = "http://" + setting
	}
	u, err := url.Parse(setting)
	if err != nil || u.Hostname() == "" || strings.Trim(u.Path, "/") != "" || u.RawQuery != "" || u.ForceQuery || u.Fragment != "" {
		return nil, proxySettingError{s.Name, "cannot be read as the URL of a proxy"}
	}
	switch u.Scheme {
	case "http", "https", "socks5", "socks5h":
		return u, nil
	}
	return nil, proxySettingError{s.Name, "names a kind of proxy other than http, https, socks5 and socks5h"}
}

// proxySettingError is the error of a request that needs a proxy whose setting cannot
// be used.
type proxySettingError struct{ name, why string }

func (e proxySettingError) Error() string { return e.name + " " + e.why }

// proxyRefusal is the error of a request for which a proxy refused a connection, with
// the status of its answer to CONNECT.
type proxyRefusal int

func (e proxyRefusal) Error() string { return fmt.Sprint(int(e), " ", http.StatusText(int(e))) }

// checkConnect returns the error of a proxy's answer to CONNECT.
func checkConnect(_ context.Context, _ *url.URL, _ *http.Request, resp *http.Response) error {
	if resp.StatusCode != http.StatusOK {
		return proxyRefusal(resp.StatusCode)
	}
	return nil
}

// isFinalRefusal reports whether err is of a proxy that will refuse the same request
// again, or cannot be asked at all.
func isFinalRefusal(err error) bool {
	_, bad := errors.AsType[proxySettingError](err)
	refusal, refused := errors.AsType[proxyRefusal](err)
	return bad || refused && refusal < 500
}

// proxyOf returns the host of the proxy that requests to an address go through,
// without a password, or "".
func (c *Client) proxyOf(to *url.URL) string {
	if t, ok := c.http.Transport.(*http.Transport); ok && t.Proxy != nil {
		if u, err := t.Proxy(&http.Request{URL: to}); err == nil && u != nil {
			return u.Host
		}
	}
	return ""
}

// proxyObstacle returns why the proxy did not lead to Notte, or "" if something else
// was the reason.
func (e *Error) proxyObstacle() string {
	settings := e.names.proxies()
	if bad, ok := errors.AsType[proxySettingError](e.Err); ok {
		return fmt.Sprintf("%s, so no connection was made: write it like %s.", bad, proxyExample)
	}
	refusal, refused := errors.AsType[proxyRefusal](e.Err)
	switch {
	case refusal == http.StatusProxyAuthRequired:
		return fmt.Sprintf("%s answered %s. %s", e.proxyName(), refusal, e.proxyLogin())
	case refused:
		return fmt.Sprintf("%s refused to connect to %s (%s); check %s, or ask those who run the proxy.", e.proxyName(), e.Host, refusal, settings)
	case e.proxy != "" && !e.Sent && !isTLS(e.Err):
		return fmt.Sprintf("%s could not be reached through %s (%s); check the network and %s.", e.Host, e.proxyName(), e.Message, settings)
	}
	return ""
}

const proxyExample = "http://user:password@proxy.example:3128, with characters such as # / ? @ : % in the user name or password escaped as %23 %2F %3F %40 %3A %25"

// proxyName returns the proxy with its host, if that is known.
func (e *Error) proxyName() string {
	if e.proxy == "" {
		return "the proxy"
	}
	return "the proxy " + e.proxy
}

// proxyLogin returns the advice to a user whose proxy wants a user name.
func (e *Error) proxyLogin() string {
	return fmt.Sprintf("It wants a user name and a password, or other ones: check %s. A proxy's URL looks like %s.", e.names.proxies(), proxyExample)
}
