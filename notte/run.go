package notte

import (
	"encoding/json"
	"slices"
	"strings"

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
	RunID     string
	SessionID string
	Status    RunStatus
	Result    json.RawMessage // any JSON, compact; nil if there is none
}

// Run is what Notte keeps of a run.
type Run struct {
	ID        string
	SessionID string
	Status    RunStatus
	Result    string   // a Python repr, not JSON, as far as is known
	Logs      []string // the last 1,000 lines
}

func parseRun(v gjson.Result) Run {
	f := fieldsOf(v)
	id, session, status := f.run()
	return Run{id, session, status, textOrJSON(f["result"]), parseLogs(f["logs"])}
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
	id, session, status := f.run()
	return &RunResult{id, session, status, rawJSON(f["result"])}
}

// run returns the IDs and the status of a run from its object.
func (f fields) run() (id, session string, status RunStatus) {
	return f.text("function_run_id", "workflow_run_id", "run_id"), f.text("session_id"), RunStatus(strings.ToLower(f.text("status")))
}
