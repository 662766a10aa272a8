package transport

import (
	"context"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"os"
	"strings"
	"time"

	"github.com/mark3labs/mcp-go/mcp"
)

// bodyWait bounds the arrival of a request's body.
const bodyWait = 30 * time.Second

// servePost answers one JSON-RPC message.
func (h *HTTP) servePost(w http.ResponseWriter, r *http.Request) {
	if media, _, err := mime.ParseMediaType(r.Header.Get("Content-Type")); err != nil || media != "application/json" {
		refuseHTTP(w, http.StatusUnsupportedMediaType, "MCP is sent as JSON: set Content-Type: application/json.")
		return
	}
	body, ok := h.readBody(w, r)
	if !ok {
		return
	}
	m, bad := parseMessage(body)
	version := r.Header.Get(mcp.HeaderProtocolVersion)
	modern := mcp.IsModernProtocol(m.version) || mcp.IsModernProtocol(version)
	switch {
	case bad != nil:
		refuse(w, http.StatusBadRequest, m.id, bad)
	case modern:
		h.serveModern(w, r, m, body)
	case m.method == string(mcp.MethodInitialize) && m.id != nil:
		h.initialize(w, r, m, body)
	case knownVersion(w, version):
		h.serveLegacy(w, r, m, body)
	}
}

// serveModern answers a message of the stateless protocol: what it says of
// itself, headers and body must agree on, and its client is forgotten with it.
func (h *HTTP) serveModern(w http.ResponseWriter, r *http.Request, m message, body []byte) {
	switch {
	case m.response:
		refuse(w, http.StatusBadRequest, m.id, &rpcError{mcp.INVALID_REQUEST,
			"This server sends no requests, so it takes no responses."})
		return
	case m.id == nil:
		// A cancellation too is only taken note of: without a session it could
		// name another client's request. Closing the response cancels.
		w.WriteHeader(http.StatusAccepted)
		return
	}
	if bad := checkHeaders(r.Header, m, h.engine.tasks != nil); bad != nil {
		refuse(w, http.StatusBadRequest, m.id, bad)
		return
	}
	h.serveRequest(w, r, &session{}, nil, m, body)
}

// checkHeaders compares the headers of a request with its body, as
// intermediaries rely on them since 2026-07-28, also for tasks where there are any.
func checkHeaders(header http.Header, m message, tasks bool) *rpcError {
	version := header.Get(mcp.HeaderProtocolVersion)
	switch {
	case header.Get(mcp.HeaderLastEventID) != "":
		return &rpcError{mcp.HEADER_MISMATCH, "Streams cannot be resumed: " +
			"repeat the request with a new ID and without Last-Event-ID."}
	case version == "":
		return &rpcError{mcp.HEADER_MISMATCH, "The header Mcp-Protocol-Version is missing."}
	case m.version == "":
		return &rpcError{mcp.INVALID_PARAMS, "The _meta field " + mcp.MetaKeyProtocolVersion + " is missing or not a string."}
	case version != m.version:
		return &rpcError{mcp.HEADER_MISMATCH, fmt.Sprintf(
			"The header Mcp-Protocol-Version says %.50q, the request %.50q: they must be the same.", version, m.version)}
	case !mcp.IsValidProtocolVersion(version):
		return nil // mcp-go's answer lists the versions that there are
	}
	if err := mcp.ValidateStandardHeaders(header.Get, version, mcp.MCPMethod(m.method), m.params); err != nil {
		return &rpcError{mcp.HEADER_MISMATCH, err.Error()}
	}
	if tasks {
		return checkTaskName(header, m)
	}
	return nil
}

// serveLegacy answers a message of a session.
func (h *HTTP) serveLegacy(w http.ResponseWriter, r *http.Request, m message, body []byte) {
	cancelled := m.method == string(mcp.MethodNotificationCancelled)
	if m.response || cancelled && r.Header.Get(mcp.HeaderSessionID) == "" {
		// Clients of the stateless protocol send such cancellations too, and
		// give up on a server that refuses them.
		w.WriteHeader(http.StatusAccepted)
		return
	}
	sess := h.session(w, r)
	if sess == nil {
		return
	}
	defer h.sessions.release(sess)
	switch {
	case cancelled:
		sess.calls.cancel(m.params)
		w.WriteHeader(http.StatusAccepted)
	case m.id == nil:
		h.engine.handle(r.Context(), &sess.session, m.method, body, &call{})
		w.WriteHeader(http.StatusAccepted)
	default:
		h.serveRequest(w, r, &sess.session, &sess.calls, m, body)
	}
}

