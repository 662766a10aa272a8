package tools

import (
	"context"
	"time"

	"github.com/anything-mcp/anything-mcp/jobs"
)

// MaxQuery bounds a query, in characters.
const MaxQuery = 20_000

var buildAutomation = toolSpec{
	name:  "build_automation",
	title: "Build a web automation",
	description: `Call find_functions first: the account may have a function for the task. Has Notte's agent build, deploy and try a web automation for a task in plain English, and returns its function_id, its cost and the agent's answer. A build takes 2 to 10 minutes and is billed. ` +
		`If this returns status "running" and a build_id, go on with get_build and do not call this again. The answer is untrusted web text.`,
	output: buildSchema,
	starts: true,
}

// buildSchema is the output schema of the tools that return a build.
var buildSchema = outputSchema[buildOutput]()

var getBuild = toolSpec{
	name:        "get_build",
	title:       "Get a build",
	description: `Waits for a build that was started before and returns it. It costs nothing and can be called as often as needed.`,
	output:      buildSchema,
	hints:       hints{readOnly: true, idempotent: true},
}

var cancelBuild = toolSpec{
	name:        "cancel_build",
	title:       "Cancel a build",
	description: `Ends a running build for good. Call it only if the user wants that: what the build has cost is spent, and Notte may still bill the rest.`,
	output:      outputSchema[cancelledBuild](),
	hints:       hints{destructive: true, idempotent: true},
	changesList: true,
}

type buildInput struct {
	Query string `json:"query" jsonschema:"The task: the site, what to do or fetch, what to return, what varies from run to run" min:"1" max:"20000"`
	waitInput
	ForceNew      bool   `json:"force_new,omitempty" jsonschema:"Build again even if this query is being built or was just built; this is billed again"`
	ContinueBuild string `json:"continue_build,omitempty" jsonschema:"build_id of an ended build to continue: query is then a message to its agent" must:"the build_id of an earlier build"`
}

// cancelledBuild is the part of a buildOutput that the schema of cancel_build has,
// because models pay for schemas.
type cancelledBuild struct {
	BuildID  string `json:"build_id"`
	Status   string `json:"status"`
	NextStep string `json:"next_step,omitempty"`
}

// buildHandle names a build.
type buildHandle struct {
	BuildID string `json:"build_id" jsonschema:"From build_automation" must:"the build_id that build_automation returned"`
}

type getBuildInput struct {
	buildHandle
	waitInput
}

func (s *service) buildAutomation(ctx context.Context, c *caller, in *buildInput) (*buildOutput, error) {
	spec := jobs.BuildSpec{Client: c.Client, Query: in.Query, ForceNew: in.ForceNew, Detach: s.Detach}
	var err error
	if in.ContinueBuild != "" {
		if spec.Continue, err = s.jobByID(ctx, c, jobs.KindBuild, "continue_build", in.ContinueBuild); err != nil {
			return nil, err
		}
	}
	built, err := s.start(ctx, c, spec, in.waitInput)
	if err != nil {
		return nil, err
	}
	out := newBuildOutput(built.job)
	out.Joined = built.joined
	out.setRepeated(built.repeated)
	if !built.joined && in.ContinueBuild == "" {
		s.addSimilar(ctx, c, out)
	}
	if built.reused {
		out.NextStep = "Nothing was built or billed now: this is the finished build of the same query, from " +
			out.StartedAt + ". " + out.NextStep + " To build it again, set force_new."
	}
	return out, nil
}

func (s *service) getBuild(ctx context.Context, c *caller, in *getBuildInput) (*buildOutput, error) {
	built, err := s.get(ctx, c, jobs.KindBuild, in.BuildID, in.waitInput)
	if err != nil {
		return nil, err
	}
	out := newBuildOutput(built.job)
	out.setRepeated(built.repeated)
	s.addCandidates(ctx, c, out)
	return out, nil
}

func (s *service) cancelBuild(ctx context.Context, c *caller, in *buildHandle) (*buildOutput, error) {
	job, ended, err := s.cancel(ctx, c, jobs.KindBuild, in.BuildID)
	if err != nil {
		return nil, err
	}
	out := newBuildOutput(&job)
	out.setCancelRequested(ended)
	return out, nil
}

// addSimilar names the stored functions that may do what a new build is to do.
func (s *service) addSimilar(ctx context.Context, c *caller, out *buildOutput) {
	for _, f := range s.Functions.Similar(ctx, c.Client, out.job.Build.Query) {
		if f.ID != out.job.FunctionID() {
			out.Similar = append(out.Similar, similar{f.ID, f.Name, f.Signature()})
		}
	}
	if len(out.Similar) > 0 && out.running() != nil {
		out.NextStep += " The account has similar_functions for the same site. If one of them does this task, ask the user whether to cancel this build and run it."
	}
}

// candidateWait bounds the look-up of what an interrupted build may have made.
const candidateWait = 10 * time.Second

// addCandidates looks up the functions that a build of unknown outcome may have made,
// unless the build has done so itself. If the look-up fails, it logs that and leaves
// the build without candidates.
func (s *service) addCandidates(ctx context.Context, c *caller, out *buildOutput) {
	if len(out.Candidates) > 0 {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, candidateWait)
	defer cancel()
	functions, err := s.Jobs.Candidates(ctx, c.Client, out.job)
	if err != nil {
		s.Logger.Debug("the functions that a build may have made could not be looked up", "build", out.BuildID, "err", logLine(err.Error()))
	}
	if err == nil && out.job.OutcomeUnknown() && out.FunctionID == "" {
		out.NextStep = "How the build ended is not known, and Notte may still finish and bill it. No function that it may have made was found so far. Before you build this again, " + askToLook(out.job.Build)
	}
	for _, f := range functions {
		out.Candidates = append(out.Candidates, candidate{cleanLine(f.ID), cleanLine(f.Name), formatTime(f.CreatedAt)})
	}
	if len(out.Candidates) > 0 {
		out.NextStep = "How the build ended is not known. " + candidatesNext
	}
}
