package transport

import (
	"net/http"
	"strconv"
	"sync"
	"time"

	"github.com/mark3labs/mcp-go/mcp"
)

// writeWait bounds one write to a client that does not read.
const writeWait = 30 * time.Second

// reply is the response to one request: a JSON document, or an event stream
// from the first message or keep-alive that precedes the answer.
type reply struct {
	streams bool // the client takes an event stream
	modern  bool // error codes become HTTP statuses, as since 2026-07-28

	mu    sync.Mutex // guards what follows, and every use of w
	w     http.ResponseWriter
	rc    *http.ResponseController
	every time.Duration
	quiet *time.Timer // fires when nothing was written for every; nil: nothing is kept alive
	begun bool        // the event stream has begun
	over  bool        // the answer is written, or there will be none
}

func newReply(w http.ResponseWriter, streams, modern bool) *reply {
	return &reply{w: w, rc: http.NewResponseController(w), streams: streams, modern: modern}
}

// keepAlive sends a comment whenever nothing else was sent for a while:
// proxies cut silent streams. A client that takes no stream gets none.
func (r *reply) keepAlive(every time.Duration) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.streams && !r.over {
		r.every = every
		r.quiet = time.AfterFunc(every, r.beat)
	}
}

func (r *reply) beat() {
	r.mu.Lock()
	defer r.mu.Unlock()
	if !r.over {
		_ = r.stream([]byte(": keep-alive\n\n")) // an error means that the client is gone
	}
}

// notify writes a message as an event. A client that takes no stream gets only
// the answer. It implements [wire].
func (r *reply) notify(line []byte) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.over || !r.streams {
		return ErrCallOver
	}
	return r.event(line)
}

// answer writes the response: the last event of a stream that has begun, a
// JSON document otherwise. It implements [wire].
func (r *reply) answer(line []byte, code int) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.over {
		return ErrCallOver
	}
	r.over = true
	if r.begun {
		return r.event(line)
	}
	r.w.Header().Set("Content-Type", "application/json")
	r.w.Header().Set("Content-Length", strconv.Itoa(len(line)))
	status := http.StatusOK
	if r.modern {
		status = statusOf(code)
	}
	r.w.WriteHeader(status)
	return r.write(line)
}

// open begins the stream before there is anything to send on it.
func (r *reply) open() error {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.stream()
}

// close ends the reply; nothing touches w afterwards. A call that was
// cancelled has no answer: its stream just ends.
func (r *reply) close() {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.quiet != nil {
		r.quiet.Stop()
	}
	answered := r.over
	r.over = true
	switch {
	case answered || r.begun:
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

// stream writes to the event stream, which it begins. The caller holds mu.
func (r *reply) stream(parts ...[]byte) error {
	if !r.begun {
		r.begun = true
		h := r.w.Header()
		h.Set("Content-Type", "text/event-stream")
		h.Set("Cache-Control", "no-cache")
		h.Set("X-Accel-Buffering", "no") // nginx would hold events back
		r.w.WriteHeader(http.StatusOK)
	}
	return r.write(parts...)
}

// write returns when the parts have been handed to the connection; the quiet
// begins then. The caller holds mu.
func (r *reply) write(parts ...[]byte) error {
	if r.quiet != nil {
		r.quiet.Stop()
	}
	// Writers without deadlines, as in tests, do without.
	_ = r.rc.SetWriteDeadline(time.Now().Add(writeWait))
	for _, part := range parts {
		if _, err := r.w.Write(part); err != nil {
			return err
		}
	}
	if err := r.rc.Flush(); err != nil {
		return err
	}
	// Over HTTP/2 a deadline that passes ends the stream, write or no write.
	_ = r.rc.SetWriteDeadline(time.Time{})
	if r.quiet != nil && !r.over {
		r.quiet.Reset(r.every)
	}
	return nil
}

// statusOf is the HTTP status that the 2026-07-28 revision asks for with a
// JSON-RPC error code, 0 being a result.
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
