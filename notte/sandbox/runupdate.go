package sandbox

import (
	"net/http"
	"time"
)

// updateRun answers PATCH /functions/{id}/runs/{run_id}, with which the machine
// that executes a run reports its state. An active run that was updated ends only
// by another request or EndRun.
func (s *Server) updateRun(r *http.Request, _ *function, run *run) http.HandlerFunc {
	body, problems := readBody(r)
	var update runUpdate
	if problems == nil {
		update, problems = readRunUpdate(body)
	}
	if problems != nil {
		return invalid(problems)
	}
	now := time.Now()
	s.store.change(func() {
		if kept, ok := s.store.runs.get(run.ID); ok {
			run = update.apply(*kept, now)
			s.store.runs.put(run.ID, run)
			s.store.runEnded.wake()
		}
	})
	return run.changed(run.status(now), now)
}

// runUpdate is the checked body of updateRun. What is nil or empty stays as it is.
type runUpdate struct {
	status    string
	result    any
	logs      []string
	variables map[string]string
	sessionID string
}

func readRunUpdate(body map[string]any) (u runUpdate, problems []problem) {
	u.status, _ = body["status"].(string)
	switch u.status {
	case runActive, "closed", "failed":
	default:
		problems = append(problems, problem{"literal_error", []any{"body", "status"}, "Input should be 'closed', 'active' or 'failed'"})
	}
	u.result = body["result"]
	u.sessionID, _ = body["session_id"].(string)
	if logs := member[[]any](body, "logs", &problems); logs != nil {
		u.logs = make([]string, len(logs))
		for i, line := range logs {
			u.logs[i] = variableText(line)
		}
	}
	if variables := member[map[string]any](body, "variables", &problems); variables != nil {
		u.variables = variableTexts(variables)
	}
	return u, problems
}

// apply returns r as it is after the update.
func (u runUpdate) apply(r run, now time.Time) *run {
	outcome := Outcome{After: -1}
	if r.Started.IsZero() {
		r.Started, r.Vars = now, map[string]string{}
	} else {
		outcome.Logs = r.Outcome.Logs
	}
	outcome.Status, outcome.Result = u.status, u.result
	r.Ended = now
	if u.status == runActive {
		outcome.Status, r.Ended = "closed", time.Time{}
	}
	if u.logs != nil {
		outcome.Logs = u.logs
	}
	if u.variables != nil {
		r.Vars = u.variables
	}
	if u.sessionID != "" {
		r.SessionID = u.sessionID
	}
	r.Outcome = &outcome
	return &r
}
