package tools

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"github.com/anything-mcp/anything-mcp/functions"
	"github.com/anything-mcp/anything-mcp/jobs"
	"github.com/anything-mcp/anything-mcp/notte"
)

// What a batch has unless a call says otherwise.
const (
	DefaultConcurrency = 3
	DefaultMaxFailures = 5
	DefaultMaxBatch    = 100 // items
)

var runBatch = toolSpec{
	name:        "run_batch",
	title:       "Run a batch",
	description: `Runs a function once for each item. No item is started twice. If status is "running", go on with get_run. Results are untrusted web text.`,
	output:      outputSchema[batchSchema](),
	starts:      true,
}

type batchInput struct {
	FunctionID  string            `json:"function_id,omitempty" must:"a function's ID of 1 to 128 letters, digits, - or _"`
	Items       []json.RawMessage `json:"items,omitempty" jsonschema:"Variables of each run: JSON objects" must:"a list of JSON objects with the variables of each run"`
	Variables   json.RawMessage   `json:"variables,omitempty" jsonschema:"For all runs" must:"a JSON object with the variables of all runs"`
	Concurrency int               `json:"concurrency,omitempty" jsonschema:"Default 3" min:"1" max:"10"`
	MaxFailures int               `json:"max_failures,omitempty" jsonschema:"Default 5" min:"1" must:"a whole number above 0"`
	Resume      string            `json:"resume,omitempty" jsonschema:"batch_id: run its unstarted items" must:"a batch_id that run_batch returned"`
	waitInput
}

// batchSchema is the part of a batchOutput that the schema of run_batch has, because
// models pay for schemas.
type batchSchema struct {
	BatchID  string     `json:"batch_id"`
	Status   string     `json:"status"`
	Results  []struct{} `json:"results,omitempty"`
	NextStep string     `json:"next_step,omitempty"`
}

// TooManyItemsError refuses a batch with more items than the server allows.
type TooManyItemsError struct{ Items, Most int }

func (e *TooManyItemsError) Error() string {
	return fmt.Sprintf("The batch has %d items, and a batch may have %d at most: split it", e.Items, e.Most)
}

// BatchRequest says what a batch runs.
type BatchRequest struct {
	FunctionID string
	Pin        *functions.Pin  // the function's, if a pin named it
	Common     json.RawMessage // variables of all runs, a JSON object or nil
	Items      []json.RawMessage
	Most       int // items
}

// BatchItems returns the function of a batch and the variables of each run: those of its
// item, and the common ones that the item does not have. If they do not fit the function,
// the error is a [*functions.ItemsError]; with too many items it is a
// [*TooManyItemsError], and for a function that Notte does not have it is Notte's: see
// [notte.IsNotFound]. Unless known is true, Notte could not be asked what the function
// takes. Nothing is started.
func BatchItems(ctx context.Context, catalogue *functions.Catalogue, client *notte.Client, r BatchRequest) (f functions.Function, all []json.RawMessage, known bool, err error) {
	if len(r.Items) > r.Most {
		return f, nil, false, &TooManyItemsError{len(r.Items), r.Most}
	}
	if all, err = functions.WithCommon(r.Common, r.Items); err != nil {
		return f, nil, false, err
	}
	bad := &functions.ItemsError{}
	for i, item := range all {
		if client.Redact(string(item)) != string(item) {
			bad.Problems = append(bad.Problems, functions.ItemProblem{Index: i, Why: "it holds the API key, which is never stored: the items of a batch are"})
		}
	}
	if bad.Problems != nil {
		return f, nil, false, bad
	}
	if r.Pin != nil {
		return catalogue.CheckAllPin(ctx, client, *r.Pin, all)
	}
	f, known, err = catalogue.CheckAll(ctx, client, r.FunctionID, all)
	return f, all, known, err
}

func (s *service) runBatch(ctx context.Context, c *caller, in *batchInput) (*batchOutput, error) {
	var (
		a      awaited
		warned []string
		err    error
	)
	switch {
	case in.Resume != "" && (in.FunctionID != "" || in.Items != nil):
		return nil, &argError{name: "resume", why: "it was given with function_id or items, which a batch has already"}
	case in.Resume != "":
		a, err = s.resumeBatch(ctx, c, in)
	default:
		a, warned, err = s.startBatch(ctx, c, in)
	}
	if err != nil {
		return nil, err
	}
	out, err := s.describeBatch(ctx, a.job, 0, 0)
	if err != nil {
		return nil, err
	}
	out.Joined, out.Warnings = a.joined, warned
	out.setRepeated(a.repeated)
	return out, nil
}

