package tools

import (
	"fmt"
	"log/slog"
	"time"

	"github.com/anything-mcp/anything-mcp/jobs"
)

// runOutput is what the run tools return. A field without a value is left out,
// but for ok of a run that has ended.
type runOutput struct {
	RunID           string   `json:"run_id"`
	FunctionID      string   `json:"function_id"`
	FunctionRunID   string   `json:"function_run_id,omitempty"`
	SessionID       string   `json:"session_id,omitempty"`
	Status          string   `json:"status"`
	OK              *bool    `json:"ok,omitempty"`
	Result          any      `json:"result,omitempty"`
	ResultBytes     int      `json:"result_bytes,omitempty"`
	ResultTruncated bool     `json:"result_truncated,omitempty"`
	Error           string   `json:"error,omitempty"`
	Logs            []string `json:"logs,omitempty"`
	StartedAt       string   `json:"started_at"`
	ElapsedSeconds  float64  `json:"elapsed_seconds"`
	Durable         *bool    `json:"durable,omitempty"`
	NextStep        string   `json:"next_step"`

	job   jobs.Job
	asked bool // it was to be cancelled, and was: no failure to the caller
}

// newRunOutput describes a run, but for its result, which page adds.
func newRunOutput(job jobs.Job) *runOutput {
	r := job.Run
	out := &runOutput{
		RunID:          job.ID,
		FunctionID:     r.FunctionID,
		FunctionRunID:  plain(r.RunID),
		SessionID:      plain(r.SessionID),
		Status:         string(job.State),
		Error:          plain(r.Error),
		StartedAt:      job.StartedAt.UTC().Format(time.RFC3339),
		ElapsedSeconds: seconds(job),
		Durable:        durable(job),
		job:            job,
	}
	for _, line := range r.Logs[max(0, len(r.Logs)-maxLogs):] {
		out.Logs = append(out.Logs, plain(line))
	}
	if job.State.Ended() {
		out.OK = new(job.Succeeded())
	}
	out.ResultBytes = len(r.Result)
	out.NextStep = nextForRun(job)
	return out
}

// page puts a result into the output: whole if it is short, and otherwise the
// part of its JSON that begins at offset, as a string.
func (o *runOutput) page(offset int) error {
	result := o.job.Run.Result
	switch {
	case offset > 0 && offset >= len(result):
		return wrong[getRunInput]("offset", fmt.Sprintf("it is %d, and the result has %d", offset, len(result)))
	case len(result) == 0:
		return nil
	case offset == 0 && len(result) <= maxPage:
		o.Result = result
		return nil
	}
	start := runeStart(result, offset)
	end := runeStart(result, min(start+maxPage, len(result)))
	o.Result = string(result[start:end])
	o.ResultTruncated = end < len(result)
	if o.ResultTruncated {
		o.NextStep = fmt.Sprintf("result holds bytes %d to %d of the result's JSON, which has %d: call get_run with this run_id and offset %d for what follows, if it is needed.", start, end, len(result), end)
	} else {
		o.NextStep = fmt.Sprintf("result holds the last part of the result's JSON, from byte %d on.", start)
	}
	return nil
}

func (o *runOutput) failed() bool { return failed(o.job, o.asked) }

func (o *runOutput) attrs() []slog.Attr {
	attrs := []slog.Attr{slog.String("outcome", o.Status), slog.String("run", o.RunID), slog.String("function", o.FunctionID)}
	if o.OK != nil {
		attrs = append(attrs, slog.Bool("ok", *o.OK))
	}
	return attrs
}

func nextForRun(job jobs.Job) string {
	switch {
	case job.State == jobs.StateRunning:
		return `Still running. Call get_run with this run_id until status is no longer "running"; do not call run_function again for this: the function would run twice.`
	case job.Succeeded():
		return "The run is complete. An empty result may mean that the web page has changed."
	case job.State == jobs.StateInterrupted:
		return "How the run ended is not known, and it may have acted on the world: tell the user before running the function again."
	case job.State == jobs.StateCancelled:
		return "The run was cancelled; what it had done stays done. Run it again only if the user asks for it."
	}
	return "The run failed: read error and logs. If the variables were wrong, correct them and run it again; if the page has changed, build_automation can build it anew, which is billed."
}
