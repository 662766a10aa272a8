package e2e_test

import (
	"encoding/pem"
	"io"
	"log"
	"net"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
)

// secureHost is a name in the certificate of httptest's servers.
const secureHost = "example.com"

// serveTLS serves Notte over TLS until the test ends, and returns its address and a
// file with the certificate.
func serveTLS(t *testing.T, api *service) (addr, certFile string) {
	t.Helper()
	server := httptest.NewUnstartedServer(api)
	server.Config.ErrorLog = log.New(io.Discard, "", 0) // it complains of handshakes
	server.StartTLS()
	t.Cleanup(server.Close)
	t.Cleanup(api.Close) // runs first: it ends the streams that server.Close waits for
	certFile = filepath.Join(t.TempDir(), "ca.pem")
	block := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: server.Certificate().Raw})
	if err := os.WriteFile(certFile, block, 0o600); err != nil {
		t.Fatal(err)
	}
	return server.Listener.Addr().String(), certFile
}

// over runs a test with a server of each transport, in different eras.
func over(t *testing.T, test func(t *testing.T, serve func(url string, env []string) *conn)) {
	for transport, e := range map[string]era{"stdio": modern, "http": legacy} {
		t.Run(transport, func(t *testing.T) {
			t.Parallel()
			test(t, func(url string, env []string) *conn {
				c, p := serveWith(t, transport, e, url, env, "--state-dir=memory")
				t.Cleanup(func() { checkSecrets(t, "the log", p.stderr.String(), proxyPassword, escaped(proxyPassword)) })
				return c
			})
		})
	}
}

// escaped returns how a password is written in a URL.
func escaped(password string) string {
	return strings.TrimPrefix(url.UserPassword("", password).String(), ":")
}

// checkNoBuild checks what a build and a run return that cannot reach Notte: that they
// say all the words, and nothing of the proxy's password.
func checkNoBuild(t *testing.T, c *conn, says ...string) {
	t.Helper()
	for what, id := range map[string]int{"the build": c.build("a build"), "the run": c.call("run_function", args{"function_id": "fn"})} {
		out := c.outcome(id)
		checkSecrets(t, what, out.text, proxyPassword, escaped(proxyPassword), "pa#ss")
		for _, words := range append(says, "never began") {
			if !out.isError || !strings.Contains(out.text, words) {
				t.Errorf("%s does not say %q: %s", what, words, out.text)
			}
		}
	}
}

