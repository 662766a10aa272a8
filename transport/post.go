package transport

import (
	"cmp"
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

const (
	// bodyWait is how long a request's body may take to arrive.
	bodyWait = 30 * time.Second
	// maxBody bounds a request's body, in bytes.
	maxBody = maxMessage
)

// readMessage reads the message of a POST.
func readMessage(w http.ResponseWriter, r *http.Request) (message, *refusal) {
	if media, _, err := mime.ParseMediaType(r.Header.Get("Content-Type")); err != nil || media != "application/json" {
		return message{}, refused(http.StatusUnsupportedMediaType, "MCP is sent as JSON: set Content-Type: application/json.")
	}
	if coding := r.Header.Get("Content-Encoding"); coding != "" && !strings.EqualFold(coding, "identity") {
		w.Header().Set("Accept-Encoding", "identity")
		return message{}, refused(http.StatusUnsupportedMediaType, fmt.Sprintf(
			"The server does not decode %.50q: send the message without Content-Encoding.", coding))
	}
	body, bad := readBody(w, r)
	if bad != nil {
		return message{}, bad
	}
	m, wrong := parseMessage(trimMessage(body))
	if wrong != nil {
		return message{}, &refusal{status: refusalStatus(r, wrong), id: m.id, err: wrong}
	}
	return m, nil
}

// accept reads a message and returns its call, whose context ends when the client
// leaves. If it returns neither a call nor a refusal, it has answered the request.
func (h *HTTP) accept(w http.ResponseWriter, r *http.Request) (*call, []byte, *refusal) {
	m, bad := readMessage(w, r)
	if bad != nil {
		return nil, nil, bad
	}
	p, bad := h.peerOf(r, m)
	if bad != nil {
		return nil, nil, bad
	}
	// Without a session a cancellation could name another client's request. Such clients
	// cancel by closing the response.
	if m.isCancellation() && !p.stateless {
		h.calls.cancel(p.session, m.params)
	}
	if m.response || m.id == nil {
		w.WriteHeader(http.StatusAccepted)
		return nil, nil, nil
	}
	if m.method == string(mcp.MethodSubscriptionsListen) && !acceptsStream(r) {
		return nil, nil, &refusal{status: http.StatusNotAcceptable, id: m.id, err: &rpcError{mcp.INVALID_REQUEST,
			"A subscription is answered with an event stream: send Accept: application/json, text/event-stream."}}
	}
	out := newReply(w, acceptsStream(r), p.stateless)
	if m.isInitialize() && !p.stateless {
		w.Header().Set(mcp.HeaderSessionID, p.session) // out deletes it if initialize fails
	}
	if !out.streams {
		m.token = nil
	}
	c, wrong := h.admit(r.Context(), p, m, out)
	if wrong != nil {
		out.answer(encodeError(m.id, wrong))
	}
	return c, m.exact, nil
}

// refusalStatus returns the HTTP status for a message that parseMessage has refused.
func refusalStatus(r *http.Request, wrong *rpcError) int {
	switch {
	case wrong == errNotUTF8:
		return http.StatusUnsupportedMediaType
	case wrong.code == mcp.INVALID_PARAMS && !mcp.IsModernProtocol(r.Header.Get(mcp.HeaderProtocolVersion)):
		return http.StatusOK // clients with a session take another status for a failure of the transport
	default:
		return http.StatusBadRequest
	}
}

// beforeHeader is the last version whose clients do not name it in a header.
const beforeHeader = "2025-03-26"

// peerOf returns the client that sent m.
func (h *HTTP) peerOf(r *http.Request, m message) (p peer, bad *refusal) {
	version := r.Header.Get(mcp.HeaderProtocolVersion)
	// Some clients name their newest version in the header, even if initialize has
	// agreed on another one.
	begins, continues := m.isInitialize(), r.Header.Get(mcp.HeaderSessionID) != ""
	switch {
	case mcp.IsModernProtocol(m.version) || isStateless(version) && !begins && !continues:
		p.stateless = true
		if m.id != nil {
			if wrong := checkHeaders(r.Header, m, h.tasks != nil); wrong != nil {
				bad = &refusal{status: http.StatusBadRequest, id: m.id, err: wrong}
			}
		}
	case begins:
		p.session = h.sessions.begin(m.pages)
	case !isKnownVersion(version):
		bad = unknownVersion()
	case m.response || m.isCancellation() && !continues:
		// Clients of the stateless protocol send such cancellations too, and
		// some stop using a server that refuses them.
	default:
		if p.session, bad = h.sessionOf(r); bad == nil {
			p.showsPages, p.version = showsPages(p.session), cmp.Or(version, beforeHeader)
		}
	}
	return p, bad
}

// checkHeaders returns an error if the headers of a request do not agree with
// its body. Intermediaries rely on these headers since 2026-07-28. tasks means
// that requests about tasks are checked too.
func checkHeaders(header http.Header, m message, tasks bool) *rpcError {
	version := header.Get(mcp.HeaderProtocolVersion)
	switch {
	case m.response:
		return &rpcError{mcp.INVALID_REQUEST, "This server sends no requests, so it takes no responses."}
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
		return nil // mcp-go answers with the list of versions
	}
	if err := mcp.ValidateStandardHeaders(header.Get, version, mcp.MCPMethod(m.method), m.params); err != nil {
		return &rpcError{mcp.HEADER_MISMATCH, err.Error()}
	}
	if tasks {
		return checkTaskName(header, m)
	}
	return nil
}

// acceptsStream reports whether the client takes an event stream. A bare */*
// does not count, because simple HTTP tools send it.
func acceptsStream(r *http.Request) bool {
	return strings.Contains(strings.ToLower(strings.Join(r.Header.Values("Accept"), ",")), "text/event-stream")
}

// readBody returns the body of r, or a refusal if the body is too large, too slow
// or incomplete.
func readBody(w http.ResponseWriter, r *http.Request) ([]byte, *refusal) {
	rc := http.NewResponseController(w)
	// An error means that the reader has no deadlines, as in tests. When the
	// body is refused the deadline stays, because net/http reads what is left.
	_ = rc.SetReadDeadline(time.Now().Add(bodyWait))
	var body []byte
	var err error
	tooLarge := r.ContentLength > maxBody
	if !tooLarge {
		body, err = io.ReadAll(io.LimitReader(r.Body, maxBody+1))
		tooLarge = len(body) > maxBody
	}
	if !tooLarge && err == nil {
		_ = rc.SetReadDeadline(time.Time{})
		return body, nil
	}
	w.Header().Set("Connection", "close")
	switch {
	case tooLarge:
		// Most clients read the answer only after they have sent the whole body.
		_, _ = io.CopyN(io.Discard, r.Body, 4*maxBody)
		return nil, refused(http.StatusRequestEntityTooLarge, fmt.Sprintf("The request is larger than %d bytes.", maxBody))
	case errors.Is(err, os.ErrDeadlineExceeded):
		return nil, refused(http.StatusRequestTimeout, fmt.Sprintf("The request did not arrive within %s.", bodyWait))
	default:
		return nil, refused(http.StatusBadRequest, "The request was cut off before its end.")
	}
}
