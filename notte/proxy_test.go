package notte

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
)

const proxyPassword = "pr0xy-s3cret"

// TestProxySettings reads settings of proxies as users write them, and checks which
// proxy a request goes through: its URL without the password, "direct" for none, or
// "bad" for a setting that cannot be used.
func TestProxySettings(t *testing.T) {
	for _, tt := range []struct{ situation, setting, target, except, want string }{
		{"no proxy", "", "https://api.notte.cc", "", "direct"},
		{"blank", " \n", "https://api.notte.cc", "", "direct"},
		{"a URL", "http://proxy.corp:3128", "https://api.notte.cc", "", "http://proxy.corp:3128"},
		{"a URL with a slash", "http://proxy.corp:3128/", "https://api.notte.cc", "", "http://proxy.corp:3128/"},
		{"space around it", " http://proxy.corp:3128\n", "https://api.notte.cc", "", "http://proxy.corp:3128"},
		{"in capitals", "HTTP://PROXY.CORP:3128", "https://api.notte.cc", "", "http://PROXY.CORP:3128"},
		{"for http", "http://proxy.corp:3128", "http://api.notte.cc", "", "http://proxy.corp:3128"},
		{"a host and a port", "proxy.corp:3128", "https://api.notte.cc", "", "http://proxy.corp:3128"},
		{"a host", "proxy.corp", "https://api.notte.cc", "", "http://proxy.corp"},
		{"an IPv6 address", "[::1]:3128", "https://api.notte.cc", "", "http://[::1]:3128"},
		{"a user", "http://user:" + proxyPassword + "@proxy.corp:3128", "https://api.notte.cc", "", "http://proxy.corp:3128"},
		{"a user without a scheme", "user:" + proxyPassword + "@proxy.corp:3128", "https://api.notte.cc", "", "http://proxy.corp:3128"},
		{"an escaped password", "http://user:pa%23ss%25@proxy.corp:3128", "https://api.notte.cc", "", "http://proxy.corp:3128"},
		{"over TLS", "https://proxy.corp", "https://api.notte.cc", "", "https://proxy.corp"},
		{"SOCKS", "socks5://proxy.corp:1080", "https://api.notte.cc", "", "socks5://proxy.corp:1080"},
		{"SOCKS, names resolved there", "socks5h://proxy.corp", "https://api.notte.cc", "", "socks5h://proxy.corp"},

		{"an exception", "http://proxy.corp", "https://api.notte.cc", "localhost,.notte.cc", "direct"},
		{"no exception", "http://proxy.corp", "https://api.notte.cc", "example.com, otte.cc", "http://proxy.corp"},
		{"everything is an exception", "http://proxy.corp", "https://api.notte.cc", "*", "direct"},
		{"this machine", "http://proxy.corp", "http://127.0.0.1:8809", "", "direct"},
		{"this machine by its name", "http://proxy.corp", "http://localhost:8809", "", "direct"},
		{"a setting that is not needed", "http://user:pa#" + proxyPassword + "@proxy.corp", "https://api.notte.cc", "notte.cc", "direct"},

		{"the report", "http://user:pa#ss%@127.0.0.1:9", "https://api.notte.cc", "", "bad"},
		{"#", "http://user:pa#" + proxyPassword + "@proxy.corp:3128", "https://api.notte.cc", "", "bad"},
		{"# after digits", "http://user:12#" + proxyPassword + "@proxy.corp:3128", "https://api.notte.cc", "", "bad"},
		{"# without a scheme", "user:12#" + proxyPassword + "@proxy.corp:3128", "https://api.notte.cc", "", "bad"},
		{"/", "http://user:12/" + proxyPassword + "@proxy.corp:3128", "https://api.notte.cc", "", "bad"},
		{"?", "http://user:12?" + proxyPassword + "@proxy.corp:3128", "https://api.notte.cc", "", "bad"},
		{"%", "http://user:%" + proxyPassword + "@proxy.corp:3128", "https://api.notte.cc", "", "bad"},
		{"a space", "http://user: " + proxyPassword + "@proxy.corp:3128", "https://api.notte.cc", "", "bad"},
		{"quotes", `"http://proxy.corp:3128"`, "https://api.notte.cc", "", "bad"},
		{"a placeholder", "${HTTPS_PROXY}", "https://api.notte.cc", "", "bad"},
		{"a placeholder of Windows", "%HTTPS_PROXY%", "https://api.notte.cc", "", "bad"},
		{"no host", "http://:3128", "https://api.notte.cc", "", "bad"},
		{"no port after the colon", "http://user:" + proxyPassword, "https://api.notte.cc", "", "bad"},
		{"SOCKS 4", "socks4://proxy.corp:1080", "https://api.notte.cc", "", "bad"},
		{"SOCKS without a version", "socks://user:" + proxyPassword + "@proxy.corp:1080", "https://api.notte.cc", "", "bad"},
		{"a script", "file:///etc/proxy.pac", "https://api.notte.cc", "", "bad"},
	} {
		setting := ProxySetting{Name: "THE_PROXY", URL: tt.setting}
		req := httptest.NewRequest(http.MethodPost, tt.target, nil)
		u, err := Proxies{HTTP: setting, HTTPS: setting, Except: tt.except}.choose()(req)
		got := "direct"
		switch {
		case err != nil:
			got = "bad"
			e := &Error{Op: "start the build", Host: "api.notte.cc", Err: err, Message: err.Error()}
			if s := e.Error(); !strings.Contains(s, "THE_PROXY") || !strings.Contains(s, "no connection was made") || strings.Contains(s, proxyPassword) || strings.Contains(s, "pa#") {
				t.Errorf("%s: %s", tt.situation, s)
			}
			if _, again := retryDelay(e, 0); again || MayHaveStarted(e) {
				t.Errorf("%s: try again: %v", tt.situation, again)
			}
		case u != nil:
			u.User = nil
			got = u.String()
		}
		if got != tt.want {
			t.Errorf("%s: %s, want %s (%v)", tt.situation, got, tt.want, err)
		}
	}
}