// Requests go through the proxy that the system's variables name.
func TestProxyIsUsed(t *testing.T) {
	skipManyProcesses(t)
	for _, test := range []struct {
		situation string
		scheme    string // of Notte
		socks     bool
		login     bool
		env       func(p *proxyServer) []string
	}{
		{"HTTP_PROXY", "http", false, false, func(p *proxyServer) []string { return []string{"HTTP_PROXY=" + p.url("http", "")} }},
		{"http_proxy, without a scheme", "http", false, false, func(p *proxyServer) []string { return []string{"http_proxy=" + p.addr} }},
		{"HTTP_PROXY with a password", "http", false, true, func(p *proxyServer) []string { return []string{"HTTP_PROXY=" + p.url("http", proxyPassword)} }},
		{"HTTPS_PROXY", "https", false, false, func(p *proxyServer) []string { return []string{"HTTPS_PROXY=" + p.url("http", "")} }},
		{"https_proxy with a password", "https", false, true, func(p *proxyServer) []string { return []string{"https_proxy=" + p.url("http", proxyPassword)} }},
		{"ALL_PROXY", "https", false, false, func(p *proxyServer) []string { return []string{"ALL_PROXY=" + p.url("http", "")} }},
		{"all_proxy", "http", false, false, func(p *proxyServer) []string { return []string{"all_proxy=" + p.url("http", "")} }},
		{"ALL_PROXY of SOCKS", "https", true, false, func(p *proxyServer) []string { return []string{"ALL_PROXY=" + p.url("socks5", "")} }},
		{"all_proxy of SOCKS, for http", "http", true, false, func(p *proxyServer) []string { return []string{"all_proxy=" + p.url("socks5h", "")} }},
		{"SOCKS with a password", "https", true, true, func(p *proxyServer) []string { return []string{"ALL_PROXY=" + p.url("socks5h", proxyPassword)} }},
		{"HTTPS_PROXY of SOCKS", "https", true, false, func(p *proxyServer) []string { return []string{"HTTPS_PROXY=" + p.url("socks5", "")} }},
		{"its own variable before ALL_PROXY", "http", false, false, func(p *proxyServer) []string {
			return []string{"HTTP_PROXY=" + p.url("http", ""), "ALL_PROXY=http://user:pa#ss%@127.0.0.1:9", "HTTPS_PROXY=socks4://127.0.0.1:9"}
		}},
		{"exceptions for other hosts", "http", false, false, func(p *proxyServer) []string {
			return []string{"HTTP_PROXY=" + p.url("http", ""), "NO_PROXY=localhost,.corp"}
		}},
	} {
		t.Run(test.situation, func(t *testing.T) {
			if test.scheme == "https" && (runtime.GOOS == "windows" || runtime.GOOS == "darwin") {
				t.Skip("this system does not read SSL_CERT_FILE")
			}
			t.Parallel()
			over(t, func(t *testing.T, serve func(string, []string) *conn) {
				api, plain := newSandbox(t)
				api.Script("a build", done("fn"))
				p := &proxyServer{target: strings.TrimPrefix(plain, "http://"), login: test.login}
				host, env := "notte.test", []string(nil)
				if test.scheme == "https" {
					host = secureHost
					addr, certFile := serveTLS(t, api)
					p.target, env = addr, []string{"SSL_CERT_FILE=" + certFile}
				}
				if test.socks {
					p.serveSOCKS(t)
				} else {
					p.serveHTTP(t)
				}
				checkFit(t, serve(test.scheme+"://"+host, append(env, test.env(p)...)))
				if !p.askedFor(host) {
					t.Errorf("the proxy was asked for %v", p.hosts)
				}
			})
		})
	}
}

// A setting of a proxy that cannot be read is an error, which names the variable. No
// connection is made, neither through that proxy nor past it.
func TestProxySettingThatCannotBeRead(t *testing.T) {
	skipManyProcesses(t)
	for _, test := range []struct{ situation, variable, value, scheme string }{
		{"the report", "HTTPS_PROXY", "http://user:pa#ss%@127.0.0.1:9", "https"},
		{"in lower case", "https_proxy", "http://user:pa#ss@127.0.0.1:9", "https"},
		{"for http", "HTTP_PROXY", "user:pa#ss@127.0.0.1:9", "http"},
		{"for http, in lower case", "http_proxy", "http://user:12/pa#ss@127.0.0.1:9", "http"},
		{"for all", "ALL_PROXY", "socks5://user:12?pa#ss@127.0.0.1:9", "https"},
		{"for all, in lower case", "all_proxy", "http://user:%pa#ss@127.0.0.1:9", "http"},
		{"another kind", "ALL_PROXY", "socks4://user:pw@127.0.0.1:9", "https"},
		{"a placeholder", "HTTPS_PROXY", "${user_config.proxy}", "https"},
	} {
		t.Run(test.situation, func(t *testing.T) {
			t.Parallel()
			over(t, func(t *testing.T, serve func(string, []string) *conn) {
				c := serve(test.scheme+"://notte.test", []string{test.variable + "=" + test.value})
				checkNoBuild(t, c, test.variable+" ", "no connection was made")
			})
		})
	}
}

// A setting that no request needs is not read: requests to this machine use no proxy.
func TestProxySettingThatIsNotNeeded(t *testing.T) {
	t.Parallel()
	over(t, func(t *testing.T, serve func(string, []string) *conn) {
		api, url := newSandbox(t)
		api.Script("a build", done("fn"))
		checkFit(t, serve(url, []string{"HTTP_PROXY=http://user:pa#ss%@127.0.0.1:9"}))
	})
}

