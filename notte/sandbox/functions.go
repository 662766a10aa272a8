package sandbox

import (
	"net/http"
	"slices"
	"time"
)

// withFunction looks up {id} and answers 404 if there is none.
func (s *Server) withFunction(next func(http.ResponseWriter, *http.Request, *function)) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		var f *function
		var ok bool
		s.store.view(func() { f, ok = s.store.functions.get(r.PathValue("id")) })
		if !ok {
			writeJSON(w, http.StatusNotFound, detail("Function not found"))
			return
		}
		next(w, r, f)
	}
}

func (s *Server) listFunctions(w http.ResponseWriter, r *http.Request) {
	p, problems := readPaging(r)
	if problems != nil {
		writeProblems(w, problems...)
		return
	}
	var all []any
	s.store.view(func() {
		for f := range s.store.functions.newest() {
			if !p.onlyActive || !f.Inactive {
				all = append(all, f.view())
			}
		}
	})
	writeJSON(w, http.StatusOK, p.cut(all))
}

func (s *Server) getFunction(w http.ResponseWriter, r *http.Request, f *function) {
	version := r.URL.Query().Get("version")
	if version == "" {
		version = f.latest()
	}
	if !slices.Contains(f.Versions, version) {
		writeJSON(w, http.StatusNotFound, detail("Function version not found"))
		return
	}
	writeJSON(w, http.StatusOK, f.details(version, s.ids.token()))
}

func (s *Server) deleteFunction(w http.ResponseWriter, _ *http.Request, f *function) {
	s.store.change(func() { s.store.functions.drop(f.ID) })
	writeJSON(w, http.StatusOK, map[string]string{"status": "success", "message": "Function deleted"})
}

func (s *Server) forkFunction(w http.ResponseWriter, r *http.Request, f *function) {
	fork := newFunction(f.Function)
	fork.ID, fork.Created, fork.Source, fork.ForkOf, fork.Broken = "", time.Time{}, requestSource(r), f.ID, f.Broken
	fork.SelfHealing, fork.Published, fork.Shared = false, false, false
	writeJSON(w, http.StatusOK, s.addFunction(fork).view())
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
