package sandbox

import (
	"net/http"
	"strconv"
	"time"
)

func (s *Server) createRun(r *http.Request, f *function) http.HandlerFunc {
	body, problems := readBody(r)
	run := s.newRun(f.ID)
	run.Local = member[bool](body, "local", &problems)
	if problems != nil {
		return invalid(problems)
	}
	full := false
	s.store.change(func() {
		if full = s.store.activeRuns(run.Created) >= maxRuns; !full {
			s.store.runs.put(run.ID, run)
		}
	})
	if full {
		return tooManyRuns
	}
	return answer(http.StatusOK, map[string]string{
		"function_id": f.ID, "workflow_id": f.ID, "function_run_id": run.ID, "workflow_run_id": run.ID,
		"created_at": formatTime(run.Created), "status": runCreated,
	})
}

func (s *Server) startNewRun(r *http.Request, f *function) http.HandlerFunc {
	in, refused := readStart(r, f, "")
	if refused != nil {
		return refused
	}
	var begun *run
	s.store.change(func() { begun = s.begin(s.newRun(f.ID), f, in) })
	return s.answerStart(begun, in)
}

// startCreatedRun answers POST /functions/{id}/runs/{run_id}. Only the first
// start of a run is accepted.
func (s *Server) startCreatedRun(r *http.Request, f *function, run *run) http.HandlerFunc {
	in, refused := readStart(r, f, run.ID)
	if refused != nil {
		return refused
	}
	fresh := false
	s.store.change(func() {
		kept, ok := s.store.runs.get(run.ID)
		if fresh = ok && kept.Started.IsZero(); fresh {
			run = s.begin(kept, f, in)
		}
	})
	if !fresh {
		return answer(http.StatusConflict, detail("Function run has already been started"))
	}
	return s.answerStart(run, in)
}

// begin stores and returns a copy of r that has started now. It returns nil if as
// many runs are active as may be. The caller must hold the store's mutex.
func (s *Server) begin(r *run, f *function, in startBody) *run {
	now := time.Now()
	if s.store.activeRuns(now) >= maxRuns {
		return nil
	}
	begun := *r
	begun.Started, begun.Vars, begun.Outcome = now, in.vars, f.Run
	if f.Run == nil {
		begun.Outcome = s.sample(f, in.vars, now)
	}
	s.store.runs.put(begun.ID, &begun)
	return &begun
}

// maxRuns is how many runs may be active at once, as in Notte's free plan.
const maxRuns = 10

// activeRuns counts the runs that are active at now. The caller must hold the mutex.
func (s *store) activeRuns(now time.Time) (n int) {
	for r := range s.runs.newest() {
		if r.status(now) == runActive {
			n++
		}
	}
	return n
}

// tooManyRuns answers that as many runs are active as may be.
func tooManyRuns(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Retry-After", "1")
	writeJSON(w, http.StatusTooManyRequests, detail("Too many concurrent function runs: at most "+strconv.Itoa(maxRuns)))
}

// answerStart answers the start of a run, which is nil if too many are active.
func (s *Server) answerStart(run *run, in startBody) http.HandlerFunc {
	if run == nil {
		return tooManyRuns
	}
	return func(w http.ResponseWriter, r *http.Request) {
		s.play(w, r, s.scripts.get(scriptName{functionID: run.FunctionID}), func(st *Stream) error {
			if in.stream {
				return s.streamRun(st, run)
			}
			return s.answerRun(st, run)
		})
	}
}

// withRun looks up {id} and {run_id} for a route, and answers 404 if there is no such
// run.
func (s *Server) withRun(next func(*http.Request, *function, *run) http.HandlerFunc) route {
	return s.withFunction(func(r *http.Request, f *function) http.HandlerFunc {
		var run *run
		s.store.view(func() { run, _ = s.store.runs.get(r.PathValue("run_id")) })
		if run == nil || run.FunctionID != f.ID {
			return notFound("Function run not found")
		}
		return next(r, f, run)
	})
}

// ids returns the IDs of the run on the wire, each under two names.
func (r *run) ids() object {
	return object{"function_id", r.FunctionID, "workflow_id", r.FunctionID, "function_run_id", r.ID, "workflow_run_id", r.ID}
}

// view returns the run on the wire.
func (r *run) view(now time.Time) object {
	result, logs, variables := any(nil), []string{}, map[string]string{}
	if !r.Started.IsZero() {
		n, _ := r.lines(now)
		logs, variables = append(logs, r.Outcome.Logs[:n]...), r.Vars
	}
	if r.over(now) {
		result = pythonText(r.Outcome.Result)
	}
	return append(r.ids(), "status", r.status(now), "result", result, "logs", logs, "variables", variables,
		"local", r.Local, "session_id", r.SessionID, "created_at", formatTime(r.Created), "updated_at", formatTime(r.updated(now)))
}

func (s *Server) getRun(_ *http.Request, _ *function, run *run) http.HandlerFunc {
	return answer(http.StatusOK, run.view(time.Now()))
}

func (s *Server) listRuns(r *http.Request, f *function) http.HandlerFunc {
	p, problems := readPaging(r)
	if problems != nil {
		return invalid(problems)
	}
	var all []object
	now := time.Now()
	s.store.view(func() {
		for run := range s.store.runs.newest() {
			if run.FunctionID == f.ID && (!p.onlyActive || run.status(now) == runActive) {
				all = append(all, run.view(now))
			}
		}
	})
	return answer(http.StatusOK, p.cut(all))
}

// stopRun answers DELETE /functions/{id}/runs/{run_id}. It ends the run as failed,
// with a result that says so. A run that has ended keeps its outcome.
func (s *Server) stopRun(_ *http.Request, _ *function, run *run) http.HandlerFunc {
	s.store.change(func() {
		kept, ok := s.store.runs.get(run.ID)
		now := time.Now()
		if !ok || kept.over(now) {
			return
		}
		stopping, stopped := *kept, Outcome{Status: "failed", Result: "Run was stopped"}
		if kept.Started.IsZero() {
			stopping.Started, stopping.Vars = now, map[string]string{}
		} else {
			n, _ := kept.lines(now)
			stopped.Logs = kept.Outcome.Logs[:n]
		}
		s.endRun(stopping, &stopped)
	})
	return run.changed("stopped", time.Now())
}

// changed is the answer to a request that has changed the run.
func (r *run) changed(status string, at time.Time) http.HandlerFunc {
	return answer(http.StatusOK, append(r.ids(), "status", status, "created_at", formatTime(r.Created), "updated_at", formatTime(at)))
}
