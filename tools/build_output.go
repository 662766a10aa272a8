package tools

import (
	"log/slog"

	"github.com/anything-mcp/anything-mcp/jobs"
	"github.com/anything-mcp/anything-mcp/text"
)

// buildOutput is what the build tools return. A field without a value is left
// out, except the cost of a build that has ended: it is null if it is not known,
// because a cost that is left out could be taken for no cost.
type buildOutput struct {
	BuildID      string      `json:"build_id"`
	Status       string      `json:"status" enum:"running,done,error,timeout,cancelled,interrupted"`
	Query        string      `json:"query,omitempty"`
	FunctionID   string      `json:"function_id,omitempty"`
	FunctionName string      `json:"function_name,omitempty"`
	TotalCostUSD any         `json:"total_cost_usd,omitempty" jsonschema:"Number, or null: unknown"` // see [finalCost]
	ThreadID     string      `json:"thread_id,omitempty"`
	ViewerURL    string      `json:"viewer_url,omitempty"`
	Answer       string      `json:"answer,omitempty"`
	Steps        []string    `json:"steps,omitempty"`
	Error        string      `json:"error,omitempty"`
	Detail       string      `json:"detail,omitempty"`
	Reason       string      `json:"reason,omitempty"`
	Joined       bool        `json:"joined,omitempty"`
	Candidates   []candidate `json:"candidates,omitempty"`
	jobOutput
}

// candidate is a function that an interrupted build may have made.
type candidate struct {
	FunctionID string `json:"function_id"`
	Name       string `json:"name,omitempty"`
	CreatedAt  string `json:"created_at"`
}

func newBuildOutput(job *jobs.Job) *buildOutput {
	b := job.Build
	out := &buildOutput{
		BuildID:      job.ID,
		Status:       string(job.State),
		Query:        shorten(b.Query, 500),
		FunctionID:   cleanLine(b.FunctionID),
		FunctionName: cleanLine(b.FunctionName),
		TotalCostUSD: finalCost(*job),
		ThreadID:     cleanLine(b.ThreadID),
		ViewerURL:    cleanLine(b.ViewerURL),
		Answer:       shorten(text.Lines(b.Answer), maxAnswer),
		Error:        cleanLine(b.Error),
		Detail:       cleanLine(b.Detail),
		Reason:       cleanLine(b.Reason),
		jobOutput:    newJobOutput(*job, nextForBuild(*job)),
	}
	for _, step := range b.Steps {
		out.Steps = append(out.Steps, text.OneLine(step, maxStep))
	}
	return out
}

// finalCost returns the cost of a build that has ended, a *float64 that is null in
// JSON if the cost is not known. For a build that runs it returns nil, which
// omitempty leaves out. It returns any, because any has no type in the schema, and
// some hosts do not support the union of a number and null.
func finalCost(job jobs.Job) any {
	if !job.State.Ended() {
		return nil
	}
	return job.Build.TotalCostUSD
}

func (o *buildOutput) attrs() []slog.Attr {
	attrs := []slog.Attr{slog.String("outcome", o.Status), slog.String("build", o.BuildID)}
	if o.FunctionID != "" {
		attrs = append(attrs, slog.String("function", logLine(o.FunctionID)))
	}
	if usd := o.job.Build.TotalCostUSD; usd != nil {
		attrs = append(attrs, slog.Float64("cost_usd", *usd))
	}
	if o.Joined {
		attrs = append(attrs, slog.Bool("joined", true))
	}
	return attrs
}

// nextForBuild returns what to do next. It keeps a model from two mistakes that
// cost money: starting again what still runs, and losing what was made.
func nextForBuild(job jobs.Job) string {
	made := job.Build.FunctionID != ""
	tell := "Tell the user the cost. "
	if job.Build.TotalCostUSD == nil {
		tell = "Notte did not report the cost: tell the user that it is not known. "
	}
	switch {
	case job.State == jobs.StateRunning:
		return `Still building. Call get_build with this build_id until status is no longer "running"; do not call build_automation again for this task.`
	case job.State == jobs.StateDone && made:
		return tell + "Call run_function with this function_id whenever the task is to be done again."
	case job.State == jobs.StateDone:
		return tell + "The agent made no function, so there is nothing to run again: its answer is the result."
	case made && job.State == jobs.StateInterrupted:
		return "The function was made before the connection to the build was lost: run_function can run this function_id. Check its result before relying on it, and tell the user that the cost is not known."
	case made:
		return "The build did not end well, but the function was made before that: run_function can run this function_id. Check its result before relying on it."
	case job.State == jobs.StateInterrupted:
		return "How the build ended is not known, and Notte may still finish and bill it. Call get_build with this build_id in a few minutes: it lists functions that the build may have made. Before building this again, ask the user to look at https://console.notte.cc."
	case !job.Build.Started:
		return "The build never began, so nothing was made or billed: read the error, remove its cause, and only then build again."
	case job.State == jobs.StateCancelled:
		return "The build was cancelled and made no function. Build again only if the user asks for it: that is billed anew."
	}
	return "No function of this build is known. Read the error, and tell the user before building again: that is billed anew."
}