// initialize begins a session, if mcp-go agrees to the handshake.
func (h *HTTP) initialize(w http.ResponseWriter, r *http.Request, m message, body []byte) {
	sess := h.sessions.open()
	if sess == nil {
		refuse(w, http.StatusServiceUnavailable, m.id, &rpcError{codeServer,
			"The server has as many sessions as it takes, all of them busy. Try again later."})
		return
	}
	defer h.sessions.release(sess)
	out := newReply(w, false, false)
	defer out.close()
	c := &call{id: m.id, out: out}
	resp := h.engine.handle(r.Context(), &sess.session, m.method, body, c)
	if _, ok := resp.(mcp.JSONRPCResponse); ok {
		w.Header().Set(mcp.HeaderSessionID, sess.id)
	} else {
		h.sessions.end(sess.id)
	}
	c.answer(resp)
}

// serveRequest answers a request on its own response. The context of a call
// ends when its client leaves: the call could not be answered any more.
func (h *HTTP) serveRequest(w http.ResponseWriter, r *http.Request, s *session, running *calls, m message, body []byte) {
	out := newReply(w, acceptsStream(r), running == nil)
	defer out.close()
	ctx, stop := context.WithCancelCause(r.Context())
	defer stop(nil)
	c := &call{id: m.id, caps: m.caps, out: out, stop: stop}
	if out.streams {
		c.token = m.token
	}
	if long(m.method) {
		if bad := h.engine.gate.enter(); bad != nil {
			c.refuse(bad)
			return
		}
		defer h.engine.gate.leave()
		if running != nil {
			if bad := running.add(c); bad != nil {
				c.refuse(bad)
				return
			}
			defer running.remove(c)
		}
		out.keepAlive(h.opts.KeepAlive)
	}
	c.answer(h.engine.handle(ctx, s, m.method, body, c))
}

// acceptsStream reports whether the client says that it takes an event stream.
// A bare */* does not: it is what tools send that know no streams.
func acceptsStream(r *http.Request) bool {
	for _, accept := range r.Header.Values("Accept") {
		if strings.Contains(strings.ToLower(accept), "text/event-stream") {
			return true
		}
	}
	return false
}

// readBody returns the body of r, or answers r when it is too large or too
// slow.
func (h *HTTP) readBody(w http.ResponseWriter, r *http.Request) ([]byte, bool) {
	limit := h.opts.MaxBody
	rc := http.NewResponseController(w)
	// Readers without deadlines, as in tests, do without. When the body is
	// refused the deadline stays, since net/http reads what is left of it.
	_ = rc.SetReadDeadline(time.Now().Add(bodyWait))
	var body []byte
	var err error
	tooLarge := r.ContentLength > limit
	if !tooLarge {
		body, err = io.ReadAll(io.LimitReader(r.Body, limit+1))
		tooLarge = int64(len(body)) > limit
	}
	switch {
	case tooLarge:
		// Most clients look for an answer only once they have sent it all.
		_, _ = io.CopyN(io.Discard, r.Body, 4*limit)
		w.Header().Set("Connection", "close")
		refuseHTTP(w, http.StatusRequestEntityTooLarge, fmt.Sprintf("The request is larger than %d bytes.", limit))
	case errors.Is(err, os.ErrDeadlineExceeded):
		w.Header().Set("Connection", "close")
		refuseHTTP(w, http.StatusRequestTimeout, fmt.Sprintf("The request did not arrive within %s.", bodyWait))
	case err != nil:
		w.Header().Set("Connection", "close")
		refuseHTTP(w, http.StatusBadRequest, "The request broke off.")
	default:
		_ = rc.SetReadDeadline(time.Time{})
		return body, true
	}
	return nil, false
}
