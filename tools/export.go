package tools

import (
	"context"
	"maps"
	"slices"

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
	out := newRunOutput(&job)
	if len(job.Run.Result) > 0 {
		out.Result = job.Run.Result
	}
	return text.JSON(out)
}

// BatchJSON describes a batch in the JSON that run_batch returns, without its results.
func BatchJSON(job jobs.Job) ([]byte, error) { return text.JSON(newBatchOutput(&job)) }

// BuildsJSON describes builds in the JSON of list_builds, as an array.
func BuildsJSON(list []jobs.Job) ([]byte, error) { return text.JSON(each(list, newListedBuild)) }

// RunsJSON describes runs in the JSON of list_runs, as an array.
func RunsJSON(list []jobs.Job) ([]byte, error) { return text.JSON(each(list, newListedRun)) }

// FunctionsJSON describes functions of a client's account in the JSON of find_functions,
// as an array. cfg has the jobs and the functions.
func FunctionsJSON(ctx context.Context, cfg Config, client *notte.Client, all []functions.Function) ([]byte, error) {
	return text.JSON(newService(cfg).listFunctions(ctx, callerOf(client), all))
}

// FunctionJSON describes a function of a client's account in the JSON of get_function.
// cfg has the jobs and the functions.
func FunctionJSON(ctx context.Context, cfg Config, client *notte.Client, f functions.Function) ([]byte, error) {
	return text.JSON(newService(cfg).describeFunction(ctx, callerOf(client), f))
}

// Pin pins a function of a client's account from a command line, like pin_function.
// dryRun only says what would be pinned. cfg has the jobs, the functions and the limit of
// pins.
func Pin(ctx context.Context, cfg Config, client *notte.Client, in PinInput, dryRun bool) (*PinOutput, error) {
	s := newService(cfg)
	out, err := s.pin(ctx, callerOf(client), &in, functions.MadeByCLI, dryRun)
	s.tools[pinFunction.name].input().complete(err)
	return out, err
}

// each describes every job of a list.
func each[T any](list []jobs.Job, describe func(jobs.Job) T) []T {
	all := make([]T, len(list))
	for i, job := range list {
		all[i] = describe(job)
	}
	return all
}

// callerOf returns who calls from a command line.
func callerOf(client *notte.Client) *caller { return &caller{Client: client, owner: client.Owner()} }

// listedPin is a pin for programs.
type listedPin struct {
	Name        string             `json:"name"`
	FunctionID  string             `json:"function_id"`
	State       functions.PinState `json:"state"`
	Description string             `json:"description"`
	Signature   string             `json:"signature"`
	Fixed       []string           `json:"fixed"` // the names: a value may be a secret
	Version     string             `json:"function_version"`
	MadeBy      string             `json:"made_by"`
	CreatedAt   string             `json:"created_at"`
	UsedAt      string             `json:"used_at"`
}

// PinsJSON describes pins as a JSON array.
func PinsJSON(pins []functions.Pin) ([]byte, error) {
	all := make([]listedPin, len(pins))
	for i, p := range pins {
		all[i] = listedPin{
			Name: p.Name, FunctionID: p.FunctionID, State: p.State, Description: p.Text,
			Signature: functions.Function{Variables: p.Shown()}.Signature(), Fixed: slices.AppendSeq([]string{}, maps.Keys(p.Fixed)),
			Version: p.Version, MadeBy: p.MadeBy, CreatedAt: formatTime(p.CreatedAt), UsedAt: formatTime(p.UsedAt),
		}
		slices.Sort(all[i].Fixed)
	}
	return text.JSON(all)
}
