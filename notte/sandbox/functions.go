package sandbox

import (
	"cmp"
	"net/http"
	"slices"
	"time"
)

// withFunction looks up {id} for a route, and answers 404 if there is none.
func (s *Server) withFunction(next func(*http.Request, *function) http.HandlerFunc) route {
	return func(r *http.Request) http.HandlerFunc {
		var f *function
		var ok bool
		s.store.view(func() { f, ok = s.store.functions.get(r.PathValue("id")) })
		if !ok {
			return notFound("Function not found")
		}
		return next(r, f)
	}
}

func (s *Server) listFunctions(r *http.Request) http.HandlerFunc {
	p, problems := readPaging(r)
	if problems != nil {
		return invalid(problems)
	}
	var all []object
	s.store.view(func() {
		for f := range s.store.functions.newest() {
			if !p.onlyActive || !f.Inactive {
				all = append(all, f.view())
			}
		}
	})
	return answer(http.StatusOK, p.cut(all))
}

func (s *Server) getFunction(r *http.Request, f *function) http.HandlerFunc {
	version := cmp.Or(r.URL.Query().Get("version"), f.latest())
	if !slices.Contains(f.Versions, version) {
		return notFound("Function version not found")
	}
	return answer(http.StatusOK, f.details(version, s.ids.token()))
}

func (s *Server) deleteFunction(_ *http.Request, f *function) http.HandlerFunc {
	s.store.change(func() { s.store.functions.drop(f.ID) })
	return answer(http.StatusOK, map[string]string{"status": "success", "message": "Function deleted"})
}

func (s *Server) forkFunction(r *http.Request, f *function) http.HandlerFunc {
	fork := newFunction(f.Function)
	fork.ID, fork.Created, fork.Source, fork.ForkOf, fork.Broken = "", time.Time{}, requestSource(r), f.ID, f.Broken
	fork.SelfHealing, fork.Published, fork.Shared = false, false, false
	return answer(http.StatusOK, s.addFunction(fork).view())
}

// changeFunction puts the result of change for the function with this ID, and
// returns it. It returns nil if the function is gone.
func (s *Server) changeFunction(id string, change func(old function) *function) (changed *function) {
	s.store.change(func() {
		if old, ok := s.store.functions.get(id); ok {
			changed = change(*old)
			s.store.functions.put(id, changed)
		}
	})
	return changed
}
