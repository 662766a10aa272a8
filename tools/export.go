package tools

import (
	"github.com/anything-mcp/anything-mcp/jobs"
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

// each describes every job of a list.
func each[T any](list []jobs.Job, describe func(jobs.Job) T) []T {
	all := make([]T, len(list))
	for i, job := range list {
		all[i] = describe(job)
	}
	return all
}
