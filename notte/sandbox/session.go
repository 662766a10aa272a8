package sandbox

import (
	"net/url"
	"sync"
	"time"
)

// maxSteps bounds the steps of a session. The demo makes about 20.
const maxSteps = 100

// sessions holds the sessions of the builds that this Server has streamed.
type sessions struct {
	mu   sync.Mutex // guards byID and the sessions in it
	byID boundedMap[*session]
}

// session is the simulated browser session of one build, which the viewer's page
// shows. The mutex of sessions guards the fields after started.
type session struct {
	id, token   string
	query, site string
	started     time.Time

	steps   []viewStep
	ended   string // how it ended; empty while it is open
	changed signal
}

// viewStep is one line of a session's page.
type viewStep struct {
	At   float64 `json:"at"` // seconds since the session began
	Kind string  `json:"kind"`
	Text string  `json:"text"`
}

func (s *Server) openSession(t task) *session {
	v := &session{
		id: s.ids.uuid(), token: s.ids.token(), started: time.Now(),
		query: clip(t.query, 2*maxQuoted), site: clip(t.site, maxQuoted),
	}
	s.sessions.mu.Lock()
	defer s.sessions.mu.Unlock()
	s.sessions.byID.put(v.id, v)
	return v
}

// viewerPath returns the path of the session's page, with its token.
func (v *session) viewerPath() string {
	return "/viewer/" + v.id + "?token=" + url.QueryEscape(v.token)
}

// note adds a step to the session, unless it has maxSteps.
func (s *Server) note(v *session, kind, text string) {
	s.sessions.mu.Lock()
	defer s.sessions.mu.Unlock()
	if len(v.steps) < maxSteps {
		v.steps = append(v.steps, viewStep{time.Since(v.started).Seconds(), kind, text})
		v.changed.wake()
	}
}

// closeSession ends the session; how says the way it ended.
func (s *Server) closeSession(v *session, how string) {
	s.sessions.mu.Lock()
	defer s.sessions.mu.Unlock()
	v.ended = how
	v.changed.wake()
}

// viewed is the state of a session at one moment.
type viewed struct {
	steps   []viewStep
	ended   string
	changed <-chan struct{}
}

// look returns the state of the session, with its steps from index from on.
func (s *Server) look(v *session, from int) viewed {
	s.sessions.mu.Lock()
	defer s.sessions.mu.Unlock()
	return viewed{v.steps[from:len(v.steps):len(v.steps)], v.ended, v.changed.wait()}
}
