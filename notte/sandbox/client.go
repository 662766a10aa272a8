package sandbox

import (
	"context"
	"errors"
	"net"
	"net/http"
	"sync"
)

// Client returns an http.Client that sends every request to this Server over an
// in-memory pipe. It ignores the host of the URL and does not encrypt https.
// Inside a testing/synctest bubble Client must be called there first. All calls
// return the same http.Client; Close closes its connections.
func (s *Server) Client() *http.Client {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.pipe == nil {
		s.pipe = newPipe(s)
		if s.closed {
			s.pipe.close()
		}
	}
	return s.pipe.client
}

// pipe is an HTTP server and a client that are connected by net.Pipe.
type pipe struct {
	client *http.Client
	dialer *http.Transport
	server *http.Server
	accept chan net.Conn
	done   chan struct{}
	once   sync.Once      // closes done
	open   sync.WaitGroup // the accept loop and the server's connections
}

func newPipe(h http.Handler) *pipe {
	p := &pipe{accept: make(chan net.Conn), done: make(chan struct{})}
	p.dialer = &http.Transport{DialContext: p.dial, DialTLSContext: p.dial, DisableCompression: true}
	p.client = &http.Client{Transport: p.dialer}
	p.server = &http.Server{Handler: h, ConnState: p.count}
	p.open.Go(func() { p.server.Serve(p) })
	return p
}

func (p *pipe) dial(ctx context.Context, _, _ string) (net.Conn, error) {
	near, far := net.Pipe()
	select {
	case p.accept <- far:
		return near, nil
	case <-p.done:
		return nil, errors.New("sandbox: closed")
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// count counts the open connections, because close waits for them.
func (p *pipe) count(_ net.Conn, state http.ConnState) {
	switch state {
	case http.StateNew:
		p.open.Add(1) // open still counts the accept loop, so Wait has not returned
	case http.StateClosed, http.StateHijacked:
		p.open.Done()
	}
}

func (p *pipe) close() {
	p.server.Close()
	p.Close()
	p.open.Wait()
	p.dialer.CloseIdleConnections()
}

// Accept, Close and Addr implement net.Listener for the server.
func (p *pipe) Accept() (net.Conn, error) {
	select {
	case c := <-p.accept:
		return c, nil
	case <-p.done:
		return nil, net.ErrClosed
	}
}

func (p *pipe) Close() error {
	p.once.Do(func() { close(p.done) })
	return nil
}

func (p *pipe) Addr() net.Addr { return pipeAddr{} }

type pipeAddr struct{}

func (pipeAddr) Network() string { return "pipe" }
func (pipeAddr) String() string  { return "sandbox" }
