package sandbox

import (
	"net/http"
	"time"
)

// secret is an environment secret of functions. Secrets are kept in memory only.
type secret struct {
	id, name, namespace, value string
	created                    time.Time
}

// view returns the secret on the wire, without its value.
func (v *secret) view() object {
	hint := "…"
	if len(v.value) >= 12 {
		hint += v.value[len(v.value)-4:]
	}
	return object{
		"id", v.id, "name", v.name, "namespace", v.namespace, "key_hint", hint, "created_at", formatTime(v.created), "last_used_at", nil,
	}
}

// listSecrets answers GET /secrets, with the newest 1,000 secrets.
func (s *Server) listSecrets(r *http.Request) http.HandlerFunc {
	namespace := r.URL.Query().Get("namespace")
	items := []object{}
	s.store.view(func() {
		for v := range s.store.secrets.newest() {
			if namespace == "" || v.namespace == namespace {
				items = append(items, v.view())
			}
		}
	})
	return answer(http.StatusOK, map[string]any{"items": items})
}

// storeSecret answers POST /secrets. It replaces a secret of the same name.
func (s *Server) storeSecret(r *http.Request) http.HandlerFunc {
	body, problems := readBody(r)
	if problems != nil {
		return invalid(problems)
	}
	v := &secret{id: s.ids.uuid(), created: time.Now()}
	text := func(name string) string {
		text, _ := body[name].(string)
		if text == "" {
			problems = append(problems, missing("body", name))
		}
		return text
	}
	v.name, v.namespace, v.value = text("name"), text("namespace"), text("value")
	if problems != nil {
		return invalid(problems)
	}
	s.store.change(func() {
		if old, ok := s.secret(v.name, v.namespace); ok {
			s.store.secrets.drop(old.id)
		}
		s.store.secrets.put(v.id, v)
	})
	return answer(http.StatusCreated, v.view())
}

func (s *Server) getSecret(r *http.Request) http.HandlerFunc {
	namespace := r.URL.Query().Get("namespace")
	if namespace == "" {
		return invalid([]problem{missing("query", "namespace")})
	}
	var v *secret
	var ok bool
	s.store.view(func() { v, ok = s.secret(r.PathValue("name"), namespace) })
	if !ok {
		return notFound("Secret not found")
	}
	return answer(http.StatusOK, map[string]string{"value": v.value})
}

func (s *Server) deleteSecret(r *http.Request) http.HandlerFunc {
	id := r.PathValue("id")
	var ok bool
	s.store.change(func() {
		_, ok = s.store.secrets.get(id)
		s.store.secrets.drop(id)
	})
	if !ok {
		return notFound("Secret not found")
	}
	return answer(http.StatusOK, map[string]string{"status": "success"})
}

// secret looks up a secret by name. The caller must hold the store's mutex.
func (s *Server) secret(name, namespace string) (*secret, bool) {
	for v := range s.store.secrets.newest() {
		if v.name == name && v.namespace == namespace {
			return v, true
		}
	}
	return nil, false
}
