package tools

import (
	"context"

	"github.com/anything-mcp/anything-mcp/functions"
	"github.com/anything-mcp/anything-mcp/jobs"
	"github.com/anything-mcp/anything-mcp/notte"
	"github.com/anything-mcp/anything-mcp/text"
)

// BuildJSON describes a build in the JSON that the build tools return.
func BuildJSON(job jobs.Job) ([]byte, error) { return text.JSON(newBuildOutput(&job)) }

// RunJSON describes a run in the JSON that the run tools return, but with its whole
// result, because its readers are programs.
func RunJSON(job jobs.Job) ([]byte, error) {
	out := newRunOutput(&job, 0)
	if len(job.Run.Result) > 0 {
		out.Result = job.Run.Result
	}
	return text.JSON(out)
}

// BuildsJSON describes builds in the JSON of list_builds, as an array.
func BuildsJSON(list []jobs.Job) ([]byte, error) { return text.JSON(each(list, newListedBuild)) }

// RunsJSON describes runs in the JSON of list_runs, as an array.
func RunsJSON(list []jobs.Job) ([]byte, error) { return text.JSON(each(list, newListedRun)) }

// FunctionsJSON describes functions in the JSON of find_functions, as an array. m
// knows their runs, which are the owner's.
func FunctionsJSON(ctx context.Context, m *jobs.Manager, owner string, all []functions.Function) ([]byte, error) {
	s := &service{Config: Config{Jobs: m}.withDefaults()}
	return text.JSON(s.listFunctions(ctx, owner, all))
}

// FunctionJSON describes a function in the JSON of get_function. m knows its runs and
// builds, and the client's account has its secrets.
func FunctionJSON(ctx context.Context, m *jobs.Manager, client *notte.Client, f functions.Function) ([]byte, error) {
	s := &service{Config: Config{Jobs: m}.withDefaults()}
	return text.JSON(s.describeFunction(ctx, &caller{Client: client, owner: client.Owner()}, f))
}

// each describes every job of a list.
func each[T any](list []jobs.Job, describe func(jobs.Job) T) []T {
	all := make([]T, len(list))
	for i, job := range list {
		all[i] = describe(job)
	}
	return all
}
