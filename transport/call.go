package transport

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"sync"

	"github.com/mark3labs/mcp-go/mcp"
)

// ErrCallOver is what a sink returns once its call has been answered or
// cancelled: nothing more of that call may reach the client.
var ErrCallOver = errors.New("the call has been answered or cancelled")

// CancelledError is the cause of a call's context when its client cancelled
// the call.
type CancelledError struct {
	// Reason is the client's own text, empty when it gave none, of at most 200
	// characters.
	Reason string
}

func (e *CancelledError) Error() string {
	if e.Reason == "" {
		return "the client cancelled the call"
	}
	return "the client cancelled the call: " + e.Reason
}

// wire is where the messages of one call go. Its methods are called by one
// goroutine at a time and return when the message is written.
type wire interface {
	// notify writes a message that precedes the answer.
	notify(line []byte) error
	// answer writes the response, the last message of the call; code is its
	// JSON-RPC error code, 0 for a result.
	answer(line []byte, code int) error
}

// call is the life of one request: it runs until it is answered or cancelled,
// whichever comes first, and nothing of it is written afterwards.
type call struct {
	id    json.RawMessage
	token json.RawMessage // nil: the client asked for no progress
	caps  json.RawMessage // the client's capabilities; nil: it gave none with the request
	sent  int64           // updates; used by the goroutine that calls Send
	out   wire
	stop  context.CancelCauseFunc

	mu   sync.Mutex // guards over, and is held over every write
	over bool
}

// Send writes an update to the call's progress token. It implements
// [progress.Sink] and fails with [ErrCallOver] once the call is over.
func (c *call) Send(_ context.Context, message string) error {
	c.sent++
	return c.notify(encodeProgress(c.token, c.sent, message))
}

func (c *call) notify(line []byte) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.over {
		return ErrCallOver
	}
	return c.out.notify(line)
}

// answer ends the call with a response of mcp-go. A nil response, which is
// what a notification gets, writes nothing.
func (c *call) answer(resp mcp.JSONRPCMessage) {
	if resp == nil {
		return
	}
	line, code := encodeResponse(c.id, resp)
	c.finish(line, code)
}

// refuse ends the call with an error of ours.
func (c *call) refuse(e *rpcError) {
	c.finish(encodeError(c.id, e), e.code)
}

func (c *call) finish(line []byte, code int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.over {
		return
	}
	c.over = true
	// An error means that the client is gone, which its connection notices.
	_ = c.out.answer(line, code)
}

// cancel ends the call without an answer, then its context. It does nothing to
// a call that is over.
func (c *call) cancel(cause error) {
	c.mu.Lock()
	over := c.over
	c.over = true
	c.mu.Unlock()
	if !over {
		c.stop(cause)
	}
}

// calls are the running calls of one client by request ID, for cancelling
// them. The zero value is ready for use.
type calls struct {
	mu   sync.Mutex // guards byID
	byID map[string]*call
}

// add enters c and refuses an ID that is still being answered.
func (s *calls) add(c *call) *rpcError {
	s.mu.Lock()
	defer s.mu.Unlock()
	key := idKey(c.id)
	if s.byID[key] != nil {
		return &rpcError{mcp.INVALID_REQUEST, fmt.Sprintf(
			"A request with the ID %.100s is still running: give each request its own ID.", c.id)}
	}
	if s.byID == nil {
		s.byID = make(map[string]*call)
	}
	s.byID[key] = c
	return nil
}

func (s *calls) remove(c *call) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.byID, idKey(c.id))
}

// cancel does what the params of a notifications/cancelled ask for. An unknown
// ID is no error: the answer and the cancellation may have crossed.
func (s *calls) cancel(params json.RawMessage) {
	var p struct {
		RequestID json.RawMessage `json:"requestId"`
		Reason    string          `json:"reason"`
	}
	// A reason of another type must not keep the call running.
	_ = json.Unmarshal(params, &p)
	s.mu.Lock()
	c := s.byID[idKey(p.RequestID)]
	s.mu.Unlock()
	if c != nil {
		c.cancel(&CancelledError{Reason: fmt.Sprintf("%.200s", p.Reason)})
	}
}

// cancelAll cancels every running call.
func (s *calls) cancelAll(cause error) {
	s.mu.Lock()
	running := make([]*call, 0, len(s.byID))
	for _, c := range s.byID {
		running = append(running, c)
	}
	s.mu.Unlock()
	for _, c := range running {
		c.cancel(cause)
	}
}
