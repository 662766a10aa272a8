package sandbox

import (
	"encoding/json"
	"io"
	"net/http"
	"time"
)

func (s *Server) createRun(w http.ResponseWriter, r *http.Request, f *function) {
	body, problems := readBody(r)
	if problems == nil {
		if v, ok := body["local"]; ok {
			if _, ok := v.(bool); !ok {
				problems = []problem{notBool("local")}
			}
		}
	}
	if problems != nil {
		writeProblems(w, problems...)
		return
	}
	s.store.mu.Lock()
	run := s.addRun(f.ID)
	s.store.mu.Unlock()
	writeJSON(w, http.StatusOK, map[string]string{
		"function_id": f.ID, "workflow_id": f.ID, "function_run_id": run.id, "workflow_run_id": run.id,
		"created_at": formatTime(run.created), "status": runCreated,
	})
}

func (s *Server) startNewRun(w http.ResponseWriter, r *http.Request, f *function) {
	in, ok := s.readStart(w, r, f, "")
	if !ok {
		return
	}
	s.store.mu.Lock()
	run := s.addRun(f.ID)
	s.begin(run, f, in)
	s.store.mu.Unlock()
	s.answerStart(w, r, run, in)
}

func (s *Server) startCreatedRun(w http.ResponseWriter, r *http.Request, f *function) {
	s.store.mu.Lock()
	run, known := s.runOf(f, r)
	s.store.mu.Unlock()
	if !known {
		writeJSON(w, http.StatusNotFound, detail("Function run not found"))
		return
	}
	in, ok := s.readStart(w, r, f, run.id)
	if !ok {
		return
	}
	s.store.mu.Lock()
	fresh := run.started.IsZero()
	if fresh {
		s.begin(run, f, in)
	}
	s.store.mu.Unlock()
	if !fresh {
		writeJSON(w, http.StatusConflict, detail("Function run has already been started"))
		return
	}
	s.answerStart(w, r, run, in)
}

// begin starts the run. The caller must hold the store's mutex.
func (s *Server) begin(r *run, f *function, in startBody) {
	r.started, r.vars, r.outcome = time.Now(), in.vars, f.Run
	if f.Run == nil {
		r.outcome = s.sample(f, in.vars, r.started)
	}
}

func (s *Server) answerStart(w http.ResponseWriter, r *http.Request, run *run, in startBody) {
	play(w, r, s.scripts.run(run.functionID), func(st *Stream) error {
		if in.stream {
			return s.streamRun(st, run)
		}
		return s.answerRun(st, run)
	})
}

// runOf looks up {run_id} among the runs of f. The caller must hold the store's
// mutex.
func (s *Server) runOf(f *function, r *http.Request) (*run, bool) {
	run, ok := s.store.runs.get(r.PathValue("run_id"))
	return run, ok && run.functionID == f.ID
}

// runView is a run on the wire.
type runView struct {
	FunctionID    string            `json:"function_id"`
	FunctionRunID string            `json:"function_run_id"`
	WorkflowRunID string            `json:"workflow_run_id"`
	Status        string            `json:"status"`
	Result        *string           `json:"result"`
	Logs          []string          `json:"logs"`
	Variables     map[string]string `json:"variables"`
	SessionID     string            `json:"session_id"`
	CreatedAt     string            `json:"created_at"`
	UpdatedAt     string            `json:"updated_at"`
}

func (r *run) view(now time.Time) runView {
	v := runView{
		FunctionID: r.functionID, FunctionRunID: r.id, WorkflowRunID: r.id,
		Status: r.status(now), Logs: []string{}, Variables: map[string]string{}, SessionID: r.sessionID,
		CreatedAt: formatTime(r.created), UpdatedAt: formatTime(r.updated(now)),
	}
	if r.started.IsZero() {
		return v
	}
	n, _ := r.lines(now)
	v.Logs = append(v.Logs, r.outcome.Logs[:n]...)
	v.Variables = r.vars
	if r.over(now) {
		text := pythonText(r.outcome.Result)
		v.Result = &text
	}
	return v
}

func (s *Server) getRun(w http.ResponseWriter, r *http.Request, f *function) {
	s.store.mu.Lock()
	run, ok := s.runOf(f, r)
	var v runView
	if ok {
		v = run.view(time.Now())
	}
	s.store.mu.Unlock()
	if !ok {
		writeJSON(w, http.StatusNotFound, detail("Function run not found"))
		return
	}
	writeJSON(w, http.StatusOK, v)
}

