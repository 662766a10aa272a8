package sandbox

import (
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
// outcome, so it needs no goroutine.
type run struct {
	ID, FunctionID, SessionID string
	Created                   time.Time
	Local                     bool
	Started                   time.Time // zero while only created
	Vars                      map[string]string
	Outcome                   *Outcome  // set with Started
	Ended                     time.Time // set if EndRun or a request ended it early
}

// Statuses of a run.
const (
	runCreated = "created"
	runActive  = "active"
)

// status returns the status of the run at now.
func (r *run) status(now time.Time) string {
	switch {
	case r.Started.IsZero():
		return runCreated
	case !r.Ended.IsZero(), r.Outcome.After >= 0 && now.Sub(r.Started) >= r.Outcome.After:
		return r.Outcome.Status
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
	if r.Started.IsZero() {
		return 0, 0
	}
	all, after := len(r.Outcome.Logs), r.Outcome.After
	if after <= 0 || r.over(now) {
		return all, 0
	}
	step := after / time.Duration(all+1)
	n = all
	if step > 0 {
		n = min(all, int(now.Sub(r.Started)/step))
	}
	at := r.Started.Add(step * time.Duration(n+1))
	if n == all {
		at = r.Started.Add(after)
	}
	return n, at.Sub(now)
}

// updated returns when the run last changed.
func (r *run) updated(now time.Time) time.Time {
	switch {
	case r.Started.IsZero():
		return r.Created
	case !r.Ended.IsZero():
		return r.Ended
	case r.over(now):
		return r.Started.Add(r.Outcome.After)
	}
	return now
}

// endRun ends the run now, with outcome o. The caller must hold the store's mutex.
func (s *Server) endRun(r run, o *Outcome) {
	r.Outcome, r.Ended = o, time.Now()
	s.store.runs.put(r.ID, &r)
	s.store.runEnded.wake()
}

// newRun returns a created run that is not in the store yet.
func (s *Server) newRun(functionID string) *run {
	return &run{ID: s.ids.uuid(), FunctionID: functionID, SessionID: s.ids.uuid(), Created: time.Now()}
}

// AddRun adds a run that starts now and ends with o, without a request for it,
// and returns its ID.
func (s *Server) AddRun(functionID string, o Outcome) (runID string, err error) {
	p := o.prepared()
	s.store.change(func() {
		if _, ok := s.store.functions.get(functionID); !ok {
			err = fmt.Errorf("sandbox: adding a run: no function %q", functionID)
			return
		}
		r := s.newRun(functionID)
		r.Started, r.Outcome, r.Vars = r.Created, p, map[string]string{}
		s.store.runs.put(r.ID, r)
		runID = r.ID
	})
	return runID, err
}

// EndRun ends an active run now, with outcome o, and answers the callers that
// wait for it. It ignores o.After.
func (s *Server) EndRun(runID string, o Outcome) (err error) {
	p := o.prepared()
	s.store.change(func() {
		r, ok := s.store.runs.get(runID)
		if !ok {
			err = fmt.Errorf("sandbox: ending a run: no run %q", runID)
			return
		}
		if status := r.status(time.Now()); status != runActive {
			err = fmt.Errorf("sandbox: ending a run: run %q is %s", runID, status)
			return
		}
		s.endRun(*r, p)
	})
	return err
}

// streamRun writes the run to its end as events.
func (s *Server) streamRun(st *Stream, r *run) error {
	event := func(kind, message string) error { return st.chunk(kind, "message", message) }
	if err := event("session_start", r.SessionID); err != nil {
		return err
	}
	result, err := s.follow(st, r, func(line string) error { return event("log", line) })
	if err != nil {
		return err
	}
	return event("result", string(mustEncode(result)))
}

// answerRun waits for the run's end and answers with its result.
func (s *Server) answerRun(st *Stream, r *run) error {
	result, err := s.follow(st, r, func(string) error { return nil })
	if err != nil {
		return err
	}
	return st.answer(http.StatusOK, result)
}

// follow calls log for each line of the run as it is logged, and returns the
// result once the run has ended. It does not change the run.
func (s *Server) follow(st *Stream, r *run, log func(line string) error) (object, error) {
	for shown := 0; ; {
		var changed <-chan struct{}
		s.store.view(func() {
			if kept, ok := s.store.runs.get(r.ID); ok {
				r = kept
			}
			changed = s.store.runEnded.wait()
		})
		now := time.Now()
		n, next := r.lines(now)
		for _, line := range r.Outcome.Logs[min(shown, n):n] {
			if err := log(line); err != nil {
				return nil, err
			}
		}
		shown = max(shown, n)
		if r.over(now) {
			return append(r.ids(), "session_id", r.SessionID, "result", r.Outcome.Result, "status", r.Outcome.Status), nil
		}
		if s.store.file != nil && (next == 0 || next > fileInterval) {
			next = fileInterval // because another process may end the run
		}
		if err := await(st.ctx, next, changed); err != nil {
			return nil, err
		}
	}
}

// fileInterval is how often a Server with a file looks for changes that its
// clients wait for.
const fileInterval = time.Second
