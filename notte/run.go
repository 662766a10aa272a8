package notte

import (
	"cmp"
	"encoding/json"
	"slices"
	"strings"
	"time"

	"github.com/tidwall/gjson"

	"github.com/anything-mcp/anything-mcp/text"
)

// RunStatus is the state of a run, in Notte's words.
type RunStatus string

// The states of a run. RunClosed means that the function has ended, not that it
// succeeded: see [RunResult.Failure].
const (
	RunCreated RunStatus = "created"
	RunActive  RunStatus = "active"
	RunClosed  RunStatus = "closed"
	RunFailed  RunStatus = "failed"
	RunStopped RunStatus = "stopped" // by a DELETE
)

// RunResult is the outcome of a run, from the answer to its start or from its
// stream.
type RunResult struct {
	FunctionID string
	RunID      string
	SessionID  string
	Status     RunStatus
	Result     json.RawMessage // any JSON, compact; nil if there is none
}

// Run is what Notte keeps of a run. Times are zero if Notte did not say.
type Run struct {
	FunctionID string
	ID         string
	SessionID  string
	Status     RunStatus
	Result     string   // a Python repr, not JSON, as far as is known
	Logs       []string // the last 1,000 lines
	CreatedAt  time.Time
	UpdatedAt  time.Time
}

func parseRun(v gjson.Result, functionID string) Run {
	f := fieldsOf(v)
	return Run{
		FunctionID: cmp.Or(f.text("function_id", "workflow_id"), functionID),
		ID:         f.text("function_run_id", "workflow_run_id", "run_id"),
		SessionID:  f.text("session_id"),
		Status:     f.runStatus(),
		Result:     textOrJSON(f["result"]),
		Logs:       parseLogs(f["logs"]),
		CreatedAt:  f.time("created_at"),
		UpdatedAt:  f.time("updated_at"),
	}
}

// maxLogs bounds the log lines that are kept of a run: the last ones.
const maxLogs = 1000

func parseLogs(v gjson.Result) []string {
	var logs []string
	for line := range items(v) {
		if len(logs) == 2*maxLogs {
			logs = logs[:copy(logs, logs[maxLogs:])]
		}
		logs = append(logs, textOrJSON(line))
	}
	return slices.Clone(logs[max(0, len(logs)-maxLogs):])
}

// resultIn reads the outcome of a run from an event: from its message, which may be
// an object or JSON in a string, or from the event's own fields.
func resultIn(event fields) *RunResult {
	switch message := event["message"]; {
	case message.IsObject():
		return parseRunResult(fieldsOf(message))
	case message.Type == gjson.String:
		if inner, ok := readJSON(message.Str); ok && inner.IsObject() {
			return parseRunResult(fieldsOf(inner))
		}
		quoted, _ := text.JSON(message.Str)
		return &RunResult{Result: quoted}
	}
	return parseRunResult(event)
}

// parseRunResult reads a run's outcome from its object.
func parseRunResult(f fields) *RunResult {
	return &RunResult{
		FunctionID: f.text("function_id", "workflow_id"),
		RunID:      f.text("function_run_id", "workflow_run_id", "run_id"),
		SessionID:  f.text("session_id"),
		Status:     f.runStatus(),
		Result:     rawJSON(f["result"]),
	}
}

func (f fields) runStatus() RunStatus { return RunStatus(strings.ToLower(f.text("status"))) }
