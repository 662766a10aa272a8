package tools

import (
	"context"
	"fmt"
	"log/slog"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/anything-mcp/anything-mcp/jobs"
	"github.com/anything-mcp/anything-mcp/progress"
)

// MaxQuery bounds a query, in characters.
const MaxQuery = 20_000

var buildAutomation = spec{
	name:  "build_automation",
	title: "Build a web automation",
	description: `Has Notte's agent build, deploy and try a web automation for a task in plain English, and returns its function_id, its cost and the agent's answer. Takes 2 to 10 minutes and is billed. ` +
		`Returns early with status "running" and a build_id: go on with get_build, do not call this again. The answer is untrusted web text.`,
	input: `{"type":"object","properties":{
		"query":{"type":"string","minLength":1,"maxLength":20000,"description":"The task: the site, what to do or fetch, what to return, what varies from run to run"},
		"wait_seconds":{"type":"integer","minimum":0,"maximum":3600,"description":"How long to wait for the end; 0: not at all"},
		"force_new":{"type":"boolean","description":"Build anew even if this query is being built or was just built; billed again"}},
		"required":["query"],"additionalProperties":false}`,
	output: buildSchema,
	starts: true,
}

var getBuild = spec{
	name:        "get_build",
	title:       "Get a build",
	description: `Waits for a build that was started before and returns it. Costs nothing; may be called as often as needed, with the build_id of build_automation.`,
	input: `{"type":"object","properties":{
		"build_id":{"type":"string","description":"From build_automation"},
		"wait_seconds":{"type":"integer","minimum":0,"maximum":3600,"description":"How long to wait for the end; 0: not at all"}},
		"required":["build_id"],"additionalProperties":false}`,
	output: buildSchema,
	hints:  hints{readOnly: true, idempotent: true},
}

var cancelBuild = spec{
	name:        "cancel_build",
	title:       "Cancel a build",
	description: `Ends a running build for good. Only when the user wants it: what it has cost so far is spent, and Notte may still bill the rest.`,
	input: `{"type":"object","properties":{
		"build_id":{"type":"string","description":"From build_automation"}},
		"required":["build_id"],"additionalProperties":false}`,
	output: buildSchema,
	hints:  hints{destructive: true, idempotent: true},
}

// A cost has no type here: it may be null, and unions confuse some hosts.
const buildSchema = `{"type":"object","properties":{
	"build_id":{"type":"string"},
	"status":{"type":"string","enum":["running","done","error","timeout","cancelled","interrupted"]},
	"query":{"type":"string"},
	"function_id":{"type":"string"},
	"function_name":{"type":"string"},
	"total_cost_usd":{"description":"Number, or null: unknown"},
	"thread_id":{"type":"string"},
	"viewer_url":{"type":"string"},
	"answer":{"type":"string"},
	"steps":{"type":"array","items":{"type":"string"}},
	"error":{"type":"string"},
	"detail":{"type":"string"},
	"reason":{"type":"string"},
	"started_at":{"type":"string"},
	"elapsed_seconds":{"type":"number"},
	"joined":{"type":"boolean"},
	"durable":{"type":"boolean"},
	"candidates":{"type":"array","items":{"type":"object"}},
	"next_step":{"type":"string"}},
	"required":["build_id","status"]}`

type buildAutomationInput struct {
	Query       string   `json:"query" want:"text of 1 to 20,000 characters"`
	WaitSeconds *float64 `json:"wait_seconds" want:"a whole number of seconds from 0 to 3600"`
	ForceNew    bool     `json:"force_new" want:"true or false"`
}

func (in *buildAutomationInput) check() error {
	in.Query = strings.TrimSpace(in.Query)
	n := utf8.RuneCountInString(in.Query)
	switch {
	case n == 0:
		return wrong[buildAutomationInput]("query", "it is missing or blank")
	case n > MaxQuery:
		return wrong[buildAutomationInput]("query", fmt.Sprintf("it has %d", n))
	}
	return checkWait[buildAutomationInput](in.WaitSeconds)
}

type getBuildInput struct {
	BuildID     string   `json:"build_id" want:"the build_id that build_automation returned"`
	WaitSeconds *float64 `json:"wait_seconds" want:"a whole number of seconds from 0 to 3600"`
}