// What a proxy refuses is told as the proxy's.
func TestProxyRefuses(t *testing.T) {
	skipManyProcesses(t)
	for _, test := range []struct {
		situation string
		scheme    string // of Notte
		socks     string // the proxy's scheme, if it is one of SOCKS
		login     bool   // the proxy wants one
		refuse    int    // see [proxyServer]
		password  string
		says      []string
	}{
		{"it wants a password", "https", "", true, 0, "", []string{"407 Proxy Authentication Required", "wants a user name and a password", "HTTPS_PROXY"}},
		{"it wants another password", "https", "", true, 0, "wrong", []string{"407 Proxy Authentication Required"}},
		{"it wants a password, for http", "http", "", true, 0, "", []string{"407 Proxy Authentication Required", "wants a user name and a password", "HTTPS_PROXY"}},
		{"a filter", "https", "", false, 403, proxyPassword, []string{"refused to connect to notte.test (403 Forbidden)", "HTTPS_PROXY"}},
		{"it does not find Notte", "https", "", false, 502, proxyPassword, []string{"refused to connect to notte.test (502 Bad Gateway)"}},
		{"it has no answer from Notte", "https", "", false, 504, "", []string{"refused to connect to notte.test (504 Gateway Timeout)"}},
		{"it hangs up", "https", "", false, hangUp, proxyPassword, []string{"notte.test could not be reached through the proxy"}},
		{"SOCKS does not reach Notte", "https", "socks5", false, 4, "", []string{"notte.test could not be reached through the proxy", "host unreachable"}},
		{"SOCKS forbids it", "http", "socks5h", false, 2, "", []string{"notte.test could not be reached through the proxy", "not allowed"}},
		{"SOCKS wants a password", "https", "socks5", true, 0, "", []string{"notte.test could not be reached through the proxy", "authentication"}},
		{"SOCKS wants another password", "https", "socks5", true, 0, "wrong password of the same length", []string{"notte.test could not be reached through the proxy", "authentication"}},
	} {
		t.Run(test.situation, func(t *testing.T) {
			t.Parallel()
			over(t, func(t *testing.T, serve func(string, []string) *conn) {
				p := &proxyServer{login: test.login, refuse: test.refuse}
				scheme := test.socks
				if p.serveHTTP(t); scheme != "" {
					p.serveSOCKS(t)
				}
				if scheme == "" {
					scheme = "http"
				}
				setting := p.url(scheme, test.password)
				c := serve(test.scheme+"://notte.test", []string{"HTTP_PROXY=" + setting, "HTTPS_PROXY=" + setting})
				checkNoBuild(t, c, append(test.says, "the proxy "+p.addr)...)
				if p.asked.Load() < 2 {
					t.Errorf("the proxy was asked %d times", p.asked.Load())
				}
			})
		})
	}
}

// A proxy that is not there is told with its address.
func TestProxyIsNotThere(t *testing.T) {
	t.Parallel()
	over(t, func(t *testing.T, serve func(string, []string) *conn) {
		listener, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		listener.Close()
		p := &proxyServer{addr: listener.Addr().String()}
		c := serve("https://notte.test", []string{"ALL_PROXY=" + p.url("http", proxyPassword)})
		checkNoBuild(t, c, "notte.test could not be reached through the proxy "+p.addr, "ALL_PROXY")
	})
}

// A certificate that is not trusted is told with the variable that helps.
func TestCertificateIsNotTrusted(t *testing.T) {
	t.Parallel()
	over(t, func(t *testing.T, serve func(string, []string) *conn) {
		api, _ := newSandbox(t)
		addr, _ := serveTLS(t, api)
		remedy := "SSL_CERT_FILE"
		switch runtime.GOOS {
		case "darwin":
			remedy = "keychain"
		case "windows":
			remedy = "Trusted Root"
		}
		checkNoBuild(t, serve("https://"+addr, nil), "does not trust the certificate", remedy)
		if n := len(api.Requests()); n != 0 {
			t.Errorf("Notte got %d requests", n)
		}
	})
}
