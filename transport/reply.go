package transport

import (
	"net/http"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"github.com/mark3labs/mcp-go/mcp"
)

const (
	// writeTimeout bounds one write to a client that does not read.
	writeTimeout = 30 * time.Second
	// keepAliveEvery is how long a stream stays silent before it gets a comment.
	// Proxies cut streams that are silent for 60 s and more.
	keepAliveEvery = 15 * time.Second
)

// reply is the response to one request: a JSON document or an event stream. It
// becomes a stream with the first message or keep-alive before the answer. It is
// the wire of one call.
type reply struct {
	streams bool // the client takes an event stream
	modern  bool // error codes become HTTP statuses: the protocol since 2026-07-28

	mu             sync.Mutex // guards what follows, and every use of w
	w              http.ResponseWriter
	rc             *http.ResponseController
	keepAliveTimer *time.Timer // fires when nothing was written for keepAliveEvery; nil for a document
	started        bool        // the event stream has begun
	done           bool        // the answer is written, or there will be none
}

// newReply returns a reply. If the client takes a stream, the reply writes a comment
// after each keepAliveEvery without a message. It must be answered or closed.
func newReply(w http.ResponseWriter, streams, modern bool) *reply {
	r := &reply{w: w, rc: http.NewResponseController(w), streams: streams, modern: modern}
	r.mu.Lock()
	defer r.mu.Unlock()
	if streams {
		r.keepAliveTimer = time.AfterFunc(keepAliveEvery, r.sendKeepAlive)
	}
	return r
}

func (r *reply) sendKeepAlive() {
	r.mu.Lock()
	defer r.mu.Unlock()
	if !r.done {
		_ = r.stream([]byte(": keep-alive\n\n")) // an error means that the client is gone
	}
}

// notify writes a message as an event. For a client that takes no stream it
// returns [ErrCallOver]. It implements [wire].
func (r *reply) notify(line []byte, over *atomic.Bool) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.done || over.Load() || !r.streams {
		return ErrCallOver
	}
	return r.event(line)
}

// answer writes the response: the last event of a stream that has started, a
// JSON document otherwise. It implements [wire].
func (r *reply) answer(line []byte, code int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.done {
		return
	}
	r.done = true
	if r.started {
		_ = r.event(line) // an error means that the client is gone, here and below
		return
	}
	h := r.w.Header()
	h.Set("Content-Type", "application/json")
	h.Set("Content-Length", strconv.Itoa(len(line)))
	if code != 0 {
		h.Del(mcp.HeaderSessionID) // an initialize that fails begins no session
	}
	status := http.StatusOK
	if r.modern {
		status = statusOf(code)
	}
	r.w.WriteHeader(status)
	_ = r.write(line)
}

// open starts the stream without a message.
func (r *reply) open() error {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.stream()
}

// close ends the reply, which does not use w afterwards. The stream of a cancelled
// call ends without an answer.
func (r *reply) close() {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.keepAliveTimer != nil {
		r.keepAliveTimer.Stop()
	}
	answered := r.done
	r.done = true
	switch {
	case answered || r.started:
	case r.streams:
		_ = r.stream()
	default:
		r.w.WriteHeader(http.StatusAccepted)
	}
}

// event writes one message. The caller holds mu.
func (r *reply) event(line []byte) error {
	return r.stream([]byte("event: message\ndata: "), line, []byte("\n"))
}

// stream writes to the event stream, and starts it first if need be. The caller
// holds mu.
func (r *reply) stream(parts ...[]byte) error {
	if !r.started {
		r.started = true
		h := r.w.Header()
		h.Set("Content-Type", "text/event-stream")
		h.Set("Cache-Control", "no-cache")
		h.Set("X-Accel-Buffering", "no") // otherwise nginx delays events
		r.w.WriteHeader(http.StatusOK)
	}
	return r.write(parts...)
}

// write flushes the parts and restarts the keep-alive timer. The caller holds mu.
func (r *reply) write(parts ...[]byte) error {
	if r.keepAliveTimer != nil {
		r.keepAliveTimer.Stop()
	}
	// An error means that the writer has no deadlines, as in tests.
	_ = r.rc.SetWriteDeadline(time.Now().Add(writeTimeout))
	for _, part := range parts {
		if _, err := r.w.Write(part); err != nil {
			return err
		}
	}
	if err := r.rc.Flush(); err != nil {
		return err
	}
	// Over HTTP/2 a deadline that passes ends the stream, even between writes.
	_ = r.rc.SetWriteDeadline(time.Time{})
	if r.keepAliveTimer != nil && !r.done {
		r.keepAliveTimer.Reset(keepAliveEvery)
	}
	return nil
}

// statusOf returns the HTTP status that the revision of 2026-07-28 requires for a
// JSON-RPC error code, 0 for a result.
func statusOf(code int) int {
	switch code {
	case mcp.METHOD_NOT_FOUND:
		return http.StatusNotFound
	case mcp.PARSE_ERROR, mcp.INVALID_REQUEST, mcp.INVALID_PARAMS, mcp.HEADER_MISMATCH,
		mcp.MISSING_REQUIRED_CLIENT_CAPABILITY, mcp.UNSUPPORTED_PROTOCOL_VERSION:
		return http.StatusBadRequest
	default:
		return http.StatusOK
	}
}