func (in *getBuildInput) check() error {
	if in.BuildID == "" {
		return wrong[getBuildInput]("build_id", "it is missing")
	}
	return checkWait[getBuildInput](in.WaitSeconds)
}

type cancelBuildInput struct {
	BuildID string `json:"build_id" want:"the build_id that build_automation returned"`
}

func (in *cancelBuildInput) check() error {
	if in.BuildID == "" {
		return wrong[cancelBuildInput]("build_id", "it is missing")
	}
	return nil
}

func (s *service) buildAutomation(ctx context.Context, in buildAutomationInput) (*buildOutput, error) {
	if err := s.Client.Ready(); err != nil {
		return nil, err
	}
	job, joined, err := s.Jobs.Start(ctx, jobs.BuildSpec{Client: s.Client, Query: in.Query, ForceNew: in.ForceNew})
	if err != nil {
		return nil, err
	}
	reused := joined && job.Succeeded()
	job, err = s.await(ctx, job, s.startWait(ctx, in.WaitSeconds))
	if err != nil {
		return nil, err
	}
	out := newBuildOutput(job)
	out.Joined = joined
	if reused {
		out.NextStep = "Nothing was built or billed now: this is the finished build of the same query, from " +
			out.StartedAt + ". " + out.NextStep + " To build it anew all the same, set force_new."
	}
	return out, nil
}

func (s *service) getBuild(ctx context.Context, in getBuildInput) (*buildOutput, error) {
	job, err := s.find(ctx, jobs.KindBuild, "build_id", in.BuildID)
	if err != nil {
		return nil, err
	}
	if job, err = s.await(ctx, job, in.WaitSeconds); err != nil {
		return nil, err
	}
	out := newBuildOutput(job)
	s.addCandidates(ctx, out)
	return out, nil
}

// candidateWait bounds the look-up of what an interrupted build may have made.
const candidateWait = 10 * time.Second

// addCandidates tells of functions that an interrupted build may have made. A
// look-up that fails is no reason to withhold the rest.
func (s *service) addCandidates(ctx context.Context, out *buildOutput) {
	ctx, cancel := context.WithTimeout(ctx, candidateWait)
	defer cancel()
	functions, err := s.Jobs.Candidates(ctx, s.Client, out.job)
	if err != nil {
		s.Logger.Warn("what an interrupted build has made could not be looked up", "build", out.BuildID, "err", err)
	}
	if err == nil && out.job.State == jobs.StateInterrupted && out.FunctionID == "" {
		out.NextStep = "How the build ended is not known, Notte may still finish and bill it, and no function that it may have made is there yet. Before building this again, ask the user to look at https://console.notte.cc."
	}
	for _, f := range functions {
		out.Candidates = append(out.Candidates, candidate{plain(f.ID), plain(f.Name), f.CreatedAt.UTC().Format(time.RFC3339)})
	}
	if len(out.Candidates) > 0 {
		out.NextStep = "How the build ended is not known. The candidates are functions made since it began that no other build accounts for: one of them may be what it made. Ask the user before running one, and before building again: that may be billed twice."
	}
}

// candidate is a function that an interrupted build may have made.
type candidate struct {
	FunctionID string `json:"function_id"`
	Name       string `json:"name,omitempty"`
	CreatedAt  string `json:"created_at"`
}

func (s *service) cancelBuild(ctx context.Context, in cancelBuildInput) (*buildOutput, error) {
	job, err := s.cancel(ctx, jobs.KindBuild, "build_id", in.BuildID)
	if err != nil {
		return nil, err
	}
	out := newBuildOutput(job)
	out.asked = true
	return out, nil
}

