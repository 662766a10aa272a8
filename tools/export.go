package tools

import "github.com/anything-mcp/anything-mcp/jobs"

// BuildJSON describes a build in the very JSON that the build tools return.
func BuildJSON(job jobs.Job) ([]byte, error) { return encode(newBuildOutput(job)) }

// RunJSON describes a run in the JSON that the run tools return, but with the
// whole of its result: whoever reads it has no model's limits.
func RunJSON(job jobs.Job) ([]byte, error) {
	out := newRunOutput(job)
	if len(job.Run.Result) > 0 {
		out.Result = job.Run.Result
	}
	return encode(out)
}

// BuildsJSON describes builds in the JSON of list_builds, as an array.
func BuildsJSON(list []jobs.Job) ([]byte, error) { return encodeAll(list, newListedBuild) }

// RunsJSON describes runs in the JSON of list_runs, as an array.
func RunsJSON(list []jobs.Job) ([]byte, error) { return encodeAll(list, newListedRun) }

func encodeAll[T any](list []jobs.Job, describe func(jobs.Job) T) ([]byte, error) {
	all := make([]T, len(list))
	for i, job := range list {
		all[i] = describe(job)
	}
	return encode(all)
}
