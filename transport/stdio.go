package transport

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"time"

	"github.com/mark3labs/mcp-go/mcp"
	"github.com/mark3labs/mcp-go/server"
)

// StdioOptions sets the bounds of [ServeStdio]. The zero value is ready for use.
type StdioOptions struct {
	Logger     *slog.Logger  // for what clients are not told; default: none
	MaxCalls   int           // calls in flight; default 1,000
	MaxMessage int           // bytes of one incoming line; default 8 MiB
	Grace      time.Duration // for calls in flight when the input ends; default 5 s

	// StopWait is how long calls in flight may take to answer after OnStop,
	// when ctx has ended: 8 s by default. It is 2 s at most when the input has
	// ended, since a host that closed it is about to kill the process.
	StopWait time.Duration

	Tasks Tasks // of the tools that answer with tasks; nil: none do

	// OnStop is called once, before ServeStdio returns, when no new calls are
	// taken. It makes waiting handlers return, and returns itself without
	// waiting for them.
	OnStop func()
}

// stopWaitAtEnd bounds the wait after OnStop once the host has closed stdin.
const stopWaitAtEnd = 2 * time.Second

// leaveWait is what handlers get to return once their contexts have ended.
const leaveWait = time.Second

func (o StdioOptions) withDefaults() StdioOptions {
	o.Logger = cmp.Or(o.Logger, slog.New(slog.DiscardHandler))
	o.MaxCalls = cmp.Or(o.MaxCalls, 1000)
	o.MaxMessage = cmp.Or(o.MaxMessage, 8<<20)
	o.Grace = cmp.Or(o.Grace, 5*time.Second)
	o.StopWait = cmp.Or(o.StopWait, 8*time.Second)
	if o.OnStop == nil {
		o.OnStop = func() {}
	}
	return o
}

// stdio serves the one client at the other end of a pair of pipes.
type stdio struct {
	engine  *engine
	out     *lineWriter
	session session
	calls   calls
}

// ServeStdio serves MCP over in and out, one JSON-RPC message a line, until in
// ends or ctx does. Each call runs on a goroutine of its own; everything else
// is answered in the order it came, so an initialize is answered before what
// follows it is looked at. Nothing but JSON-RPC is written to out, one Write a
// message, and nothing after ServeStdio has returned.
//
// When in ends, calls in flight have the grace period to end by themselves.
// Then, or when ctx ends, new calls are refused, OnStop is called, and what
// still runs is given StopWait to answer. Handlers that have not returned by
// then see their contexts end. The error is nil unless in or out failed. After
// ctx has ended, a Read of in that is under way is left behind.
func ServeStdio(ctx context.Context, srv *server.MCPServer, in io.Reader, out io.Writer, opts StdioOptions) error {
	opts = opts.withDefaults()
	s := &stdio{
		engine: newEngine(srv, opts.Logger, opts.MaxCalls, opts.Tasks),
		out:    newLineWriter(out),
	}
	defer s.out.closed.Store(true)
	callCtx, stop := context.WithCancelCause(context.WithoutCancel(ctx))
	defer stop(errStopped)
	read := make(chan error, 1)
	go func() { read <- s.readAll(callCtx, newLineReader(in, opts.MaxMessage)) }()

	var readErr error
	wait := opts.StopWait
	select {
	case <-ctx.Done():
	case <-s.out.broken:
	case readErr = <-read:
		wait = min(wait, stopWaitAtEnd)
		s.await(ctx.Done(), opts.Grace)
	}
	s.engine.gate.close()
	opts.OnStop()
	s.await(nil, wait)
	stop(errStopped)
	s.await(nil, leaveWait)
	return s.outcome(readErr)
}

// await returns when no call is in flight, at the latest after d, and at once
// when cut is closed or the client is gone. No call may start any more.
func (s *stdio) await(cut <-chan struct{}, d time.Duration) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-s.engine.gate.close():
	case <-s.out.broken:
	case <-cut:
	case <-timer.C:
	}
}

func (s *stdio) outcome(readErr error) error {
	select {
	case <-s.out.broken:
		return fmt.Errorf("writing to the client: %w", s.out.err)
	default:
	}
	if readErr != nil && !errors.Is(readErr, io.EOF) {
		return fmt.Errorf("reading from the client: %w", readErr)
	}
	return nil
}

// readAll handles every line of in and returns why there are no more.
func (s *stdio) readAll(ctx context.Context, in *lineReader) error {
	for {
		line, err := in.next()
		switch {
		case errors.Is(err, errLineTooLong):
			s.engine.log.Warn("skipped a message that is too long", "limit_bytes", in.max)
			_ = s.out.write(encodeError(nil, &rpcError{mcp.INVALID_REQUEST,
				fmt.Sprintf("The message is longer than %d bytes.", in.max)}))
		case err != nil:
			return err
		default:
			s.handle(ctx, line)
		}
	}
}

// handle sees to one message. Only calls, which may wait, leave this goroutine.
func (s *stdio) handle(ctx context.Context, raw []byte) {
	m, bad := parseMessage(raw)
	switch {
	case bad != nil:
		s.engine.log.Warn("refused a message", "why", bad.text)
		_ = s.out.write(encodeError(m.id, bad))
	case m.response: // of a request that we never send
	case m.method == string(mcp.MethodNotificationCancelled):
		s.calls.cancel(m.params)
	case m.id != nil && long(m.method):
		s.start(ctx, m, raw)
	default:
		c := &call{id: m.id, token: m.token, out: s.out}
		c.answer(s.engine.handle(ctx, &s.session, m.method, raw, c))
	}
}

// start runs a call on its own goroutine, or refuses it at once.
func (s *stdio) start(ctx context.Context, m message, raw []byte) {
	ctx, stop := context.WithCancelCause(ctx)
	c := &call{id: m.id, token: m.token, caps: m.caps, out: s.out, stop: stop}
	bad := s.engine.gate.enter()
	if bad == nil {
		if bad = s.calls.add(c); bad != nil {
			s.engine.gate.leave()
		}
	}
	if bad != nil {
		stop(nil)
		c.refuse(bad)
		return
	}
	method := m.method // all of m that may live as long as the call
	go func() {
		defer s.engine.gate.leave()
		defer s.calls.remove(c)
		defer stop(nil)
		c.answer(s.engine.handle(ctx, &s.session, method, raw, c))
	}()
}
