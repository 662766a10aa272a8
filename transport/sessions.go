package transport

import (
	"crypto/rand"
	"net/http"
	"sync"
	"time"

	"github.com/mark3labs/mcp-go/mcp"
)

// maxStreams bounds the GET streams of one session. Nothing is ever sent on
// them, and a client needs one, or two while it reconnects.
const maxStreams = 4

// httpSession is one legacy client, from its initialize until it deletes the
// session or has been idle for long.
type httpSession struct {
	session
	calls calls
	gone  chan struct{} // closed when the session has ended

	// Guarded by the mutex of sessions.
	uses    int         // requests being served
	streams int         // GET streams among them
	used    time.Time   // when uses last became 0
	expiry  *time.Timer // runs while uses is 0
}

// sessions are those of all clients, by ID.
type sessions struct {
	idle time.Duration
	max  int

	mu   sync.Mutex // guards byID and the fields of its sessions that say so
	byID map[string]*httpSession
}

// open begins a session, in use until it is released. The longest idle one
// makes room for it. It returns nil if there is no room.
func (s *sessions) open() *httpSession {
	sess := &httpSession{session: session{id: rand.Text()}, gone: make(chan struct{}), uses: 1}
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.byID) >= s.max && !s.evict() {
		return nil
	}
	if s.byID == nil {
		s.byID = make(map[string]*httpSession)
	}
	s.byID[sess.id] = sess
	return sess
}

// evict ends the session that has been idle longest. The caller holds mu.
func (s *sessions) evict() bool {
	var oldest *httpSession
	for _, sess := range s.byID {
		if sess.uses == 0 && (oldest == nil || sess.used.Before(oldest.used)) {
			oldest = sess
		}
	}
	if oldest == nil {
		return false
	}
	s.drop(oldest)
	return true
}

// use returns the session with this ID and keeps it until it is released, or
// nil if there is none.
func (s *sessions) use(id string) *httpSession {
	s.mu.Lock()
	defer s.mu.Unlock()
	sess := s.byID[id]
	if sess != nil {
		sess.uses++
		if sess.expiry != nil {
			sess.expiry.Stop()
		}
	}
	return sess
}

// release ends a use. An idle session expires.
func (s *sessions) release(sess *httpSession) {
	s.mu.Lock()
	defer s.mu.Unlock()
	sess.uses--
	if sess.uses > 0 || s.byID[sess.id] != sess {
		return
	}
	sess.used = time.Now()
	if sess.expiry == nil {
		sess.expiry = time.AfterFunc(s.idle, func() { s.expire(sess) })
	} else {
		sess.expiry.Reset(s.idle)
	}
}

// expire drops sess unless it was used since its timer was set.
func (s *sessions) expire(sess *httpSession) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if sess.uses == 0 && time.Since(sess.used) >= s.idle && s.byID[sess.id] == sess {
		s.drop(sess)
	}
}

// end ends a session, its streams and its calls, and reports whether there was
// one.
func (s *sessions) end(id string) bool {
	s.mu.Lock()
	sess := s.byID[id]
	if sess != nil {
		s.drop(sess)
	}
	s.mu.Unlock()
	if sess == nil {
		return false
	}
	sess.calls.cancelAll(&CancelledError{Reason: "its session was ended"})
	return true
}

// drop forgets a session. The caller holds mu.
func (s *sessions) drop(sess *httpSession) {
	delete(s.byID, sess.id)
	close(sess.gone)
	if sess.expiry != nil {
		sess.expiry.Stop()
	}
}

// close forgets every session.
func (s *sessions) close() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, sess := range s.byID {
		s.drop(sess)
	}
}

// stream enters a GET stream of sess and reports whether it may have another.
func (s *sessions) stream(sess *httpSession) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if sess.streams == maxStreams {
		return false
	}
	sess.streams++
	return true
}

func (s *sessions) streamEnded(sess *httpSession) {
	s.mu.Lock()
	defer s.mu.Unlock()
	sess.streams--
}

// session returns the session that a legacy request names, to be released, or
// nil when it has been refused.
func (h *HTTP) session(w http.ResponseWriter, r *http.Request) *httpSession {
	id := r.Header.Get(mcp.HeaderSessionID)
	if id == "" {
		refuseHTTP(w, http.StatusBadRequest, "The request has no Mcp-Session-Id: begin with initialize, "+
			"which answers with one, or speak protocol version "+mcp.LATEST_PROTOCOL_VERSION+".")
		return nil
	}
	sess := h.sessions.use(id)
	if sess == nil {
		refuseHTTP(w, http.StatusNotFound, "There is no session with this Mcp-Session-Id, or no longer: "+
			"begin a new one with initialize.")
	}
	return sess
}

// serveStream answers a legacy GET with a stream that stays open. A server
// without changing lists has nothing to say on it, but clients ask for one.
func (h *HTTP) serveStream(w http.ResponseWriter, r *http.Request) {
	if !legacyMethod(w, r) {
		return
	}
	sess := h.session(w, r)
	if sess == nil {
		return
	}
	defer h.sessions.release(sess)
	if !h.sessions.stream(sess) {
		refuseHTTP(w, http.StatusConflict, "This session has its streams open already: use one of them.")
		return
	}
	defer h.sessions.streamEnded(sess)
	out := newReply(w, true, false)
	defer out.close()
	if out.open() != nil {
		return
	}
	out.keepAlive(h.opts.KeepAlive)
	select {
	case <-r.Context().Done():
	case <-sess.gone:
	case <-h.stopping:
	}
}

// serveDelete ends a legacy session.
func (h *HTTP) serveDelete(w http.ResponseWriter, r *http.Request) {
	if !legacyMethod(w, r) {
		return
	}
	sess := h.session(w, r)
	if sess == nil {
		return
	}
	h.sessions.end(sess.id)
	h.sessions.release(sess)
	w.WriteHeader(http.StatusOK)
}

// legacyMethod refuses GET and DELETE to clients of a version that has no
// sessions.
func legacyMethod(w http.ResponseWriter, r *http.Request) bool {
	version := r.Header.Get(mcp.HeaderProtocolVersion)
	if mcp.IsModernProtocol(version) {
		w.Header().Set("Allow", "POST, OPTIONS")
		refuseHTTP(w, http.StatusMethodNotAllowed,
			r.Method+" is not part of protocol version "+mcp.LATEST_PROTOCOL_VERSION+": it has no sessions.")
		return false
	}
	return knownVersion(w, version)
}

// knownVersion refuses a legacy request in a version that there is not. None
// at all is right: 2025-03-26 has no such header.
func knownVersion(w http.ResponseWriter, version string) bool {
	if version == "" || mcp.IsValidProtocolVersion(version) {
		return true
	}
	refuseHTTP(w, http.StatusBadRequest, "The Mcp-Protocol-Version of the request is unknown here: "+
		"leave it to the version that initialize answered with.")
	return false
}
