package tools

import (
	"fmt"
	"log/slog"

	"github.com/anything-mcp/anything-mcp/jobs"
	"github.com/anything-mcp/anything-mcp/text"
)

// runOutput is what the run tools return. A field without a value is left out,
// except ok of a run that has ended.
type runOutput struct {
	RunID           string   `json:"run_id"`
	FunctionID      string   `json:"function_id,omitempty"`
	Version         string   `json:"function_version,omitempty" schema:"none"` // of the start, and only in its answer
	FunctionRunID   string   `json:"function_run_id,omitempty" schema:"none"`
	SessionID       string   `json:"session_id,omitempty" schema:"none"`
	Status          string   `json:"status" enum:"running,closed,failed,cancelled,interrupted"`
	OK              *bool    `json:"ok,omitempty"`
	Result          any      `json:"result,omitempty" jsonschema:"Any JSON; if truncated, a part of its text"`
	ResultBytes     int      `json:"result_bytes,omitempty"`
	ResultTruncated bool     `json:"result_truncated,omitempty"`
	Error           string   `json:"error,omitempty"`
	Logs            []string `json:"logs,omitempty"`
	Warnings        []string `json:"warnings,omitempty" schema:"none"`
	jobOutput
}

// newRunOutput describes a run. Its result begins at byte offset.
func newRunOutput(job *jobs.Job, offset int) *runOutput {
	r := job.Run
	out := &runOutput{
		RunID:         job.ID,
		FunctionID:    r.FunctionID,
		FunctionRunID: cleanLine(r.RunID),
		SessionID:     cleanLine(r.SessionID),
		Status:        string(job.State),
		ResultBytes:   len(r.Result),
		Error:         cleanLine(r.Error),
		jobOutput:     newJobOutput(*job, nextForRun(*job)),
	}
	for _, line := range r.Logs[max(0, len(r.Logs)-maxLogs):] {
		out.Logs = append(out.Logs, cleanLine(line))
	}
	if job.State.Ended() {
		out.OK = new(job.Succeeded())
	}
	out.addResult(offset)
	return out
}

// addResult adds the run's result: whole if it is short, and otherwise the part
// of its JSON that begins at offset, as a string.
func (o *runOutput) addResult(offset int) {
	result := o.job.Run.Result
	switch {
	case len(result) == 0:
		return
	case offset == 0 && len(result) <= maxPage:
		o.Result = result
		return
	}
	start := len(text.Prefix(result, offset))
	end := start + len(text.Prefix(result[start:], maxPage))
	o.Result = string(result[start:end])
	o.ResultTruncated = end < len(result)
	if o.ResultTruncated {
		o.NextStep = fmt.Sprintf("result holds bytes %d to %d of the result's JSON, which has %d bytes. If you need the next part, call get_run with this run_id and offset %d.", start, end, len(result), end)
	} else {
		o.NextStep = fmt.Sprintf("result holds the last part of the result's JSON, which begins at byte %d.", start)
	}
}

func (o *runOutput) attrs() []slog.Attr {
	attrs := []slog.Attr{slog.String("outcome", o.Status), slog.String("run", o.RunID), slog.String("function", o.FunctionID)}
	if o.OK != nil {
		attrs = append(attrs, slog.Bool("ok", *o.OK))
	}
	return attrs
}

// nextForRun returns what to do next, like [nextForBuild].
func nextForRun(job jobs.Job) string {
	switch {
	case job.State == jobs.StateRunning:
		return `Still running. Call get_run with this run_id until status is no longer "running"; do not call run_function again for this, because the function would run twice.`
	case job.Succeeded():
		return "The run is complete. An empty result may mean that the web page has changed."
	case job.Run.Gone:
		return "The run never began, because Notte has no function with this function_id. Take the function_id from build_automation or list_builds."
	case job.Run.NeverBegan:
		return "The run never began, so the function did nothing. Read error and remove its cause before you run it again."
	case job.State == jobs.StateInterrupted:
		return "How the run ended is not known, and it may have acted on the world. Tell the user before you run the function again."
	case job.State == jobs.StateCancelled:
		return "The run was cancelled. What it had done stays done. Run it again only if the user asks for it."
	}
	return "The run failed. Read error and logs. If the variables were wrong, correct them and run it again. If the page has changed, build_automation can build the function again, which is billed."
}
