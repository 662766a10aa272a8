package transport

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"

	"github.com/mark3labs/mcp-go/mcp"

	"github.com/anything-mcp/anything-mcp/progress"
)

// ErrCallOver is returned by a sink whose call has been answered or cancelled:
// nothing more of that call may reach the client.
var ErrCallOver = errors.New("the call has been answered or cancelled")

// ErrCancelled is wrapped by the cause of a call's context when its client
// cancelled the call. The client's reason, at most 200 characters, follows.
var ErrCancelled = errors.New("the client cancelled the call")

// wire writes the messages of calls to a client. It is safe for concurrent use.
type wire interface {
	// notify writes a message that precedes the answer of a call, and returns
	// when it is written. It returns ErrCallOver if over is set before notify
	// can write.
	notify(line []byte, over *atomic.Bool) error
	// answer writes the response, the last message of the call, or queues it
	// before all later messages. code is the response's JSON-RPC error code, 0
	// for a result.
	answer(line []byte, code int)
	// close ends the response to a call. Nothing of the call is written after it.
	close()
}

// callKey identifies a running call.
type callKey struct{ session, id string }

// call is one message while it is handled. A request runs until it is answered
// or cancelled, whichever comes first. Nothing of it is written afterwards.
type call struct {
	key           callKey
	id            json.RawMessage // nil: a notification
	token         json.RawMessage // nil: the client asked for no progress
	method        string
	declaresTasks bool   // the client accepts a task as the answer
	showsPages    bool   // the client has declared MCP Apps with initialize
	version       string // see peer
	out           wire
	ctx           context.Context // ends when the call is cancelled or has been answered
	stop          context.CancelCauseFunc
	leave         func() // leaves the limit of calls; nil if the call does not count

	// Of a tools/call whose handler did not fail: its result, and the work that
	// completes the result.
	result   *mcp.CallToolResult
	deferral *progress.Deferral

	sent int64       // updates; only the goroutine that calls Send uses it
	over atomic.Bool // answered or cancelled; set without waiting for a write
}

// Send writes an update to the call's progress token. It implements
// [progress.Sink] and fails with [ErrCallOver] once the call is over.
func (c *call) Send(_ context.Context, u progress.Update) error {
	c.sent++
	if u.Total == 0 {
		u.Done = float64(c.sent)
	}
	return c.notify(encodeProgress(c.token, u))
}

func (c *call) notify(line []byte) error { return c.out.notify(line, &c.over) }

// answer ends the call with a response of mcp-go. A notification has a nil response,
// and answer writes nothing.
func (c *call) answer(resp mcp.JSONRPCMessage) {
	if resp != nil && !c.over.Swap(true) {
		c.out.answer(encodeResponse(c.id, resp))
	}
}

// end releases the call's resources. It must be called once, when run returns.
func (c *call) end() {
	c.stop(nil)
	c.out.close()
	if c.leave != nil {
		c.leave()
	}
}

// cancel ends the call without an answer, then its context. It has no effect on
// a call that is over, and it never waits for a write.
func (c *call) cancel(cause error) {
	if !c.over.Swap(true) {
		c.stop(cause)
	}
}

// calls holds the running calls that can be cancelled. The zero value is ready for
// use.
type calls struct {
	mu    sync.Mutex // guards byKey
	byKey map[callKey][]*call
}

// add adds c, or returns false if as many calls as most have its key already.
func (s *calls) add(c *call, most int) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.byKey[c.key]) >= most {
		return false
	}
	if s.byKey == nil {
		s.byKey = make(map[callKey][]*call)
	}
	s.byKey[c.key] = append(s.byKey[c.key], c)
	return true
}

// remove removes c. It is a no-op if c was not added or has been removed.
func (s *calls) remove(c *call) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.drop(c)
}

// drop is remove for callers that hold mu.
func (s *calls) drop(c *call) {
	same := slices.DeleteFunc(s.byKey[c.key], func(other *call) bool { return other == c })
	if len(same) > 0 {
		s.byKey[c.key] = same
	} else {
		delete(s.byKey, c.key)
	}
}

// cancel cancels the call of a session that the params of a
// notifications/cancelled name. An unknown ID is no error: the answer and the
// cancellation may have crossed. If several calls have the ID, none is cancelled,
// because it is unknown which one is meant. The ID of a cancelled call is free at
// once, because no answer follows.
func (s *calls) cancel(session string, params json.RawMessage) {
	var p struct {
		RequestID json.RawMessage `json:"requestId"`
		Reason    string          `json:"reason"`
	}
	// A reason that is no string must not keep the call running.
	_ = json.Unmarshal(params, &p)
	cause := ErrCancelled
	if p.Reason != "" {
		cause = fmt.Errorf("%w: %.200s", ErrCancelled, p.Reason)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if same := s.byKey[callKey{session, idKey(p.RequestID)}]; len(same) == 1 {
		same[0].cancel(cause)
		s.drop(same[0])
	}
}

// cancelSession cancels every call of a session.
func (s *calls) cancelSession(session string, cause error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for key, same := range s.byKey {
		for _, c := range same {
			if key.session == session {
				c.cancel(cause)
			}
		}
	}
}
