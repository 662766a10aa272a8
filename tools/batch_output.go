package tools

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"iter"
	"log/slog"

	"github.com/mark3labs/mcp-go/mcp"

	"github.com/anything-mcp/anything-mcp/jobs"
	"github.com/anything-mcp/anything-mcp/text"
)

// batchOutput is what the tools return of a batch. Its results are there once it has
// ended.
type batchOutput struct {
	RunID      string            `json:"run_id,omitempty"` // the batch's ID, in the answers of the tools for runs
	BatchID    string            `json:"batch_id"`
	FunctionID string            `json:"function_id"`
	Status     string            `json:"status"`
	OK         *bool             `json:"ok,omitempty"`
	Total      int               `json:"total"`
	Succeeded  int               `json:"succeeded"`
	Failed     int               `json:"failed"`
	Running    int               `json:"running,omitempty"`
	NotStarted int               `json:"not_started"`
	Results    []json.RawMessage `json:"results,omitempty"` // each an itemOutput
	ResultURI  string            `json:"result_uri,omitempty"`
	Error      string            `json:"error,omitempty"`
	Joined     bool              `json:"joined,omitempty"`
	Warnings   []string          `json:"warnings,omitempty"`
	jobOutput
}

// itemOutput is the outcome of one item.
type itemOutput struct {
	Index           int    `json:"index"`
	RunID           string `json:"run_id,omitempty"`
	Status          string `json:"status"` // of its run, or not_started
	OK              *bool  `json:"ok,omitempty"`
	Result          any    `json:"result,omitempty"`
	ResultBytes     int    `json:"result_bytes,omitempty"` // of a result that was cut
	ResultTruncated bool   `json:"result_truncated,omitempty"`
	Error           string `json:"error,omitempty"`
}

// Bounds of the results in an answer, in bytes.
const (
	maxResults = maxPage
	maxCut     = 4_000 // of a result that is too large for an answer by itself
)

// newBatchOutput describes a batch without its results.
func newBatchOutput(job *jobs.Job) *batchOutput {
	b, t := job.Batch, job.Batch.Tally
	out := &batchOutput{
		BatchID: job.ID, FunctionID: b.FunctionID, Status: string(job.State), Total: t.Total, Succeeded: t.Succeeded,
		Failed: t.Failed(), Running: t.Running, NotStarted: t.Waiting, Error: cleanLine(b.Error),
		jobOutput: newJobOutput(*job, nextForBatch(*job)),
	}
	if job.State.Ended() {
		out.OK, out.ResultURI = new(job.Succeeded()), batchURI(job.ID)
	}
	return out
}

// describeBatch describes a batch and, if it has ended, its results from item offset on:
// at most limit, unless that is 0, and as many as fit into an answer.
func (s *service) describeBatch(ctx context.Context, job *jobs.Job, offset, limit int) (*batchOutput, error) {
	out := newBatchOutput(job)
	if !job.State.Ended() {
		return out, nil
	}
	size, next := 0, offset
	for item, err := range batchItems(ctx, s.Jobs, job, offset) {
		if err != nil {
			return nil, fmt.Errorf("the results of %s could not be read just now: %w. They are not lost: call %s", job.ID, err, getCall(job.Kind))
		}
		raw, err := text.JSON(newItemOutput(item))
		if err == nil && len(raw) > maxResults {
			raw, err = text.JSON(cutItem(item))
		}
		if err != nil {
			return nil, err
		}
		if size += len(raw) + 1; size > maxResults || limit > 0 && len(out.Results) == limit {
			break
		}
		out.Results = append(out.Results, raw)
		next = item.Index + 1
	}
	switch {
	case next == offset && offset < out.Total:
		out.NextStep = "The items of this batch and their results are not stored any more, so it cannot be resumed. If some are still to be run, call run_batch with those items."
	case offset > 0 || next < out.Total:
		held := fmt.Sprintf("results holds items %d to %d of %d", offset, next-1, out.Total)
		if next < out.Total {
			held += fmt.Sprintf("; for those after them call %s and offset %d", getCall(job.Kind), next)
		}
		out.NextStep = held + ". " + out.NextStep
	}
	return out, nil
}

