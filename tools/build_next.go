package tools

import "github.com/anything-mcp/anything-mcp/jobs"

const candidatesNext = "The candidates are functions made since it began that no other known build has made: one of them may be what it made. Ask the user before running one, and before building again: that may be billed twice."

// nextForBuild returns what to do next. It keeps a model from two mistakes that cost
// money: starting again what still runs, and losing what was made.
func nextForBuild(job jobs.Job) string {
	b := job.Build
	made, several := b.FunctionID != "", len(candidates(job)) > 0
	switch {
	case job.State == jobs.StateRunning && b.Detached:
		return `Notte goes on with the build by itself and reports no steps. Call get_build with this build_id later, until status is no longer "running"; do not call build_automation again for this task.`
	case job.State == jobs.StateRunning:
		return `Still building. Call get_build with this build_id until status is no longer "running"; do not call build_automation again for this task.`
	case job.State == jobs.StateDone:
		return nextForDone(b)
	case made && job.State == jobs.StateInterrupted:
		return "The function was made before the connection to the build was lost: run_function can run this function_id. Check its result before relying on it, and tell the user that the cost is not known for certain."
	case made:
		return "The build did not end well, but the function was made before that: run_function can run this function_id. Check its result before relying on it."
	case job.State == jobs.StateInterrupted && several:
		return "How the build ended is not known. " + candidatesNext
	case job.State == jobs.StateInterrupted:
		return "How the build ended is not known, and Notte may still finish and bill it. Call get_build with this build_id in a few minutes: it lists functions that the build may have made. Before building this again, " + askToLook(b)
	case !b.Started:
		return "The build never began, so nothing was made or billed: read the error, remove its cause, and only then build again."
	case several:
		return "The build did not end well. " + candidatesNext
	case job.State == jobs.StateCancelled && b.MayFinish:
		return "The build was cancelled here before its function was known, and Notte may still finish and bill it: get_build with this build_id then lists functions that it may have made. Build again only if the user asks for it: that is billed anew."
	case job.State == jobs.StateCancelled:
		return "The build was cancelled, and no function of it is known. Build again only if the user asks for it: that is billed anew."
	case b.MayFinish:
		return "Notte may still finish this build, and bill it: do not start it again. Look with list_builds and get_build in a few minutes: get_build lists functions that the build may have made. Before building this again, " + askToLook(b)
	}
	return "No function of this build is known. Read the error, and tell the user before building again: that is billed anew."
}

// nextForDone returns what to do after a build that is done.
func nextForDone(b *jobs.Build) string {
	tell := "Tell the user the cost. "
	if b.TotalCostUSD == nil {
		tell = "Notte did not report the cost: tell the user that it is not known. "
	}
	const run = "Call run_function with this function_id whenever the task is to be done again."
	switch {
	case len(b.Candidates) > 0 && b.FunctionID == "":
		return tell + "Which function it made is not known. " + candidatesNext
	case b.FunctionID == "":
		return tell + "No function of this build was found, so there is nothing to run again: its answer is the result."
	case b.FunctionFrom == jobs.FromUnconfirmed:
		return tell + "Notte could not be asked whether this function_id is this build's: check the result of run_function before relying on it."
	case b.Updated():
		return tell + "The function_id is the same as before, and the function has a new version, which run_function runs. " + run
	case b.FunctionFrom == jobs.FromCatalogue:
		return tell + "The function appeared in the account while the build ran, so it is probably this build's: check the result of run_function before relying on it."
	}
	return tell + run
}

// askToLook asks the model to send the user to the page that may show the end of a
// build.
func askToLook(b *jobs.Build) string {
	if b.ThreadURL != "" {
		return "ask the user to look at thread_url."
	}
	return "ask the user to look at https://console.notte.cc."
}
