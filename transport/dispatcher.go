// Package transport serves MCP over stdio and Streamable HTTP around mcp-go's
// MCPServer. It writes the progress of a call on that call's own stream, in order
// and before the answer.
package transport

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math"
	"runtime/debug"
	"sync"

	"github.com/mark3labs/mcp-go/mcp"
	"github.com/mark3labs/mcp-go/server"

	"github.com/anything-mcp/anything-mcp/progress"
)

// errStopped is the cause of a call's context when the server stops before the
// call has ended.
var errStopped = errors.New("the server is stopping")

// dispatcher takes a message from admission to its answer. Both transports
// share it. It is safe for concurrent use.
type dispatcher struct {
	srv     *server.MCPServer
	log     *slog.Logger
	limit   *callLimit
	listens *callLimit // of subscriptions/listen
	calls   calls

	tasks   Tasks   // nil: no tool answers with tasks
	toolbox Toolbox // nil: there are no further tools
	hub     *hub

	refusals refusalLog

	onStop func()                    // makes waiting handlers return; nil: none
	about  func() mcp.DiscoverResult // what server/discover answers with
}

// newDispatcher returns a dispatcher. log, tasks, toolbox and onStop may be nil.
func newDispatcher(
	srv *server.MCPServer, log *slog.Logger, maxCalls, maxListens int, tasks Tasks, toolbox Toolbox, onStop func(),
) *dispatcher {
	d := &dispatcher{
		srv: srv, log: cmp.Or(log, slog.New(slog.DiscardHandler)), tasks: tasks, toolbox: toolbox, hub: newHub(toolbox),
		limit: newCallLimit(maxCalls, "calls are running"), listens: newCallLimit(maxListens, "subscriptions are open"),
		onStop: onStop,
	}
	d.refusals.logger = d.log
	d.about = sync.OnceValue(d.discover)
	return d
}

// endListens refuses further subscriptions, and ends those that are open with their
// results. It is idempotent.
func (d *dispatcher) endListens() {
	d.listens.close()
	d.hub.close()
}

// stop ends subscriptions, refuses further calls and makes waiting handlers return. It
// is called once.
func (d *dispatcher) stop() {
	d.endListens()
	d.limit.close()
	if d.onStop != nil {
		d.onStop()
	}
}

// peer is the client that sent a message.
type peer struct {
	session string // the ID of its session; empty on stdio

	// stateless means that this client has no session. Other clients may use the
	// same request IDs, so its calls cannot be cancelled by ID.
	stateless bool

	// oneStream means that all answers go out on one stream, so that calls which
	// run at the same time need different IDs.
	oneStream bool

	// showsPages means that the client has declared MCP Apps with initialize.
	showsPages bool

	version string // that a client before 2026-07-28 speaks; empty: not known
}

// admit returns the call of a message, or why the message is refused. Until run
// returns, a request that may block counts against the limit of calls or that of
// subscriptions, and its client can cancel it. Every admitted call must run.
func (d *dispatcher) admit(ctx context.Context, p peer, m message, out wire) (*call, *rpcError) {
	c := &call{
		key: callKey{p.session, idKey(m.id)}, id: m.id, token: m.token, method: m.method,
		declaresTasks: d.tasks != nil && declaresTasks(m.caps), showsPages: p.showsPages, version: p.version, out: out,
	}
	c.ctx, c.stop = context.WithCancelCause(ctx)
	if c.token != nil {
		c.ctx = progress.WithSink(c.ctx, c)
	}
	if !m.mayBlock() {
		return c, nil
	}
	limit := d.limit
	if m.method == string(mcp.MethodSubscriptionsListen) {
		limit = d.listens
	}
	if bad := limit.enter(); bad != nil {
		c.stop(nil)
		return nil, bad
	}
	c.leave = limit.leave
	most := math.MaxInt
	if p.oneStream {
		most = 1
	}
	if !p.stateless && !d.calls.add(c, most) {
		c.stop(nil)
		c.leave()
		return nil, &rpcError{mcp.INVALID_REQUEST, fmt.Sprintf(
			"A request with the ID %.100s is still running: give each request its own ID.", m.id)}
	}
	return c, nil
}

