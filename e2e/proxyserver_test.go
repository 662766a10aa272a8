package e2e_test

import (
	"bufio"
	"encoding/base64"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
)

// proxyUser and proxyPassword are what the proxies of the tests want, if anything. The
// password needs escapes in a URL.
const (
	proxyUser     = "user"
	proxyPassword = "pw-e2e#4f%2:0c@9a/1?7"
)

// proxyServer is a proxy that leads every host name to one address.
type proxyServer struct {
	addr   string
	target string       // host and port
	login  bool         // it wants the user name and the password
	refuse int          // status, or reply of SOCKS, with which it refuses; 0: it does not
	asked  atomic.Int64 // connections and requests

	mu    sync.Mutex
	hosts map[string]bool // that it was asked for
}

// url returns the proxy's URL of a scheme, with the login if that is not empty.
func (p *proxyServer) url(scheme, password string) string {
	u := url.URL{Scheme: scheme, Host: p.addr}
	if password != "" {
		u.User = url.UserPassword(proxyUser, password)
	}
	return u.String()
}

func (p *proxyServer) ask(host string) {
	p.asked.Add(1)
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.hosts == nil {
		p.hosts = make(map[string]bool)
	}
	p.hosts[host] = true
}

// askedFor reports whether the proxy was asked for that host and for no other.
func (p *proxyServer) askedFor(host string) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return len(p.hosts) == 1 && p.hosts[host]
}

// serveHTTP makes p an HTTP proxy on loopback until the test ends.
func (p *proxyServer) serveHTTP(t *testing.T) {
	server := httptest.NewServer(p)
	t.Cleanup(server.Close)
	p.addr = server.Listener.Addr().String()
}

func (p *proxyServer) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	p.ask(r.URL.Hostname())
	login := "Basic " + base64.StdEncoding.EncodeToString([]byte(proxyUser+":"+proxyPassword))
	switch {
	case p.login && r.Header.Get("Proxy-Authorization") != login:
		w.Header().Set("Proxy-Authenticate", "Basic realm=proxy")
		http.Error(w, "<title>Squid</title>", http.StatusProxyAuthRequired)
	case p.refuse == hangUp:
		panic(http.ErrAbortHandler)
	case p.refuse != 0:
		w.WriteHeader(p.refuse)
	case r.Method == http.MethodConnect:
		p.connect(w)
	default:
		forward := httputil.NewSingleHostReverseProxy(&url.URL{Scheme: "http", Host: p.target})
		forward.ServeHTTP(w, r)
	}
}

// hangUp has a proxy close the connection instead of an answer.
const hangUp = -1

func (p *proxyServer) connect(w http.ResponseWriter) {
	there, err := net.Dial("tcp", p.target)
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadGateway)
		return
	}
	here, buffered, err := w.(http.Hijacker).Hijack()
	if err != nil {
		there.Close()
		return
	}
	io.WriteString(here, "HTTP/1.1 200 Connection established\r\n\r\n")
	tunnel(struct {
		io.Reader
		io.WriteCloser
	}{buffered, here}, there)
}

// tunnel copies in both directions until one side ends.
func tunnel(a, b io.ReadWriteCloser) {
	go func() {
		io.Copy(a, b)
		a.Close()
	}()
	io.Copy(b, a)
	b.Close()
}

// serveSOCKS makes p a SOCKS 5 proxy on loopback until the test ends.
func (p *proxyServer) serveSOCKS(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	p.addr = listener.Addr().String()
	t.Cleanup(func() { listener.Close() })
	go func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			go p.socks(conn)
		}
	}()
}

// socks serves one connection of SOCKS 5 (RFC 1928, RFC 1929).
func (p *proxyServer) socks(conn net.Conn) {
	defer conn.Close()
	r := bufio.NewReader(conn)
	if err := p.greet(r, conn); err != nil {
		return
	}
	var request [5]byte // version, command, reserved, type of the address, length of the name
	if _, err := io.ReadFull(r, request[:]); err != nil || request[3] != 3 {
		return // names are to be resolved by the proxy
	}
	host := make([]byte, int(request[4])+2)
	if _, err := io.ReadFull(r, host); err != nil {
		return
	}
	p.ask(string(host[:len(host)-2]))
	answer := []byte{5, byte(p.refuse), 0, 1, 0, 0, 0, 0, 0, 0}
	if conn.Write(answer); p.refuse != 0 {
		return
	}
	if there, err := net.Dial("tcp", p.target); err == nil {
		tunnel(struct {
			io.Reader
			io.WriteCloser
		}{r, conn}, there)
	}
}

// greet chooses a method of the client's and checks the login.
func (p *proxyServer) greet(r *bufio.Reader, w io.Writer) error {
	var head [2]byte
	if _, err := io.ReadFull(r, head[:]); err != nil {
		return err
	}
	methods := make([]byte, head[1])
	if _, err := io.ReadFull(r, methods); err != nil {
		return err
	}
	if !p.login {
		_, err := w.Write([]byte{5, 0})
		return err
	}
	if !strings.Contains(string(methods), "\x02") {
		p.ask("")
		w.Write([]byte{5, 0xff})
		return errors.New("no login")
	}
	w.Write([]byte{5, 2})
	want := "\x01" + string(rune(len(proxyUser))) + proxyUser + string(rune(len(proxyPassword))) + proxyPassword
	got := make([]byte, len(want))
	if _, err := io.ReadFull(r, got); err != nil || string(got) != want {
		p.ask("")
		w.Write([]byte{1, 1})
		return errors.New("another login")
	}
	_, err := w.Write([]byte{1, 0})
	return err
}
