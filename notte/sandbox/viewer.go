package sandbox

import (
	"crypto/rand"
	"crypto/subtle"
	_ "embed"
	"fmt"
	"html"
	"net/http"
	"strings"
)

//go:embed viewer.html
var viewerHTML string

// viewer answers GET /viewer/{session} with a page for people. The page has the
// steps so far, and its script adds the later ones from viewerEvents.
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
	fmt.Fprint(w, viewerPage(v, now, nonce))
}

// viewerPage fills in viewer.html. It does not use html/template, because that
// package calls methods by name and so makes the linker keep all of them.
func viewerPage(v *session, now viewed, nonce string) string {
	var steps strings.Builder
	for _, step := range now.steps {
		fmt.Fprintf(&steps, `
    <li><time>%.1f s</time><span class="kind">%s</span><span class="text">%s</span></li>`,
			step.At, html.EscapeString(step.Kind), html.EscapeString(step.Text))
	}
	class, refresh, state := "live", `<meta http-equiv="refresh" content="2">`, "The agent is at work."
	if now.ended != "" {
		class, refresh, state = "", "", "Session "+html.EscapeString(now.ended)+"."
	}
	return strings.NewReplacer(
		"{{nonce}}", nonce, "{{query}}", html.EscapeString(v.query), "{{site}}", html.EscapeString(v.site),
		"{{class}}", class, "{{refresh}}", refresh, "{{state}}", state, "{{steps}}", steps.String(),
	).Replace(viewerHTML)
}

// viewerEvents streams all steps of the session, then one event "end" that says
// how it ended.
func (s *Server) viewerEvents(w http.ResponseWriter, r *http.Request) {
	v, ok := s.viewedSession(w, r)
	if !ok {
		return
	}
	s.play(w, r, []Step{Flush(), Func(func(st *Stream) error {
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
			if err := await(st.ctx, 0, now.changed); err != nil {
				return err
			}
		}
	})}, nil)
}

// viewedSession looks up the session and checks its token. The answer to an
// unknown session and to a wrong token is the same. Its headers keep the token
// out of caches and referrers.
func (s *Server) viewedSession(w http.ResponseWriter, r *http.Request) (*session, bool) {
	w.Header().Set("Cache-Control", "no-store")
	w.Header().Set("Referrer-Policy", "no-referrer")
	s.sessions.mu.Lock()
	v, ok := s.sessions.byID.get(r.PathValue("session"))
	s.sessions.mu.Unlock()
	token := r.URL.Query().Get("token")
	if !ok || subtle.ConstantTimeCompare([]byte(token), []byte(v.token)) != 1 {
		http.Error(w, "No such session, or the link has expired.", http.StatusNotFound)
		return nil, false
	}
	return v, true
}
