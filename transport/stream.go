package transport

import (
	"context"
	"fmt"
	"net/http"

	"github.com/mark3labs/mcp-go/mcp"
)

// maxStreams bounds the GET streams of one session. A client needs one, or two while
// it reconnects.
const maxStreams = 4

// sessionOf returns the session that a legacy request names.
func (h *HTTP) sessionOf(r *http.Request) (string, *refusal) {
	id := r.Header.Get(mcp.HeaderSessionID)
	switch {
	case id == "":
		return "", refused(http.StatusBadRequest, "The request has no Mcp-Session-Id: begin with initialize, "+
			"which answers with one, or speak protocol version "+mcp.LATEST_PROTOCOL_VERSION+".")
	case !h.sessions.valid(id):
		return "", endedSession()
	}
	return id, nil
}

func endedSession() *refusal {
	return refused(http.StatusNotFound, "The session with this Mcp-Session-Id does not exist or has ended: "+
		"start a new one with initialize.")
}

// serveSession answers GET and DELETE, which are about a legacy session.
func (h *HTTP) serveSession(w http.ResponseWriter, r *http.Request) *refusal {
	switch version := r.Header.Get(mcp.HeaderProtocolVersion); {
	case isStateless(version):
		w.Header().Set("Allow", "POST, OPTIONS")
		return refused(http.StatusMethodNotAllowed,
			r.Method+" is not part of protocol version "+mcp.LATEST_PROTOCOL_VERSION+": it has no sessions.")
	case !isKnownVersion(version):
		return unknownVersion()
	}
	session, bad := h.sessionOf(r)
	if bad != nil {
		return bad
	}
	if r.Method == http.MethodGet {
		return h.serveStream(w, r, session)
	}
	h.sessions.end(session)
	h.calls.cancelSession(session, fmt.Errorf("%w: its session was ended", ErrCancelled))
	w.WriteHeader(http.StatusOK)
	return nil
}

// serveStream answers a GET with a stream that stays open until the client leaves,
// the session is ended or the server stops. It tells the client which lists have
// changed.
func (h *HTTP) serveStream(w http.ResponseWriter, r *http.Request, session string) *refusal {
	if bad := h.streams.enter(); bad != nil {
		return &refusal{status: http.StatusServiceUnavailable, err: bad}
	}
	defer h.streams.leave()
	c := &call{key: callKey{session, "stream"}} // no request ID has this key
	c.ctx, c.stop = context.WithCancelCause(r.Context())
	defer c.stop(nil)
	if !h.calls.add(c, maxStreams) { // so it ends with the session
		return refused(http.StatusConflict, "This session has as many streams as it may have: use one of them.")
	}
	defer h.calls.remove(c)
	if !h.sessions.valid(session) {
		return endedSession() // by a DELETE that came before add, and so did not end c
	}
	f := h.hub.follow(session, h.advertised())
	defer h.hub.leave(f)
	h.hub.refresh(c.ctx)
	out := newReply(w, true, false)
	defer out.close()
	if out.open() != nil {
		return nil // the client is gone
	}
	h.hub.tell(c.ctx, f, func(method string) error { return out.notify(encodeNotice(method, nil), &c.over) })
	return nil
}

// isKnownVersion reports whether a legacy request may have this version. The version
// may be empty, because 2025-03-26 has no header for it.
func isKnownVersion(version string) bool { return version == "" || mcp.IsValidProtocolVersion(version) }

// isStateless reports whether a version that this server speaks has no sessions.
func isStateless(version string) bool {
	return mcp.IsModernProtocol(version) && mcp.IsValidProtocolVersion(version)
}

func unknownVersion() *refusal {
	return refused(http.StatusBadRequest, "The Mcp-Protocol-Version of the request is unknown here: "+
		"send the version that initialize answered with.")
}
