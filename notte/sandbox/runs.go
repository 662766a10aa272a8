package sandbox

import (
	"net/http"
	"strconv"
	"time"
)

// createRun answers POST /functions/{id}/runs/create.
func (s *Server) createRun(w http.ResponseWriter, r *http.Request, f *function) {
	body, problems := readBody(r)
	local, ok := body["local"].(bool)
	if !ok && body["local"] != nil {
		problems = append(problems, notBool("local"))
	}
	if problems != nil {
		writeProblems(w, problems...)
		return
	}
	run := s.newRun(f.ID)
	run.Local = local
	full := false
	s.store.change(func() {
		if full = s.store.activeRuns(run.Created) >= s.maxRuns; !full {
			s.store.runs.put(run.ID, run)
		}
	})
	if full {
		s.refuseRun(w)
		return
	}
	writeJSON(w, http.StatusOK, map[string]string{
		"function_id": f.ID, "workflow_id": f.ID, "function_run_id": run.ID, "workflow_run_id": run.ID,
		"created_at": formatTime(run.Created), "status": runCreated,
	})
}

// startNewRun answers POST /functions/{id}/runs/start.
func (s *Server) startNewRun(w http.ResponseWriter, r *http.Request, f *function) {
	in, ok := s.readStart(w, r, f, "")
	if !ok {
		return
	}
	run, full := s.newRun(f.ID), false
	s.store.change(func() { run, full = s.begin(run, f, in) })
	if full {
		s.refuseRun(w)
		return
	}
	s.answerStart(w, r, run, in)
}

// startCreatedRun answers POST /functions/{id}/runs/{run_id}. Only the first
// start of a run is accepted.
func (s *Server) startCreatedRun(w http.ResponseWriter, r *http.Request, f *function) {
	run, ok := s.runOf(w, r, f)
	if !ok {
		return
	}
	in, ok := s.readStart(w, r, f, run.ID)
	if !ok {
		return
	}
	var fresh, full bool
	s.store.change(func() {
		if kept, ok := s.store.runs.get(run.ID); ok && kept.Started.IsZero() {
			fresh = true
			run, full = s.begin(kept, f, in)
		}
	})
	switch {
	case !fresh:
		writeJSON(w, http.StatusConflict, detail("Function run has already been started"))
	case full:
		s.refuseRun(w)
	default:
		s.answerStart(w, r, run, in)
	}
}

// begin stores and returns a copy of r that has started now, unless as many runs
// are active as may be. The caller must hold the store's mutex.
func (s *Server) begin(r *run, f *function, in startBody) (begun *run, full bool) {
	now := time.Now()
	if s.store.activeRuns(now) >= s.maxRuns {
		return r, true
	}
	next := *r
	next.Started, next.Vars, next.Outcome = now, in.vars, f.Run
	if f.Run == nil {
		next.Outcome = s.sample(f, in.vars, now)
	}
	s.store.runs.put(next.ID, &next)
	return &next, false
}

// defaultMaxRuns is how many runs Notte's free plan has at once.
const defaultMaxRuns = 10

// activeRuns counts the runs that are active at now. The caller must hold the mutex.
func (s *store) activeRuns(now time.Time) (n int) {
	for r := range s.runs.newest() {
		if r.status(now) == runActive {
			n++
		}
	}
	return n
}

// refuseRun answers that as many runs are active as may be.
func (s *Server) refuseRun(w http.ResponseWriter) {
	w.Header().Set("Retry-After", "1")
	writeJSON(w, http.StatusTooManyRequests, detail("Too many concurrent function runs: at most "+strconv.Itoa(s.maxRuns)))
}

func (s *Server) answerStart(w http.ResponseWriter, r *http.Request, run *run, in startBody) {
	s.play(w, r, s.scripts.run(run.FunctionID), func(st *Stream) error {
		if in.stream {
			return s.streamRun(st, run)
		}
		return s.answerRun(st, run)
	})
}

// runOf looks up {run_id} among the runs of f, and answers 404 if it is none.
func (s *Server) runOf(w http.ResponseWriter, r *http.Request, f *function) (run *run, ok bool) {
	s.store.view(func() { run, ok = s.store.runs.get(r.PathValue("run_id")) })
	if !ok || run.FunctionID != f.ID {
		writeJSON(w, http.StatusNotFound, detail("Function run not found"))
		return nil, false
	}
	return run, true
}

// runView is a run on the wire.
type runView struct {
	FunctionID    string            `json:"function_id"`
	WorkflowID    string            `json:"workflow_id"`
	FunctionRunID string            `json:"function_run_id"`
	WorkflowRunID string            `json:"workflow_run_id"`
	Status        string            `json:"status"`
	Result        *string           `json:"result"`
	Logs          []string          `json:"logs"`
	Variables     map[string]string `json:"variables"`
	Local         bool              `json:"local"`
	SessionID     string            `json:"session_id"`
	CreatedAt     string            `json:"created_at"`
	UpdatedAt     string            `json:"updated_at"`
}

func (r *run) view(now time.Time) runView {
	v := runView{
		FunctionID: r.FunctionID, WorkflowID: r.FunctionID, FunctionRunID: r.ID, WorkflowRunID: r.ID,
		Status: r.status(now), Logs: []string{}, Variables: map[string]string{}, Local: r.Local, SessionID: r.SessionID,
		CreatedAt: formatTime(r.Created), UpdatedAt: formatTime(r.updated(now)),
	}
	if r.Started.IsZero() {
		return v
	}
	n, _ := r.lines(now)
	v.Logs = append(v.Logs, r.Outcome.Logs[:n]...)
	v.Variables = r.Vars
	if r.over(now) {
		text := pythonText(r.Outcome.Result)
		v.Result = &text
	}
	return v
}

// getRun answers GET /functions/{id}/runs/{run_id}.
func (s *Server) getRun(w http.ResponseWriter, r *http.Request, f *function) {
	if run, ok := s.runOf(w, r, f); ok {
		writeJSON(w, http.StatusOK, run.view(time.Now()))
	}
}

// listRuns answers GET /functions/{id}/runs.
func (s *Server) listRuns(w http.ResponseWriter, r *http.Request, f *function) {
	p, problems := readPaging(r)
	if problems != nil {
		writeProblems(w, problems...)
		return
	}
	var all []any
	now := time.Now()
	s.store.view(func() {
		for run := range s.store.runs.newest() {
			if run.FunctionID == f.ID && (!p.onlyActive || run.status(now) == runActive) {
				all = append(all, run.view(now))
			}
		}
	})
	writeJSON(w, http.StatusOK, p.cut(all))
}

// stopRun answers DELETE /functions/{id}/runs/{run_id}. It ends the run as failed,
// with a result that says so. A run that has ended keeps its outcome.
func (s *Server) stopRun(w http.ResponseWriter, r *http.Request, f *function) {
	run, ok := s.runOf(w, r, f)
	if !ok {
		return
	}
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
	writeJSON(w, http.StatusOK, runChange{
		f.ID, f.ID, run.ID, run.ID, "stopped", formatTime(run.Created), formatTime(time.Now()),
	})
}

// runChange is the answer to a request that changes a run.
type runChange struct {
	FunctionID    string `json:"function_id"`
	WorkflowID    string `json:"workflow_id"`
	FunctionRunID string `json:"function_run_id"`
	WorkflowRunID string `json:"workflow_run_id"`
	Status        string `json:"status"`
	CreatedAt     string `json:"created_at"`
	UpdatedAt     string `json:"updated_at"`
}
