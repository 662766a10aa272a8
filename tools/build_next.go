package tools

import "github.com/anything-mcp/anything-mcp/jobs"

const candidatesNext = "The candidates are functions that were made since it began and that no other known build has made. One of them may be its function. Ask the user before you run one or build again: another build is billed again."

// nextForBuild returns what to do next. It keeps a model from two mistakes that cost
// money: starting again what still runs, and losing what was made.
func nextForBuild(job jobs.Job) string {
	b := job.Build
	made, several := b.FunctionID != "", len(candidates(job)) > 0
	switch {
	case job.State == jobs.StateRunning && b.Detached:
		return `Notte goes on with the build by itself and reports no steps. Call get_build with this build_id later, until status is no longer "running". Do not call build_automation again for this task.`
	case job.State == jobs.StateRunning:
		return `Still building. Call get_build with this build_id until status is no longer "running". Do not call build_automation again for this task.`
	case job.State == jobs.StateDone:
		return nextForDone(b)
	case made && job.State == jobs.StateInterrupted:
		return "The function was made before the connection to the build was lost, so run_function can run this function_id. Check its result before you rely on it, and tell the user that the cost is not known for certain."
	case made:
		return "The build did not succeed, but the function was made before that, so run_function can run this function_id. Check its result before you rely on it."
	case job.State == jobs.StateInterrupted && several:
		return "How the build ended is not known. " + candidatesNext
	case job.State == jobs.StateInterrupted:
		return "How the build ended is not known, and Notte may still finish and bill it. Call get_build with this build_id in a few minutes: it lists functions that the build may have made. Before you build this again, " + askToLook(b)
	case !b.Started:
		return "The build never began, so nothing was made or billed. Read the error and remove its cause before you build again."
	case several:
		return "The build did not succeed. " + candidatesNext
	case job.State == jobs.StateCancelled && b.MayFinish:
		return "The build was cancelled here before its function was known. Notte may still finish and bill it: get_build with this build_id then lists functions that it may have made. Build again only if the user asks for it, because that is billed again."
	case job.State == jobs.StateCancelled:
		return "The build was cancelled, and no function of it is known. Build again only if the user asks for it, because that is billed again."
	case b.MayFinish:
		return "Notte may still finish this build and bill it, so do not start it again now. Call get_build with this build_id in a few minutes (list_builds has it too): it lists functions that the build may have made. Before you build this again, " + askToLook(b)
	}
	return "No function of this build is known. Read the error, and tell the user before you build again, because that is billed again."
}

// nextForDone returns what to do after a build that is done.
func nextForDone(b *jobs.Build) string {
	tell := "Tell the user the cost. "
	if b.TotalCostUSD == nil {
		tell = "Notte did not report the cost, so tell the user that it is not known. "
	}
	const run = "To do the task again, call run_function with this function_id."
	switch {
	case len(b.Candidates) > 0 && b.FunctionID == "":
		return tell + "Which function it made is not known. " + candidatesNext
	case b.FunctionID == "":
		return tell + "No function of this build was found, so there is nothing to run again: its answer is the result."
	case b.FunctionFrom == jobs.FromUnconfirmed:
		return tell + "Notte could not be asked whether this function_id is this build's, so check the result of run_function before you rely on it."
	case b.Updated():
		return tell + "The function_id is the same as before, and the function has a new version, which run_function runs. " + run
	case b.FunctionFrom == jobs.FromCatalogue:
		return tell + "The function appeared in the account while the build ran, so it is probably this build's. Check the result of run_function before you rely on it."
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