// TestProxyRefuses checks that a refusal is told as the proxy's, with its host and
// without its password, and that nothing goes past the proxy.
func TestProxyRefuses(t *testing.T) {
	for _, tt := range []struct {
		situation string
		scheme    string // of the API
		status    int
		words     []string
		tries     int32 // of a look-up
	}{
		{"no login, https", "https", 407, []string{"answered 407 Proxy Authentication Required", "user name and a password", "THE_PROXIES"}, 1},
		{"no login, http", "http", 407, []string{"answered 407 Proxy Authentication Required", "user name and a password", "THE_PROXIES"}, 1},
		{"a filter", "https", 403, []string{"refused to connect to notte.test (403 Forbidden)", "THE_PROXIES"}, 1},
		{"no such host there", "https", 502, []string{"refused to connect to notte.test (502 Bad Gateway)", "THE_PROXIES"}, 3},
		{"a status that nobody knows", "https", 599, []string{"refused to connect to notte.test (599"}, 3},
	} {
		t.Run(tt.situation, func(t *testing.T) {
			var asked atomic.Int32
			proxy := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				asked.Add(1)
				w.WriteHeader(tt.status)
			}))
			defer proxy.Close()
			host := strings.TrimPrefix(proxy.URL, "http://")
			setting := ProxySetting{"THE_PROXY", "http://user:" + proxyPassword + "@" + host}
			c, err := NewClient(Config{
				Key: "k-4711", APIURL: tt.scheme + "://notte.test", AnythingURL: tt.scheme + "://notte.test",
				Names:      SettingNames{Proxies: "THE_PROXIES"},
				HTTPClient: NewHTTPClient(0, Proxies{HTTP: setting, HTTPS: setting}),
			})
			if err != nil {
				t.Fatal(err)
			}
			_, started := c.StartBuild(t.Context(), BuildRequest{Query: "q"})
			if n := asked.Swap(0); n != 1 || MayHaveStarted(started) {
				t.Errorf("the proxy was asked %d times; may have started: %v", n, MayHaveStarted(started))
			}
			_, looked := c.GetFunction(t.Context(), "f1")
			if n := asked.Load(); n != tt.tries {
				t.Errorf("the proxy was asked %d times, want %d", n, tt.tries)
			}
			for _, err := range []error{started, looked} {
				var e *Error
				if !errors.As(err, &e) || strings.Contains(err.Error(), proxyPassword) || strings.Contains(err.Error(), "Notte answered") {
					t.Fatal(err)
				}
				for _, word := range append(tt.words, "the proxy "+host) {
					if !strings.Contains(err.Error(), word) {
						t.Errorf("%q does not say %q", err, word)
					}
				}
			}
		})
	}
}