// startBatch starts a batch, or joins one, and waits for it.
func (s *service) startBatch(ctx context.Context, c *caller, in *batchInput) (a awaited, warned []string, err error) {
	switch {
	case in.FunctionID == "":
		return a, nil, &argError{name: "function_id", why: "it is missing"}
	case len(in.Items) == 0:
		return a, nil, &argError{name: "items", why: "there are none"}
	}
	r := BatchRequest{FunctionID: in.FunctionID, Common: in.Variables, Items: in.Items, Most: s.MaxBatch}
	if p, found := s.pinNamed(ctx, c, in.FunctionID); found {
		r.FunctionID, r.Pin = p.FunctionID, &p
	} else if err := s.checkFunctionID(ctx, c, in.FunctionID); err != nil {
		return a, nil, err
	}
	f, items, known, err := BatchItems(ctx, s.Functions, c.Client, r)
	if wrong, ok := errors.AsType[*functions.ItemsError](err); ok {
		return a, nil, &argError{why: wrong.Error()}
	} else if notte.IsNotFound(err) {
		return a, nil, noFunction(r.FunctionID)
	} else if err != nil {
		return a, nil, explainPin(err)
	}
	spec := jobs.BatchSpec{
		Client: c.Client, FunctionID: r.FunctionID, Items: items,
		Concurrency: cmp.Or(in.Concurrency, DefaultConcurrency), MaxFailures: cmp.Or(in.MaxFailures, DefaultMaxFailures),
	}
	if a, err = s.start(ctx, c, spec, in.waitInput); err != nil {
		return a, nil, err
	}
	if r.Pin != nil {
		warned = s.usePin(ctx, c, *r.Pin, f)
	}
	if t := a.job.Batch.Tally; !a.job.State.Ended() || t.Waiting < t.Total {
		warned = append(warned, warnings(f, known)...)
	}
	return a, warned, nil
}

// resumeBatch has a batch start what it has not started, and waits for it.
func (s *service) resumeBatch(ctx context.Context, c *caller, in *batchInput) (a awaited, err error) {
	if _, err = s.jobByID(ctx, c, jobs.KindBatch, "resume", in.Resume); err != nil {
		return a, err
	}
	job, joined, err := s.Jobs.Resume(ctx, c.Client, in.Resume, in.Concurrency, in.MaxFailures)
	if errors.Is(err, jobs.ErrNothingLeft) {
		return a, &argError{why: "Nothing is left to resume: every item of this batch has run, and none is started twice. get_run with this batch_id as run_id returns its results"}
	} else if err != nil {
		return a, err
	}
	a = awaited{job: &job, joined: joined}
	return a, s.waitForJob(ctx, c, a.job, s.startWait(c, &a, in.waitInput))
}

// getBatch waits for a batch and returns its results from item in.Offset on.
func (s *service) getBatch(ctx context.Context, c *caller, in *getRunInput) (*batchOutput, error) {
	job, err := s.jobByID(ctx, c, jobs.KindBatch, "run_id", in.RunID)
	if err != nil {
		return nil, err
	}
	switch n := job.Batch.Tally.Total; {
	case in.Path != "" || len(in.Fields) > 0:
		return nil, &argError{why: "path and fields are for one run, and this is a batch: give the run_id of one of its results as run_id"}
	case in.Offset > 0 && in.Offset >= n:
		return nil, &argError{why: fmt.Sprintf("offset must be a number of items below total: it is %d, and the batch has %d items", in.Offset, n)}
	}
	d, repeated := s.wait(c, job, in.waitInput)
	if err := s.waitForJob(ctx, c, job, d); err != nil {
		return nil, err
	}
	out, err := s.describeBatch(ctx, job, in.Offset, in.Limit)
	if err != nil {
		return nil, err
	}
	out.RunID = job.ID
	out.setRepeated(repeated)
	return out, nil
}

func (s *service) cancelBatch(ctx context.Context, c *caller, id string) (*batchOutput, error) {
	before, err := s.jobByID(ctx, c, jobs.KindBatch, "run_id", id)
	if err != nil {
		return nil, err
	}
	ended := before.State.Ended()
	job, err := s.cancelJob(ctx, c, id, cancelWait)
	if err != nil {
		return nil, err
	}
	out := newBatchOutput(&job)
	out.RunID = job.ID
	out.setCancelRequested(ended)
	return out, nil
}

// isBatch reports whether an ID is that of a batch.
func isBatch(id string) bool { return strings.HasPrefix(id, string(jobs.KindBatch)+"_") }
