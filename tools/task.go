package tools

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"maps"
	"strings"
	"time"

	"github.com/mark3labs/mcp-go/mcp"
	"github.com/mark3labs/mcp-go/server"

	"github.com/anything-mcp/anything-mcp/jobs"
	"github.com/anything-mcp/anything-mcp/notte"
	"github.com/anything-mcp/anything-mcp/progress"
	"github.com/anything-mcp/anything-mcp/tasks"
	"github.com/anything-mcp/anything-mcp/text"
)

const (
	// taskDelay is how long a call waits for its job before it is answered with a
	// task, because a job that ends at once needs no polling.
	taskDelay = 300 * time.Millisecond

	// taskPoll is how often clients should ask for a task.
	taskPoll = 2 * time.Second

	// taskCancelWait bounds how long tasks/cancel waits for the end of the job. A
	// job of another process may end later.
	taskCancelWait = 5 * time.Second
)

// hideTasks removes the extension from the answer to initialize, because legacy
// clients do not know it.
func hideTasks(_ context.Context, _ any, _ *mcp.InitializeRequest, result *mcp.InitializeResult) {
	result.Capabilities.Extensions = maps.Clone(result.Capabilities.Extensions)
	delete(result.Capabilities.Extensions, tasks.Extension)
}

// clientSupportsTasks reports whether the client of a request has declared the
// extension. It needs the context that mcp-go gives to a handler.
func clientSupportsTasks(ctx context.Context) bool {
	info := server.RequestProtocolInfoFromContext(ctx)
	return info != nil && info.Modern && tasks.Declared(info.ClientCapabilities)
}

// fillTask makes a call's result a task: the job that the call started.
func (s *service) fillTask(result *mcp.CallToolResult, job jobs.Job) error {
	raw, err := json.Marshal(s.newTask(job))
	result.ResultType, result.RawStructuredContent = tasks.ResultType, raw
	return err
}

// Tasks gives transports access to jobs as tasks. It is safe for concurrent use.
type Tasks struct{ s *service }

// Get returns the object that tasks/get answers with: a task, with its tool's
// result if it is completed. It returns false for an ID that never existed, has
// expired or is someone else's.
func (t *Tasks) Get(ctx context.Context, id string) (json.RawMessage, bool, error) {
	c, job, err := t.find(ctx, id)
	if err != nil {
		found, err := ifFound(err)
		return nil, found, err
	}
	shown := t.s.newTask(job)
	if shown.Status == taskCompleted {
		if shown.Result, err = t.s.result(ctx, c, job); err != nil {
			return nil, false, err
		}
	}
	raw, err := json.Marshal(shown)
	return raw, true, err
}

// Update is a no-op, because our tasks ask for no input. It reports whether the
// task exists, like Get.
func (t *Tasks) Update(ctx context.Context, id string, _ json.RawMessage) (bool, error) {
	_, _, err := t.find(ctx, id)
	return ifFound(err)
}

// Cancel cancels a task's job unless it has ended. It waits up to 5 seconds for the
// end, so that the next tasks/get usually returns a cancelled task. It reports
// whether the task exists, like Get.
func (t *Tasks) Cancel(ctx context.Context, id string) (bool, error) {
	c, err := t.s.caller(ctx)
	if err == nil {
		_, err = t.s.cancelJob(ctx, c, id, taskCancelWait)
	}
	return ifFound(err)
}

// find returns who asks, and the job that is the task.
func (t *Tasks) find(ctx context.Context, id string) (*caller, jobs.Job, error) {
	c, err := t.s.caller(ctx)
	if err != nil {
		return c, jobs.Job{}, err
	}
	job, err := t.s.Jobs.Get(ctx, c.owner, id)
	return c, job, err
}

// ifFound reports whether a task exists, given the error of looking for it, and
// returns any other error. A caller without a key has no tasks.
func ifFound(err error) (bool, error) {
	if errors.Is(err, jobs.ErrNotFound) || errors.Is(err, notte.ErrNoKey) {
		return false, nil
	}
	return err == nil, err
}

// result returns what the tool returns when its call waits for the end of the job.
func (s *service) result(ctx context.Context, c *caller, job jobs.Job) (*mcp.CallToolResult, error) {
	var out output
	var err error
	switch job.Kind {
	case jobs.KindBuild:
		build := newBuildOutput(&job)
		s.addCandidates(ctx, c, build)
		out = build
	case jobs.KindRun:
		out = newRunOutput(&job)
	case jobs.KindBatch:
		if out, err = s.describeBatch(ctx, &job, 0, 0); err != nil {
			return nil, err
		}
	}
	result := &mcp.CallToolResult{Result: mcp.Result{ResultType: mcp.ResultTypeComplete}}
	return result, fillOutput(result, c, out)
}