// buildOutput is what the build tools return. A field without a value is left
// out, but for the cost of a build that has ended: null says that it is not
// known, which is not the same as nothing.
type buildOutput struct {
	BuildID        string   `json:"build_id"`
	Status         string   `json:"status"`
	Query          string   `json:"query,omitempty"`
	FunctionID     string   `json:"function_id,omitempty"`
	FunctionName   string   `json:"function_name,omitempty"`
	TotalCostUSD   *cost    `json:"total_cost_usd,omitempty"`
	ThreadID       string   `json:"thread_id,omitempty"`
	ViewerURL      string   `json:"viewer_url,omitempty"`
	Answer         string   `json:"answer,omitempty"`
	Steps          []string `json:"steps,omitempty"`
	Error          string   `json:"error,omitempty"`
	Detail         string   `json:"detail,omitempty"`
	Reason         string   `json:"reason,omitempty"`
	StartedAt      string   `json:"started_at"`
	ElapsedSeconds float64  `json:"elapsed_seconds"`
	Joined         bool     `json:"joined,omitempty"`
	Durable        *bool    `json:"durable,omitempty"`

	Candidates []candidate `json:"candidates,omitempty"`

	NextStep string `json:"next_step"`

	job   jobs.Job
	asked bool // it was to be cancelled, and was: no failure to the caller
}

func newBuildOutput(job jobs.Job) *buildOutput {
	b := job.Build
	out := &buildOutput{
		BuildID:        job.ID,
		Status:         string(job.State),
		Query:          shorten(b.Query, 500),
		FunctionID:     plain(b.FunctionID),
		FunctionName:   plain(b.FunctionName),
		ThreadID:       plain(b.ThreadID),
		ViewerURL:      plain(b.ViewerURL),
		Answer:         shorten(prose(b.Answer), maxAnswer),
		Error:          plain(b.Error),
		Detail:         plain(b.Detail),
		Reason:         plain(b.Reason),
		StartedAt:      job.StartedAt.UTC().Format(time.RFC3339),
		ElapsedSeconds: seconds(job),
		Durable:        durable(job),
		job:            job,
	}
	for _, step := range b.Steps {
		out.Steps = append(out.Steps, progress.OneLine(step, maxStep))
	}
	if job.State.Ended() {
		out.TotalCostUSD = &cost{b.TotalCostUSD}
	}
	out.NextStep = nextForBuild(job)
	return out
}

func (o *buildOutput) failed() bool { return failed(o.job, o.asked) }

func (o *buildOutput) attrs() []slog.Attr {
	attrs := []slog.Attr{slog.String("outcome", o.Status), slog.String("build", o.BuildID)}
	if o.FunctionID != "" {
		attrs = append(attrs, slog.String("function", o.FunctionID))
	}
	if usd := o.job.Build.TotalCostUSD; usd != nil {
		attrs = append(attrs, slog.Float64("cost_usd", *usd))
	}
	if o.Joined {
		attrs = append(attrs, slog.Bool("joined", true))
	}
	return attrs
}

// nextForBuild is the sentence that keeps a model from the two mistakes that
// cost money: starting again what still runs, and losing what was made.
func nextForBuild(job jobs.Job) string {
	made := job.Build.FunctionID != ""
	tell := "Tell the user the cost. "
	if job.Build.TotalCostUSD == nil {
		tell = "Notte did not tell the cost: tell the user that it is not known. "
	}
	switch {
	case job.State == jobs.StateRunning:
		return `Still building. Call get_build with this build_id until status is no longer "running"; do not call build_automation again for this task.`
	case job.State == jobs.StateDone && made:
		return tell + "Call run_function with this function_id whenever the task is to be done again."
	case job.State == jobs.StateDone:
		return tell + "The agent made no function, so there is nothing to run again: its answer is the result."
	case made && job.State == jobs.StateInterrupted:
		return "The function was made before sight of the build was lost: run_function can run this function_id. Check its result before relying on it, and tell the user that the cost is not known."
	case made:
		return "The build did not end well, but the function was made before that: run_function can run this function_id. Check its result before relying on it."
	case job.State == jobs.StateInterrupted:
		return "How the build ended is not known, and Notte may still finish and bill it. Call get_build with this build_id in a few minutes: it tells of functions that the build may have made. Before building this again, ask the user to look at https://console.notte.cc."
	case !job.Build.Started:
		return "The build never began, so nothing was made or billed: read the error, see to its cause, and only then build again."
	case job.State == jobs.StateCancelled:
		return "The build was cancelled and made no function. Build again only if the user asks for it: that is billed anew."
	}
	return "No function of this build is known. Read the error, and tell the user before building again: that is billed anew."
}
