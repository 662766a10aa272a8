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
	FunctionFrom string      `json:"function_from,omitempty" schema:"none"` // see [jobs.Build]
	Version      string      `json:"function_version,omitempty" schema:"none"`
	TotalCostUSD any         `json:"total_cost_usd,omitempty" jsonschema:"US dollars; null: not known"` // see [finalCost]
	ThreadID     string      `json:"thread_id,omitempty" schema:"none"`
	ThreadURL    string      `json:"thread_url,omitempty"`
	Continues    string      `json:"continues,omitempty" jsonschema:"An earlier build_id"`
	Detached     bool        `json:"detached,omitempty" schema:"none"`
	ViewerURL    string      `json:"viewer_url,omitempty"`
	Answer       string      `json:"answer,omitempty"`
	Steps        []string    `json:"steps,omitempty"`
	Error        string      `json:"error,omitempty"`
	Detail       string      `json:"detail,omitempty"`
	Reason       string      `json:"reason,omitempty"`
	Warning      string      `json:"warning,omitempty" schema:"none"`
	Joined       bool        `json:"joined,omitempty" jsonschema:"true: this build existed already"`
	Candidates   []candidate `json:"candidates,omitempty" jsonschema:"Functions that it may have made"`
	Similar      []similar   `json:"similar_functions,omitempty" schema:"none"` // only in the first answer to a new build
	jobOutput
}

// similar is a stored function that may do what a build is to do.
type similar struct {
	FunctionID string `json:"function_id"`
	Name       string `json:"name,omitempty"`
	Signature  string `json:"signature,omitempty"`
}

// candidate is a function that a build may have made.
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
		FunctionFrom: b.FunctionFrom,
		Version:      cleanLine(b.FunctionVersion),
		TotalCostUSD: finalCost(*job),
		ThreadID:     cleanLine(b.ThreadID),
		ThreadURL:    cleanLine(b.ThreadURL),
		Continues:    b.Continues,
		Detached:     b.Detached,
		ViewerURL:    cleanLine(b.ViewerURL),
		Answer:       shorten(text.Lines(b.Answer), maxAnswer),
		Error:        cleanLine(b.Error),
		Detail:       cleanLine(b.Detail),
		Reason:       cleanLine(b.Reason),
		Warning:      cleanLine(b.Warning),
		jobOutput:    newJobOutput(*job, nextForBuild(*job)),
	}
	for _, step := range b.Steps {
		out.Steps = append(out.Steps, text.OneLine(step, maxStep))
	}
	for _, c := range candidates(*job) {
		out.Candidates = append(out.Candidates, candidate{cleanLine(c.FunctionID), cleanLine(c.Name), formatTime(c.CreatedAt)})
	}
	return out
}

// candidates returns the functions that an ended build without a known function may
// have made.
func candidates(job jobs.Job) []jobs.Candidate {
	if !job.State.Ended() || job.Build.FunctionID != "" {
		return nil
	}
	return job.Build.Candidates
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
