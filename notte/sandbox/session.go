package sandbox

import (
	"net/url"
	"time"
)

// maxSteps bounds what a session's page shows; the demo stays far below.
const maxSteps = 100

// session is the simulated browser session of one build, for its page. The
// store's mutex guards what follows started.
type session struct {
	id, token   string
	query, site string
	started     time.Time

	steps   []viewStep
	ended   string // how, once it has
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
	s.store.mu.Lock()
	defer s.store.mu.Unlock()
	s.store.sessions.put(v.id, v)
	return v
}

// viewerPath is where the session's page is, with the token that opens it.
func (v *session) viewerPath() string {
	return "/viewer/" + v.id + "?token=" + url.QueryEscape(v.token)
}

func (s *Server) note(v *session, kind, text string) {
	s.store.mu.Lock()
	defer s.store.mu.Unlock()
	if len(v.steps) < maxSteps {
		v.steps = append(v.steps, viewStep{time.Since(v.started).Seconds(), kind, text})
		v.changed.wake()
	}
}

// closeSession says how the session ended.
func (s *Server) closeSession(v *session, how string) {
	s.store.mu.Lock()
	defer s.store.mu.Unlock()
	v.ended = how
	v.changed.wake()
}

// viewed is a session's page at one moment.
type viewed struct {
	steps   []viewStep
	ended   string
	changed <-chan struct{}
}

// look returns the session from its step number from on.
func (s *Server) look(v *session, from int) viewed {
	s.store.mu.Lock()
	defer s.store.mu.Unlock()
	return viewed{v.steps[from:len(v.steps):len(v.steps)], v.ended, v.changed.wait()}
}
