package sandbox

import (
	"net/http"
	"strings"
)

// setSchedule answers POST /functions/{id}/schedule. It replaces the schedule of
// the function. The sandbox shows schedules and starts no runs for them.
func (s *Server) setSchedule(w http.ResponseWriter, r *http.Request, f *function) {
	body, problems := readBody(r)
	if problems != nil {
		writeProblems(w, problems...)
		return
	}
	cron, _ := body["cron"].(string)
	if _, ok := body["cron"]; !ok {
		problems = append(problems, missing("body", "cron"))
	} else if len(strings.Fields(cron)) != 5 || len(cron) > 200 {
		problems = append(problems, problem{"value_error", []any{"body", "cron"}, "Value error, not a cron expression of five fields"})
	}
	variables, ok := body["variables"].(map[string]any)
	if !ok && body["variables"] != nil {
		problems = append(problems, notDict("body", "variables"))
	}
	if problems != nil {
		writeProblems(w, problems...)
		return
	}
	s.changeFunction(f.ID, func(old function) *function {
		old.Schedule = &schedule{cron, variables}
		return &old
	})
	writeJSON(w, http.StatusOK, map[string]string{"status": "success"})
}

// deleteSchedule answers DELETE /functions/{id}/schedule. It is idempotent.
func (s *Server) deleteSchedule(w http.ResponseWriter, _ *http.Request, f *function) {
	s.changeFunction(f.ID, func(old function) *function {
		old.Schedule = nil
		return &old
	})
	writeJSON(w, http.StatusOK, map[string]string{"status": "success"})
}
