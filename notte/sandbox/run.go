package sandbox

import (
	"errors"
	"fmt"
	"net/http"
	"time"
)

// Outcome describes how a run ends.
type Outcome struct {
	Status string // "failed", or "closed", which empty means too
	Result any    // must be encodable as JSON
	Logs   []string
	// After is how long the run is active. The Server's speed does not scale it.
	// The logs are spread evenly over that time. If After is negative, all logs
	// appear at once and only EndRun or a DELETE ends the run.
	After time.Duration
}

// prepared returns a copy with its defaults set. It panics if the result cannot
// be encoded, so that a mistake in a test fails there and not in a handler.
func (o Outcome) prepared() *Outcome {
	if o.Status == "" {
		o.Status = "closed"
	}
	if _, err := encode(o.Result); err != nil {
		panic(fmt.Sprintf("sandbox: encoding an outcome's result: %v", err))
	}
	return &o
}

// run is a timeline: its state at any time follows from its start and its
// outcome, so it needs no goroutine. The store's mutex guards it.
type run struct {
	id, functionID, sessionID string
	created                   time.Time

	started time.Time // zero while only created
	vars    map[string]string
	outcome *Outcome  // set with started
	ended   time.Time // set if EndRun or a DELETE ended it early
	changed signal    // wakes when ended is set
}

// Statuses of a run.
const (
	runCreated = "created"
	runActive  = "active"
)

// status returns the status of the run at now.
func (r *run) status(now time.Time) string {
	switch {
	case r.started.IsZero():
		return runCreated
	case !r.ended.IsZero(), r.outcome.After >= 0 && now.Sub(r.started) >= r.outcome.After:
		return r.outcome.Status
	}
	return runActive
}

// over reports whether the run has ended at now.
func (r *run) over(now time.Time) bool {
	status := r.status(now)
	return status != runCreated && status != runActive
}

// lines returns how many lines the run has logged at now, and the time to the
// next one. After the last line that is the time to the end of the run. It is
// zero if nothing more will happen by itself.
func (r *run) lines(now time.Time) (n int, next time.Duration) {
	if r.started.IsZero() {
		return 0, 0
	}
	all, after := len(r.outcome.Logs), r.outcome.After
	if after <= 0 || r.over(now) {
		return all, 0
	}
	step := after / time.Duration(all+1)
	n = all
	if step > 0 {
		n = min(all, int(now.Sub(r.started)/step))
	}
	at := r.started.Add(step * time.Duration(n+1))
	if n == all {
		at = r.started.Add(after)
	}
	return n, at.Sub(now)
}

// updated returns when the run last changed.
func (r *run) updated(now time.Time) time.Time {
	switch {
	case r.started.IsZero():
		return r.created
	case !r.ended.IsZero():
		return r.ended
	case r.over(now):
		return r.started.Add(r.outcome.After)
	}
	return now
}

// end ends the run now, with outcome o.
func (r *run) end(o *Outcome) {
	r.outcome, r.ended = o, time.Now()
	r.changed.wake()
}

// addRun adds a created run to the store. The caller must hold its mutex.
func (s *Server) addRun(functionID string) *run {
	r := &run{id: s.ids.uuid(), functionID: functionID, sessionID: s.ids.uuid(), created: time.Now()}
	s.store.runs.put(r.id, r)
	return r
}

// AddRun adds a run that starts now and ends with o, without a request for it,
// and returns its ID.
func (s *Server) AddRun(functionID string, o Outcome) (runID string, err error) {
	p := o.prepared()
	s.store.mu.Lock()
	defer s.store.mu.Unlock()
	if _, ok := s.store.functions.get(functionID); !ok {
		return "", fmt.Errorf("sandbox: adding a run: no function %q", functionID)
	}
	r := s.addRun(functionID)
	r.started, r.outcome, r.vars = r.created, p, map[string]string{}
	return r.id, nil
}

// EndRun ends an active run now, with outcome o, and answers the callers that
// wait for it. It ignores o.After.
func (s *Server) EndRun(runID string, o Outcome) error {
	p := o.prepared()
	s.store.mu.Lock()
	defer s.store.mu.Unlock()
	r, ok := s.store.runs.get(runID)
	if !ok {
		return fmt.Errorf("sandbox: ending a run: no run %q", runID)
	}
	if status := r.status(time.Now()); status != runActive {
		return fmt.Errorf("sandbox: ending a run: run %q is %s", runID, status)
	}
	r.end(p)
	return nil
}

// runResult is the answer to the start of a run, once it has ended.
type runResult struct {
	FunctionID    string `json:"function_id"`
	WorkflowID    string `json:"workflow_id"`
	FunctionRunID string `json:"function_run_id"`
	WorkflowRunID string `json:"workflow_run_id"`
	SessionID     string `json:"session_id"`
	Result        any    `json:"result"`
	Status        string `json:"status"`
}

// runEvent is one event of a run's stream.
type runEvent struct {
	Type    string `json:"type"`
	Message string `json:"message"`
}

// streamRun writes the run to its end as events.
func (s *Server) streamRun(st *Stream, r *run) error {
	if err := st.Event(runEvent{"session_start", r.sessionID}); err != nil {
		return err
	}
	result, err := s.follow(st, r, func(line string) error {
		return st.Event(runEvent{"log", line})
	})
	if err != nil {
		return err
	}
	message, err := encode(result)
	if err != nil {
		return err
	}
	return st.Event(runEvent{"result", string(message)})
}

// answerRun waits for the run's end and answers with its result.
func (s *Server) answerRun(st *Stream, r *run) error {
	result, err := s.follow(st, r, func(string) error { return nil })
	if err != nil {
		return err
	}
	if st.begun {
		return errors.New("sandbox: the script of this run has already written an answer")
	}
	st.begun = true
	writeJSON(st.w, http.StatusOK, result)
	return nil
}

// follow calls log for each line of the run as it is logged, and returns the
// result once the run has ended. It does not change the run.
func (s *Server) follow(st *Stream, r *run, log func(line string) error) (runResult, error) {
	for shown := 0; ; {
		s.store.mu.Lock()
		now := time.Now()
		n, next := r.lines(now)
		fresh := r.outcome.Logs[min(shown, n):n]
		over, changed := r.over(now), r.changed.wait()
		result := runResult{r.functionID, r.functionID, r.id, r.id, r.sessionID, r.outcome.Result, r.outcome.Status}
		s.store.mu.Unlock()

		shown = max(shown, n)
		for _, line := range fresh {
			if err := log(line); err != nil {
				return runResult{}, err
			}
		}
		if over {
			return result, nil
		}
		if err := await(st, next, changed); err != nil {
			return runResult{}, err
		}
	}
}

// await waits until changed is closed or d has passed. If d is zero it waits for
// changed alone.
func await(st *Stream, d time.Duration, changed <-chan struct{}) error {
	var due <-chan time.Time
	if d > 0 {
		t := time.NewTimer(d)
		defer t.Stop()
		due = t.C
	}
	select {
	case <-due:
	case <-changed:
	case <-st.ctx.Done():
		return errLeft
	}
	return nil
}