// run handles a call, writes its answer and ends it. raw is the call's exact message.
// Callers should drop it: a call may block for minutes, and raw can be 8 MiB.
func (d *dispatcher) run(c *call, raw []byte) {
	defer c.end()
	resp := d.handle(c, raw)
	if c.result != nil {
		d.runDeferred(c, &resp)
	}
	if d.tasks != nil {
		resp = flattenTask(resp, c.declaresTasks)
	}
	// A client that has read the answer may use its ID again.
	d.calls.remove(c)
	c.answer(resp)
}

// handle returns the response to one message, nil to a notification. It answers
// the extensions of the protocol that mcp-go does not know.
func (d *dispatcher) handle(c *call, raw []byte) (resp mcp.JSONRPCMessage) {
	defer d.recoverInto(&resp, c.method)
	if d.tasks != nil && c.id != nil {
		if resp := d.handleExtension(c, raw); resp != nil {
			return resp
		}
	}
	switch c.method {
	case string(mcp.MethodToolsCall):
		return d.callTool(c, raw)
	case string(mcp.MethodSubscriptionsListen):
		return d.listen(c, raw)
	}
	return d.ask(c.ctx, d.view(c), c.method, raw)
}

// callTool makes mcp-go call a tool, whose handler may defer its work.
func (d *dispatcher) callTool(c *call, raw []byte) mcp.JSONRPCMessage {
	ctx, deferral := progress.WithDeferral(c.ctx)
	if d.toolbox != nil {
		ctx = progress.WithNotices(ctx, func() { d.holdNotices(c) })
	}
	resp := d.askApart(ctx, d.view(c), c.method, raw)
	if r, ok := resp.(mcp.JSONRPCResponse); ok {
		c.deferral = deferral
		c.result, _ = r.Result.(*mcp.CallToolResult)
	}
	return resp
}

// holdNotices keeps notices back until c has been answered. c runs a handler.
func (d *dispatcher) holdNotices(c *call) {
	d.hub.hold()
	leave := c.leave
	c.leave = func() {
		leave()
		d.hub.release()
	}
}

// askApart is ask on a goroutine of its own, because mcp-go needs a stack of 32 KiB.
// That goroutine ends before the work that a tool has deferred begins, and while a
// subscription is open, so that a call that waits for minutes keeps a small stack.
func (d *dispatcher) askApart(ctx context.Context, s *session, method string, raw []byte) mcp.JSONRPCMessage {
	answered := make(chan mcp.JSONRPCMessage)
	go func() { answered <- d.ask(ctx, s, method, raw) }()
	return <-answered
}

// runDeferred does the work that a tool's handler deferred, which may overwrite the
// whole result. It then restores the _meta and the type that mcp-go has added,
// unless the work has set them.
func (d *dispatcher) runDeferred(c *call, resp *mcp.JSONRPCMessage) {
	defer d.recoverInto(resp, c.method)
	meta, kind := c.result.Meta, c.result.ResultType
	c.deferral.Run(c.ctx)
	if c.result.Meta == nil {
		c.result.Meta = meta
	}
	if c.result.ResultType == "" {
		c.result.ResultType = kind
	}
}

// recoverInto turns a panic into an internal error. It logs the panic's text, which
// clients must not see. It must be called by defer.
func (d *dispatcher) recoverInto(resp *mcp.JSONRPCMessage, method string) {
	if p := recover(); p != nil {
		d.log.Error("a handler panicked", "method", method, "panic", p, "stack", string(debug.Stack()))
		*resp = internalFailure()
	}
}

// internalFailure returns the response to a request whose failure is in the log.
func internalFailure() mcp.JSONRPCMessage {
	return mcp.NewJSONRPCError(mcp.RequestId{}, internalError.code, internalError.text, nil)
}