// task is a job in the form of the extension. It has the job's ID.
type task struct {
	ID             string              `json:"taskId"`
	Status         string              `json:"status"`
	StatusMessage  string              `json:"statusMessage"`
	CreatedAt      string              `json:"createdAt"`
	LastUpdatedAt  string              `json:"lastUpdatedAt"`
	TTLMs          *int64              `json:"ttlMs"` // null: kept for ever
	PollIntervalMs int64               `json:"pollIntervalMs"`
	Result         *mcp.CallToolResult `json:"result,omitempty"` // of a completed task
}

// The statuses of a task. A task is never input_required. It is never failed,
// because that is for JSON-RPC errors: a job that failed is a completed task whose
// result is an error.
const (
	taskWorking   = "working"
	taskCompleted = "completed"
	taskCancelled = "cancelled"
)

// newTask describes a job as a task, without the result of one that has ended.
func (s *service) newTask(job jobs.Job) task {
	t := task{
		ID:             job.ID,
		CreatedAt:      formatTime(job.StartedAt),
		PollIntervalMs: taskPoll.Milliseconds(),
	}
	if s.Keep > 0 {
		t.TTLMs = new(s.Keep.Milliseconds()) // or longer, because Keep counts from the job's end
	}
	updated := job.EndedAt
	switch job.State {
	case jobs.StateRunning:
		t.Status, t.StatusMessage = taskWorking, workingMessage(job)
		updated = time.Now() // a running job counts as updated now
	case jobs.StateCancelled:
		t.Status, t.StatusMessage = taskCancelled, endMessage(job)
	default:
		t.Status, t.StatusMessage = taskCompleted, endMessage(job)
	}
	t.LastUpdatedAt = formatTime(updated)
	return t
}

// workingMessage says what a running job does now. A build's line
// ends with the viewer link, because a task has no field for it.
func workingMessage(job jobs.Job) string {
	if r := job.Run; r != nil {
		logged := notte.Event{Type: notte.EventLog}
		if n := len(r.Logs); n > 0 {
			logged.Message = r.Logs[n-1]
		}
		return lineOr(logged, "Function started")
	}
	if job.Batch != nil {
		return job.Batch.Tally.String()
	}
	b, line := job.Build, "Build started"
	switch b.Latest {
	case notte.EventToolStart:
		if n := len(b.Steps); n > 0 {
			line = lineOr(notte.Event{Type: b.Latest, Name: b.Steps[n-1]}, line)
		}
	case notte.EventFunctionUploaded:
		line = functionLine(b)
	default:
		line = lineOr(notte.Event{Type: notte.EventStatus, Status: b.Status}, line)
	}
	watch := lineOr(notte.Event{Type: notte.EventSessionData, ViewerURL: b.ViewerURL}, "")
	if watch == "" || !strings.HasSuffix(watch, b.ViewerURL) {
		return line // there is no link, or it is too long for a line
	}
	return line + ". " + watch
}

// lineOr returns the line of an event, or otherwise if it has none.
func lineOr(ev notte.Event, otherwise string) string {
	if line, ok := progress.Describe(ev); ok {
		return line
	}
	return otherwise
}

func functionLine(b *jobs.Build) string {
	return lineOr(notte.Event{
		Type: notte.EventFunctionUploaded, FunctionID: b.FunctionID, FunctionName: b.FunctionName,
		FunctionVersion: b.FunctionVersion, FunctionUpdated: b.Updated(),
	}, "")
}

// endMessage says how a job ended. A cancelled task has no result, so its message
// includes the function that was made.
func endMessage(job jobs.Job) string {
	message := "Run " + string(job.State)
	why, made := "", ""
	if r := job.Run; r != nil {
		why = r.Error
	}
	if b := job.Batch; b != nil {
		message, why = "Batch "+string(job.State)+": "+b.Tally.String(), b.Error
	}
	if b := job.Build; b != nil {
		message, why = "Build "+string(job.State), cmp.Or(b.Reason, b.Error)
		if b.FunctionID != "" {
			made = functionLine(b)
		}
	}
	if why = text.OneLine(why, progress.MaxMessage); why != "" {
		message += ": " + why
	}
	if made != "" {
		message += ". " + made
	}
	return message
}
