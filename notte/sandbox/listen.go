package sandbox

import (
	"net"
	"net/http"
	"sync"
	"time"
)

// Listener is a Server that also serves HTTP on a TCP address. It is safe for
// concurrent use.
type Listener struct {
	*Server
	URL string // the base URL of both APIs, like http://127.0.0.1:8809

	http    *http.Server
	serving sync.WaitGroup
}

// Listen returns a Listener at addr, a host and a port; port 0 is any free one.
// Its viewer URLs begin with the Listener's URL, unless opts say otherwise. The
// caller must Close it. The error is that of [net.Listen].
//
// Calls by Client do not use the address: they stay on in-memory pipes.
func Listen(addr string, opts ...Option) (*Listener, error) {
	ln, err := net.Listen("tcp", addr)
	if err != nil {
		return nil, err
	}
	l := &Listener{URL: "http://" + ln.Addr().String()}
	l.Server = New(append([]Option{WithBaseURL(l.URL)}, opts...)...)
	l.http = &http.Server{Handler: l.Server, ReadHeaderTimeout: 10 * time.Second}
	l.serving.Go(func() { l.http.Serve(ln) })
	return l, nil
}

// Close does what [Server.Close] does, closes the address and its connections,
// and returns when nothing serves them any more. It may be called more than
// once.
func (l *Listener) Close() {
	l.Server.Close()
	l.http.Close()
	l.serving.Wait()
}
