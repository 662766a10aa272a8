// Package transport carries MCP over stdio and Streamable HTTP around mcp-go's
// MCPServer, and is where progress reaches the wire in order: before its call's
// answer, on that call's own stream, and never after.
package transport

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"runtime/debug"
	"slices"
	"strings"
	"sync"

	"github.com/mark3labs/mcp-go/mcp"
	"github.com/mark3labs/mcp-go/server"

	"github.com/anything-mcp/anything-mcp/progress"
)

// errStopped is the cause of a call's context when the server stops before the
// call has ended.
var errStopped = errors.New("the server is stopping")

// engine hands messages to mcp-go. Both transports share its rules.
type engine struct {
	srv   *server.MCPServer
	log   *slog.Logger
	gate  gate
	tasks Tasks // nil: there are none

	identity func() *mcp.Meta // the _meta of results that are not mcp-go's
}

func newEngine(srv *server.MCPServer, log *slog.Logger, maxCalls int, tasks Tasks) *engine {
	e := &engine{srv: srv, log: log, gate: gate{max: maxCalls}, tasks: tasks}
	e.identity = sync.OnceValue(e.identify)
	return e
}

// handle has mcp-go answer one message and returns its response, nil for a
// notification. A panic becomes an internal error that keeps its text to the
// log. The message must not be kept alive by the caller: a handler may wait
// for minutes.
//
// The extensions of the protocol that mcp-go does not know are answered here.
func (e *engine) handle(ctx context.Context, s *session, method string, raw []byte, c *call) (resp mcp.JSONRPCMessage) {
	defer func() {
		if p := recover(); p != nil {
			e.log.Error("a handler panicked", "method", method, "panic", p, "stack", string(debug.Stack()))
			resp = internalFailure()
		}
	}()
	if c.token != nil {
		ctx = progress.WithSink(ctx, c)
	}
	if e.tasks != nil && c.id != nil {
		if resp := e.extend(ctx, method, raw, c); resp != nil {
			return resp
		}
	}
	if method == string(mcp.MethodSubscriptionsListen) {
		return e.listen(ctx, raw, c)
	}
	resp = e.srv.HandleMessage(e.srv.WithContext(ctx, s), raw)
	if e.tasks != nil {
		resp = flatten(resp, c)
	}
	if method == string(mcp.MethodToolsCall) {
		resp = e.nameTools(resp)
	}
	return resp
}

// nameTools puts a sentence with the tools' names in the place of mcp-go's
// words about a tool that there is not.
func (e *engine) nameTools(resp mcp.JSONRPCMessage) mcp.JSONRPCMessage {
	failed, ok := resp.(mcp.JSONRPCError)
	if !ok || !strings.HasSuffix(failed.Error.Message, server.ErrToolNotFound.Error()) {
		return resp
	}
	names := slices.Sorted(maps.Keys(e.srv.ListTools()))
	failed.Error.Message = "There is no tool of that name: the tools are " + strings.Join(names, ", ") + "."
	return failed
}

// internalFailure is the response for what is in the log.
func internalFailure() mcp.JSONRPCMessage {
	return mcp.NewJSONRPCError(mcp.RequestId{}, internalError.code, internalError.text, nil)
}

// listen answers subscriptions/listen: mcp-go acknowledges through the
// session's channel before it returns, and nothing else is ever sent there.
func (e *engine) listen(ctx context.Context, raw []byte, c *call) mcp.JSONRPCMessage {
	s := &session{notes: make(chan mcp.JSONRPCNotification, 1)}
	var forward sync.WaitGroup
	forward.Go(func() {
		for note := range s.notes {
			note.Params.Meta[mcp.MetaKeySubscriptionID] = c.id // with all its digits
			if line, err := json.Marshal(note); err == nil {
				_ = c.notify(append(line, '\n'))
			}
		}
	})
	defer forward.Wait()
	defer close(s.notes)
	resp := e.srv.HandleMessage(e.srv.WithContext(ctx, s), raw)
	if r, ok := resp.(mcp.JSONRPCResponse); ok {
		if result, ok := r.Result.(mcp.SubscriptionsListenResult); ok {
			result.EnsureResultMeta().SetSubscriptionID(c.id)
			r.Result = result
			return r
		}
	}
	return resp
}

// long reports whether a request may wait: everything else mcp-go answers at
// once.
func long(method string) bool {
	return method == string(mcp.MethodToolsCall) || method == string(mcp.MethodSubscriptionsListen) || isTaskMethod(method)
}

// gate counts the calls in flight, bounds them, and closes when the server
// stops.
type gate struct {
	max int

	mu     sync.Mutex // guards what follows
	n      int
	idle   chan struct{} // closed when the gate is closed and the last call has left; nil while it is open
	idling bool          // idle is closed
}

// enter admits a call or says why not. A call that was admitted must leave.
func (g *gate) enter() *rpcError {
	g.mu.Lock()
	defer g.mu.Unlock()
	switch {
	case g.idle != nil:
		return &rpcError{codeServer, "The server is stopping and takes no new calls. Ask again when it is back."}
	case g.n >= g.max:
		return &rpcError{codeServer, fmt.Sprintf(
			"%d calls are running, which is as many as this server takes at once. Try again when some have ended.", g.n)}
	}
	g.n++
	return nil
}

func (g *gate) leave() {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.n--
	g.settle()
}

// close refuses further calls and returns a channel that is closed when those
// inside have left.
func (g *gate) close() <-chan struct{} {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.idle == nil {
		g.idle = make(chan struct{})
	}
	g.settle()
	return g.idle
}

// settle closes idle once. The caller holds mu.
func (g *gate) settle() {
	if g.idle != nil && g.n == 0 && !g.idling {
		g.idling = true
		close(g.idle)
	}
}