// newItemOutput describes an item with its whole result.
func newItemOutput(item jobs.Item) itemOutput {
	out := itemOutput{Index: item.Index, Status: "not_started"}
	if item.Run == nil {
		return out
	}
	run := item.Run.Run
	out.RunID, out.Status, out.Error = item.Run.ID, string(item.Run.State), cleanLine(run.Error)
	if item.Run.State.Ended() {
		out.OK = new(item.Run.Succeeded())
	}
	if len(run.Result) > 0 {
		out.Result = run.Result
	}
	return out
}

// cutItem describes an item with the beginning of its result.
func cutItem(item jobs.Item) itemOutput {
	out := newItemOutput(item)
	result := item.Run.Run.Result
	out.Result, out.ResultBytes, out.ResultTruncated = string(text.Prefix(result, maxCut)), len(result), true
	return out
}

// batchItems yields the items of a batch from an index on. It reads them in pages, so
// that the results of the batch are never in memory all at once.
func batchItems(ctx context.Context, m *jobs.Manager, job *jobs.Job, from int) iter.Seq2[jobs.Item, error] {
	return func(yield func(jobs.Item, error) bool) {
		for {
			page, err := m.Items(ctx, job.Owner, job.ID, from, jobs.ItemsPage)
			if err != nil {
				yield(jobs.Item{}, err)
				return
			}
			for _, item := range page {
				if !yield(item, nil) {
					return
				}
			}
			if len(page) < jobs.ItemsPage {
				return
			}
			from += len(page)
		}
	}
}

// WriteBatch writes the results of a batch in the order of its items, each as a line of
// JSON with the fields of the tool run_batch. Results are whole.
func WriteBatch(ctx context.Context, w io.Writer, m *jobs.Manager, job jobs.Job) error {
	for item, err := range batchItems(ctx, m, &job, 0) {
		if err != nil {
			return err
		}
		line, err := text.JSON(newItemOutput(item))
		if err != nil {
			return err
		}
		if _, err := w.Write(append(line, '\n')); err != nil {
			return err
		}
	}
	return nil
}

// link returns a link to the resource that has all results, or nil.
func (o *batchOutput) link() *mcp.ResourceLink {
	if o.ResultURI == "" {
		return nil
	}
	link := mcp.NewResourceLink(o.ResultURI, "Results of "+o.BatchID, "The results of the batch, one JSON object a line", typeLines)
	return &link
}

func (o *batchOutput) attrs() []slog.Attr {
	return []slog.Attr{
		slog.String("outcome", o.Status), slog.String("batch", o.BatchID), slog.String("function", o.FunctionID),
		slog.Int("items", o.Total), slog.Int("failed", o.Failed),
	}
}

// nextForBatch returns what to do next, like [nextForBuild].
func nextForBatch(job jobs.Job) string {
	tally := job.Batch.Tally
	resume := fmt.Sprintf("%d of %d items were not started. To run exactly those, call run_batch with this batch_id as resume", tally.Waiting, tally.Total)
	if job.State == jobs.StateCancelled {
		resume += ", if the user asks for it"
	}
	switch {
	case !job.State.Ended():
		return `Still running. Call ` + getCall(job.Kind) + ` until status is no longer "running"; its results come with the end.`
	case job.Succeeded():
		return "All runs are complete. Empty results may mean that the web page has changed."
	case tally.Waiting > 0 && job.Batch.Error != "" && job.State == jobs.StateFailed:
		return "Read error and remove its cause first. " + resume + "."
	case tally.Waiting > 0:
		return resume + "."
	case tally.Running > 0:
		return fmt.Sprintf("All items were started, and %d runs go on at Notte. To wait for them, call run_batch with this batch_id as resume.", tally.Running)
	}
	return fmt.Sprintf("%d of %d runs failed: read error in results. Started items may have acted, so run them again only if that does no harm, in a new batch.", tally.Failed(), tally.Total)
}