func (s *Server) listRuns(w http.ResponseWriter, r *http.Request, f *function) {
	p, problems := readPaging(r)
	if problems != nil {
		writeProblems(w, problems...)
		return
	}
	var all []any
	now := time.Now()
	s.store.mu.Lock()
	for run := range s.store.runs.newest() {
		if run.functionID == f.ID && (!p.onlyActive || run.status(now) == runActive) {
			all = append(all, run.view(now))
		}
	}
	s.store.mu.Unlock()
	writeJSON(w, http.StatusOK, p.cut(all))
}

// stopRun ends a run as failed, with a result that says so. A run that has ended
// keeps its outcome.
func (s *Server) stopRun(w http.ResponseWriter, r *http.Request, f *function) {
	s.store.mu.Lock()
	run, ok := s.runOf(f, r)
	if ok && !run.over(time.Now()) {
		stopped := Outcome{Status: "failed", Result: "Run was stopped"}
		if run.started.IsZero() {
			run.started, run.vars = time.Now(), map[string]string{}
		} else {
			n, _ := run.lines(time.Now())
			stopped.Logs = run.outcome.Logs[:n]
		}
		run.end(&stopped)
	}
	s.store.mu.Unlock()
	if !ok {
		writeJSON(w, http.StatusNotFound, detail("Function run not found"))
		return
	}
	writeJSON(w, http.StatusOK, map[string]string{
		"function_id": f.ID, "function_run_id": run.id, "status": "stopped",
		"created_at": formatTime(run.created), "updated_at": formatTime(time.Now()),
	})
}

// startBody is the checked body of a run's start.
type startBody struct {
	vars   map[string]string
	stream bool
}

// readStart reads and checks the start of a run of f. If runID is not empty the
// body must name that run. If readStart returns false it has answered the
// request.
func (s *Server) readStart(w http.ResponseWriter, r *http.Request, f *function, runID string) (in startBody, ok bool) {
	key := r.Header.Get("X-Notte-Api-Key")
	if key != "" && key != bearer(r) {
		writeJSON(w, http.StatusForbidden, detail("x-notte-api-key is not the key of the Authorization header"))
		return in, false
	}
	body, problems := readBody(r)
	if key == "" {
		problems = append(problems, missing("header", "x-notte-api-key"))
	}
	if body != nil {
		problems = append(problems, wantID(body, "function_id", "workflow_id", f.ID)...)
		if runID != "" {
			problems = append(problems, wantID(body, "function_run_id", "workflow_run_id", runID)...)
		}
		var more []problem
		in, more = readInputs(body)
		problems = append(problems, more...)
	}
	if len(problems) > 0 {
		writeProblems(w, problems...)
		return in, false
	}
	return in, true
}

// readBody reads a JSON object.
func readBody(r *http.Request) (map[string]any, []problem) {
	var v any
	dec := json.NewDecoder(r.Body)
	dec.UseNumber() // keeps the digits of a variable as they were sent
	err := dec.Decode(&v)
	if _, more := dec.Token(); err != nil || more != io.EOF {
		return nil, []problem{{"json_invalid", []any{"body", 0}, "JSON decode error"}}
	}
	body, ok := v.(map[string]any)
	if !ok || !isJSON(r) {
		return nil, []problem{notDict("body")}
	}
	return body, nil
}

// wantID checks that body has the ID of the path, as name, as alias, or as both.
func wantID(body map[string]any, name, alias, want string) []problem {
	var problems []problem
	found := false
	for _, key := range []string{name, alias} {
		v, ok := body[key]
		found = found || ok
		if ok && v != want {
			problems = append(problems, problem{"value_error", []any{"body", key}, "Value error, differs from the path"})
		}
	}
	if !found {
		problems = append(problems, missing("body", name))
	}
	return problems
}

func readInputs(body map[string]any) (in startBody, problems []problem) {
	in.vars = make(map[string]string)
	switch vars := body["variables"].(type) {
	case nil: // none, or null
	case map[string]any:
		for name, v := range vars {
			in.vars[name] = variableText(v)
		}
	default:
		problems = append(problems, notDict("body", "variables"))
	}
	switch stream := body["stream"].(type) {
	case nil:
	case bool:
		in.stream = stream
	default:
		problems = append(problems, notBool("stream"))
	}
	return in, problems
}

// variableText returns the text that a function receives for the variable v.
func variableText(v any) string {
	switch v := v.(type) {
	case string:
		return v
	case json.Number:
		return v.String()
	}
	return pythonText(v)
}

func notDict(loc ...any) problem {
	return problem{Type: "dict_type", Loc: loc, Msg: "Input should be a valid dictionary"}
}

func notBool(name string) problem {
	return problem{Type: "bool_parsing", Loc: []any{"body", name}, Msg: "Input should be a valid boolean"}
}
