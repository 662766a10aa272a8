package tools

import (
	"encoding/json"
	"fmt"
	"log/slog"

	"github.com/mark3labs/mcp-go/mcp"

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
	ResultTotal     *int     `json:"result_total,omitempty" schema:"none"` // elements of the list that result is a part of
	ResultURI       string   `json:"result_uri,omitempty" schema:"none"`   // of the whole result, if it does not fit into an answer
	Error           string   `json:"error,omitempty"`
	Logs            []string `json:"logs,omitempty"`
	Warnings        []string `json:"warnings,omitempty" schema:"none"`
	jobOutput
}

// newRunOutput describes a run, with its result if that is short, and otherwise with
// the beginning of it.
func newRunOutput(job *jobs.Job) *runOutput {
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
	if len(r.Result) > 0 {
		_ = out.addPage(r.Result, 0, "with this run_id") // the offset is valid
	}
	return out
}

// addPage adds a JSON value as the result: whole if it is short, and otherwise the part
// of its text that begins at byte offset, as a string. same says with which arguments
// get_run returns the next part.
func (o *runOutput) addPage(value json.RawMessage, offset int, same string) error {
	n := len(value)
	switch {
	case offset > 0 && offset >= n:
		return &argError{name: "offset", why: fmt.Sprintf("it is %d, and the result has %d bytes", offset, n)}
	case offset == 0 && n <= maxPage:
		o.Result, o.ResultTruncated = value, false
		return nil
	}
	start := len(text.Prefix(value, offset))
	end := start + len(text.Prefix(value[start:], maxPage))
	o.Result, o.ResultTruncated = string(value[start:end]), end < n
	o.setTooLarge()
	if o.ResultTruncated {
		o.NextStep = fmt.Sprintf("result holds bytes %d to %d of the result's JSON, which has %d bytes. If you need the next part, call get_run %s and offset %d.", start, end, n, same, end)
	} else {
		o.NextStep = fmt.Sprintf("result holds the last part of the result's JSON, which begins at byte %d.", start)
	}
	return nil
}

// setTooLarge names the resource that is the whole result, because the output has not
// all that was wanted of it.
func (o *runOutput) setTooLarge() {
	if len(o.job.Run.Result) <= maxResource {
		o.ResultURI = "run://" + o.RunID + "/result"
	}
}

// link returns a link to the resource that is the whole result, or nil.
func (o *runOutput) link() *mcp.ResourceLink {
	if o.ResultURI == "" {
		return nil
	}
	return resourceLink(o.ResultURI, "Result of "+o.RunID, "The whole result of the run", len(o.job.Run.Result))
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
		return "The run never began, because Notte has no function with this function_id. Take the function_id from find_functions or build_automation."
	case job.Run.NeverBegan:
		return "The run never began, so the function did nothing. Read error and remove its cause before you run it again."
	case job.State == jobs.StateInterrupted:
		return "How the run ended is not known, and it may have acted on the world. Tell the user before you run the function again."
	case job.State == jobs.StateCancelled:
		return "The run was cancelled. What it had done stays done. Run it again only if the user asks for it."
	}
	return "The run failed. Read error and logs. If the variables were wrong, correct them and run it again. If the page has changed, build_automation can build the function again, which is billed."
}
