package tools

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"strings"

	"github.com/anything-mcp/anything-mcp/jobs"
	"github.com/anything-mcp/anything-mcp/notte"
	"github.com/anything-mcp/anything-mcp/text"
)

// jobByID returns the job of the caller's that an argument names. The error is the
// same for an ID that never existed, has expired or is someone else's.
func (s *service) jobByID(ctx context.Context, c *caller, kind jobs.Kind, argument, id string) (*jobs.Job, error) {
	job, err := s.Jobs.Get(ctx, c.owner, id)
	if errors.Is(err, jobs.ErrNotFound) || err == nil && job.Kind != kind {
		return nil, &argError{name: argument, why: s.whyNoJob(ctx, c, kind, id)}
	}
	return &job, err
}

// whyNoJob says why an ID names no job of this kind, and what it names instead.
func (s *service) whyNoJob(ctx context.Context, c *caller, kind jobs.Kind, id string) string {
	if other := kindOfID(id); other != "" && other != kind {
		return isOfKind(other)
	}
	build, byName := s.buildOfFunction(ctx, c, id)
	switch {
	case build == nil:
		return "there is none with this ID, or it has expired"
	case kind == jobs.KindRun:
		return "it is a function, which run_function runs; list_runs finds its runs"
	case byName:
		return "it is the name of a function; the build that made it is " + build.ID
	}
	return "it is a function_id; the build that made the function is " + build.ID
}

// checkFunctionID returns an error for a text that is not a function's ID, and says
// what it is instead. It starts nothing, because a run of a function that does not
// exist fails only at Notte.
func (s *service) checkFunctionID(ctx context.Context, c *caller, id string) error {
	bad := &argError{name: "function_id"}
	if isUUID.MatchString(id) { // as Notte's are
		return nil
	}
	build, byName := s.buildOfFunction(ctx, c, id)
	switch kind := kindOfID(id); {
	case byName:
		bad.why = "it is the name of a function; the function_id is " + cleanLine(build.FunctionID())
	case build != nil:
		return nil
	case kind != "":
		bad.why = isOfKind(kind)
		if job, err := s.Jobs.Get(ctx, c.owner, id); err == nil && job.FunctionID() != "" {
			bad.why += "; the function_id of that " + string(kind) + " is " + cleanLine(job.FunctionID())
		}
	case !notte.ValidID(id):
		bad.why = fmt.Sprintf("it is %.*q", maxQuoted, id)
	default:
		return nil
	}
	return bad
}

func isOfKind(kind jobs.Kind) string {
	return fmt.Sprintf("it is a %s_id, which %s takes", kind, getter(kind))
}

// getter returns the tool that returns jobs of a kind.
func getter(kind jobs.Kind) string {
	if kind == jobs.KindBatch {
		kind = jobs.KindRun
	}
	return "get_" + string(kind)
}

// getCall returns the tool that returns a job and how to name the job to it. The text
// follows the word "call".
func getCall(kind jobs.Kind) string {
	if kind == jobs.KindBatch {
		return getter(kind) + " with this batch_id as run_id"
	}
	return fmt.Sprintf("%s with this %s_id", getter(kind), kind)
}

var isUUID = regexp.MustCompile(`^[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}$`)

// kindOfID returns the kind of job whose IDs begin like id, or "".
func kindOfID(id string) jobs.Kind {
	prefix, _, _ := strings.Cut(id, "_")
	switch kind := jobs.Kind(prefix); kind {
	case jobs.KindBuild, jobs.KindRun, jobs.KindBatch:
		return kind
	}
	return ""
}

// maxNamed bounds how many builds are searched for the name of a function.
const maxNamed = 500

// buildOfFunction returns the newest known build whose function has this ID or else
// this name, or nil.
func (s *service) buildOfFunction(ctx context.Context, c *caller, idOrName string) (build *jobs.Job, byName bool) {
	list, err := s.Jobs.List(ctx, jobs.Query{Owner: c.owner, Kind: jobs.KindBuild, Limit: maxNamed})
	if err != nil {
		return nil, false // there is no hint
	}
	for i, job := range list {
		if job.FunctionID() == idOrName && idOrName != "" {
			return &list[i], false
		}
		if build == nil && job.FunctionID() != "" && strings.EqualFold(text.OneLine(job.Build.FunctionName, maxLine), idOrName) {
			build, byName = &list[i], true
		}
	}
	return build, byName
}
