package transport

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"sync/atomic"
	"time"

	"github.com/mark3labs/mcp-go/mcp"
	"github.com/mark3labs/mcp-go/server"
	"github.com/tidwall/gjson"
)

// StdioOptions sets up [ServeStdio]. The zero value is ready for use.
type StdioOptions struct {
	Logger   *slog.Logger  // gets the causes that clients must not see; default: none
	MaxCalls int           // calls at once; default 1,000; besides, there may be 64 subscriptions
	Grace    time.Duration // for calls that run when the input ends; default 5 s

	Tasks   Tasks   // of the tools that answer with tasks; nil: no tool does
	Toolbox Toolbox // further tools, and lists that change; nil: none

	// Gone is closed when the client has ended although in is still open: another
	// process may hold its other end. It counts as the end of in. nil: never.
	Gone <-chan struct{}

	// OnStop is called once, before ServeStdio returns, when no new calls are
	// taken. It must make waiting handlers return, and must not wait for them.
	OnStop func()
}

const (
	// maxMessage bounds an incoming message, in bytes.
	maxMessage = 8 << 20
	// stopWait is how long calls may take to answer after OnStop.
	stopWait = 8 * time.Second
	// stopWaitAtEnd replaces stopWait when the host has closed stdin, because
	// such a host is about to kill the process.
	stopWaitAtEnd = 2 * time.Second
	// handlerGrace is how long handlers may take to return once their contexts
	// have ended.
	handlerGrace = time.Second
)

// ErrNoMessage says that the input of a server ended before a message came.
var ErrNoMessage = errors.New("the input ended before a message came")

// ServeStdio serves MCP over in and out, one JSON-RPC message a line, until in ends or
// ctx does. Requests that may take a while, calls of tools above all, run on a
// goroutine each. All other messages are handled in the order in which they came, and
// the answer to an initialize precedes all that follows it. ServeStdio writes nothing
// but JSON-RPC to out, one Write a message, and begins no Write after it has returned.
// While out stalls it goes on reading, until 256 answers wait to be written.
//
// When in or the client ends, subscriptions end at once, and running calls have the
// grace period to end by themselves. Then, or when ctx ends, subscriptions end, new
// calls are refused, OnStop is called, and running calls have 8 s to answer, or 2 s if
// ctx has not ended. Then their contexts end. The error is nil unless in or out failed;
// it is [ErrNoMessage] if in ended before a message came. Unless in has ended, a Read
// of it may still be waiting when ServeStdio returns.
func ServeStdio(ctx context.Context, srv *server.MCPServer, in io.Reader, out io.Writer, opts StdioOptions) error {
	return newStdio(srv, in, out, opts).serve(ctx)
}

// stdio serves the one client at the other end of a pair of pipes.
type stdio struct {
	*dispatcher
	in    *lineReader
	out   *lineWriter
	gone  <-chan struct{}
	grace time.Duration

	// What a client before 2026-07-28 has said; only readAll uses it.
	showsPages  bool   // with initialize it has declared MCP Apps
	version     string // that initialize asked for
	initialized bool   // it has sent notifications/initialized
}

func newStdio(srv *server.MCPServer, in io.Reader, out io.Writer, opts StdioOptions) *stdio {
	return &stdio{
		dispatcher: newDispatcher(srv, opts.Logger, cmp.Or(opts.MaxCalls, 1000), maxListensStdio, opts.Tasks, opts.Toolbox, opts.OnStop),
		in:         newLineReader(in, maxMessage),
		out:        newLineWriter(out),
		gone:       opts.Gone,
		grace:      cmp.Or(opts.Grace, 5*time.Second),
	}
}

func (s *stdio) serve(ctx context.Context) error {
	defer s.out.closed.Store(true)
	callCtx, endCalls := context.WithCancelCause(context.WithoutCancel(ctx))
	defer endCalls(errStopped)
	read := make(chan error, 1)
	go func() { read <- s.readAll(callCtx) }()

	var readErr error
	wait := stopWait
	select {
	case <-ctx.Done():
	case <-s.out.broken:
	case readErr = <-read:
		wait = stopWaitAtEnd
	case <-s.gone:
		wait = stopWaitAtEnd
	}
	s.limit.close()
	s.endListens()
	defer s.hub.wait()
	written := make(chan struct{}) // closed when all calls have ended and their answers are written
	go func() {
		<-s.limit.idle
		<-s.listens.idle
		s.out.flush()
		close(written)
	}()
	s.await(written, ctx.Done(), s.grace)
	s.stop()
	s.await(written, nil, wait)
	endCalls(errStopped)
	s.await(written, nil, handlerGrace)
	return s.outcome(readErr)
}

// await returns when written is closed, cut is closed, the client is gone or d has
// passed.
func (s *stdio) await(written, cut <-chan struct{}, d time.Duration) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-written:
	case <-s.out.broken:
	case <-cut:
	case <-timer.C:
	}
}

// outcome returns the error that ServeStdio returns.
func (s *stdio) outcome(readErr error) error {
	select {
	case <-s.out.broken:
		return fmt.Errorf("writing to the client: %w", s.out.err)
	default:
	}
	switch {
	case readErr == nil, errors.Is(readErr, io.EOF):
		return nil
	case errors.Is(readErr, ErrNoMessage):
		return readErr
	}
	return fmt.Errorf("reading from the client: %w", readErr)
}

// readAll handles every line of the input and returns the error that ended it.
func (s *stdio) readAll(ctx context.Context) error {
	for first := true; ; first = false {
		line, err := s.in.next()
		switch {
		case first && errors.Is(err, io.EOF):
			return ErrNoMessage
		case errors.Is(err, errLineTooLong):
			s.log.Debug("the server skipped a message that is too long", "limit_bytes", s.in.max)
			s.out.answer(encodeError(nil, &rpcError{mcp.INVALID_REQUEST,
				fmt.Sprintf("The message is longer than %d bytes.", s.in.max)}))
		case err != nil:
			return err
		default:
			s.handleLine(ctx, line)
		}
	}
}

// handleLine handles one message. Only requests that may block run on another
// goroutine.
func (s *stdio) handleLine(ctx context.Context, raw []byte) {
	m, bad := parseMessage(raw)
	if bad != nil {
		s.refusals.log(slog.LevelDebug, bad.text, "why", bad.text)
		s.out.answer(encodeError(m.id, bad))
		return
	}
	if m.isCancellation() {
		s.calls.cancel("", m.params)
	}
	if m.isInitialized() && !s.initialized {
		s.initialized = true
		s.tellChanges(ctx)
	}
	if m.id == nil || m.response {
		return
	}
	if m.isInitialize() {
		s.showsPages, s.version = m.pages, gjson.GetBytes(m.params, "protocolVersion").String()
	}
	c, bad := s.admit(ctx, peer{oneStream: true, showsPages: s.showsPages, version: s.version}, m, s.out)
	switch {
	case bad != nil:
		s.out.answer(encodeError(m.id, bad))
	case m.mayBlock():
		go s.run(c, m.exact)
	default:
		s.run(c, m.exact)
	}
}

// tellChanges begins to tell a client before 2026-07-28 which lists have changed. It
// does not wait for the client to read.
func (s *stdio) tellChanges(ctx context.Context) {
	f := s.hub.follow("", s.advertised())
	go func() {
		defer s.hub.leave(f)
		s.hub.refresh(ctx)
		var over atomic.Bool // stays false: notices belong to no call
		s.hub.tell(ctx, f, func(method string) error { return s.out.notify(encodeNotice(method, nil), &over) })
	}()
}
