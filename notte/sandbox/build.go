package sandbox

import (
	"encoding/json"
	"io"
	"mime"
	"net/http"
	"net/url"
	"strings"
	"time"
)

// startRequest is the checked body of a build's start.
type startRequest struct {
	query    string
	threadID string // empty: a new thread; v2 only
	detach   bool   // v2 only
}

// refusal is an answer to a start that is refused.
type refusal struct {
	status  int
	code    string // v2 only
	message string
}

// startBuild answers POST /api/anything/start.
func (s *Server) startBuild(w http.ResponseWriter, r *http.Request) {
	if !s.authorized(r) {
		s.refuse(w, refusal{http.StatusUnauthorized, "unauthorized", unauthorized})
		return
	}
	in, refused := s.readStartRequest(r)
	if refused != nil {
		s.refuse(w, *refused)
		return
	}
	steps := s.scripts.get(scriptName{query: in.query})
	if in.threadID != "" {
		scripted := steps
		steps = []Step{Func(func(st *Stream) error {
			if refused := s.reserve(st, in.threadID); refused != nil {
				return st.refuse(*refused)
			}
			return st.playAll(scripted)
		})}
	}
	s.play(w, r, steps, func(st *Stream) error { return s.demoBuild(st, r, in) })
}

// demoBuild answers a start with the simulated build.
func (s *Server) demoBuild(st *Stream, r *http.Request, in startRequest) error {
	if wants(in.query, "unavailable") && !st.begun {
		return st.answer(http.StatusBadGateway, anythingError("Agent failed to start"))
	}
	if s.api == V2 {
		return s.demoV2(st, r, in)
	}
	return s.demoV1(st, r, in.query)
}

// reserve makes the thread busy until the answer ends, unless it is missing or
// busy.
func (s *Server) reserve(st *Stream, threadID string) (refused *refusal) {
	s.store.view(func() {
		refused = s.store.refuseTurn(threadID, time.Now())
		if refused == nil && s.store.playing[threadID] > 0 {
			refused = threadBusy()
		}
		if refused == nil {
			st.occupy(threadID)
		}
	})
	return refused
}

// readStartRequest reads the start of a build, or returns why it is refused.
func (s *Server) readStartRequest(r *http.Request) (in startRequest, refused *refusal) {
	invalid := func(message string) (startRequest, *refusal) {
		return startRequest{}, &refusal{http.StatusBadRequest, "invalid_request", message}
	}
	if !isJSON(r) {
		return invalid("Content-Type must be application/json")
	}
	data, err := io.ReadAll(r.Body)
	if err != nil {
		return invalid("Unreadable body")
	}
	// A map, because the field names of a struct match in any case.
	var body map[string]any
	if err := json.Unmarshal(data, &body); err != nil {
		return invalid("Invalid JSON body")
	}
	if version := body["version"]; s.api == V2 && version != nil && version != string(V2) {
		return in, &refusal{http.StatusBadRequest, "unsupported_version", `Only version "v2" is supported`}
	}
	query, ok := body["query"].(string)
	if !ok || strings.TrimSpace(query) == "" {
		return invalid("Missing query field")
	}
	in.query = query
	if s.api == V1 { // which knows no other field
		return in, nil
	}
	if in.threadID, ok = body["thread_id"].(string); !ok && body["thread_id"] != nil {
		return invalid("thread_id must be a string")
	}
	if in.detach, ok = body["detach"].(bool); !ok && body["detach"] != nil {
		return invalid("detach must be a boolean")
	}
	return in, nil
}

func isJSON(r *http.Request) bool {
	mediaType, _, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	return err == nil && mediaType == "application/json"
}

// refuse answers with the error in the form of the Server's contract.
func (s *Server) refuse(w http.ResponseWriter, e refusal) { writeJSON(w, e.status, s.refusalBody(e)) }

func (s *Server) refusalBody(e refusal) any {
	if s.api == V2 {
		return map[string]string{"error": e.code, "message": e.message}
	}
	return anythingError(e.message)
}

// refuse answers with the error, which is the whole answer.
func (st *Stream) refuse(e refusal) error { return st.answer(e.status, st.server.refusalBody(e)) }

// origin returns the address at which a browser reaches the Server.
func (s *Server) origin(r *http.Request) string {
	if s.baseURL != "" {
		return s.baseURL
	}
	origin := url.URL{Scheme: "http", Host: r.Host}
	if r.TLS != nil {
		origin.Scheme = "https"
	}
	return origin.String()
}
