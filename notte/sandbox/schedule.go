package sandbox

import (
	"net/http"
	"strings"
)

// setSchedule answers POST /functions/{id}/schedule. It replaces the schedule of
// the function. The sandbox shows schedules and starts no runs for them.
func (s *Server) setSchedule(r *http.Request, f *function) http.HandlerFunc {
	body, problems := readBody(r)
	if problems != nil {
		return invalid(problems)
	}
	cron, _ := body["cron"].(string)
	if _, ok := body["cron"]; !ok {
		problems = append(problems, missing("body", "cron"))
	} else if len(strings.Fields(cron)) != 5 || len(cron) > 200 {
		problems = append(problems, problem{"value_error", []any{"body", "cron"}, "Value error, not a cron expression of five fields"})
	}
	variables := member[map[string]any](body, "variables", &problems)
	if problems != nil {
		return invalid(problems)
	}
	return s.putSchedule(f.ID, &schedule{cron, variables})
}

// deleteSchedule answers DELETE /functions/{id}/schedule. It is idempotent.
func (s *Server) deleteSchedule(_ *http.Request, f *function) http.HandlerFunc {
	return s.putSchedule(f.ID, nil)
}

func (s *Server) putSchedule(functionID string, next *schedule) http.HandlerFunc {
	s.changeFunction(functionID, func(old function) *function {
		old.Schedule = next
		return &old
	})
	return answer(http.StatusOK, map[string]string{"status": "success"})
}
