package sandbox

import (
	"crypto/rand"
	"crypto/subtle"
	_ "embed"
	"html/template"
	"net/http"
)

//go:embed viewer.html
var viewerHTML string

var viewerPage = template.Must(template.New("viewer").Parse(viewerHTML))

// viewer answers GET /viewer/{session} with the page that a person looks at. It
// shows all there is so far, and brings the rest by listening to viewerEvents.
func (s *Server) viewer(w http.ResponseWriter, r *http.Request) {
	v, ok := s.viewedSession(w, r)
	if !ok {
		return
	}
	now := s.look(v, 0)
	nonce := rand.Text()
	h := w.Header()
	h.Set("Content-Type", "text/html; charset=utf-8")
	h.Set("Content-Security-Policy", "default-src 'none'; script-src 'nonce-"+nonce+"'; style-src 'nonce-"+nonce+
		"'; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'")
	h.Set("X-Content-Type-Options", "nosniff")
	viewerPage.Execute(w, map[string]any{
		"Nonce": nonce, "Query": v.query, "Site": v.site, "Steps": now.steps, "Ended": now.ended,
	})
}

// viewerEvents streams the session's steps from the first on, then one "end"
// event with how it ended.
func (s *Server) viewerEvents(w http.ResponseWriter, r *http.Request) {
	v, ok := s.viewedSession(w, r)
	if !ok {
		return
	}
	play(w, r, []Step{Flush(), Func(func(st *Stream) error {
		for shown := 0; ; {
			now := s.look(v, shown)
			shown += len(now.steps)
			for _, step := range now.steps {
				if err := st.Event(step); err != nil {
					return err
				}
			}
			if now.ended != "" {
				if _, err := st.Write([]byte("event: end\n")); err != nil {
					return err
				}
				return st.Event(viewStep{Kind: "end", Text: now.ended})
			}
			if err := await(st, 0, now.changed); err != nil {
				return err
			}
		}
	})}, nil)
}

// viewedSession checks the token. It answers the same whether the session or
// the token is wrong, and keeps the token out of caches and referrers.
func (s *Server) viewedSession(w http.ResponseWriter, r *http.Request) (*session, bool) {
	w.Header().Set("Cache-Control", "no-store")
	w.Header().Set("Referrer-Policy", "no-referrer")
	s.store.mu.Lock()
	v, ok := s.store.sessions.get(r.PathValue("session"))
	s.store.mu.Unlock()
	token := r.URL.Query().Get("token")
	if !ok || subtle.ConstantTimeCompare([]byte(token), []byte(v.token)) != 1 {
		http.Error(w, "No such session, or the link has expired.", http.StatusNotFound)
		return nil, false
	}
	return v, true
}
