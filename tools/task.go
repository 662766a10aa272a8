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
)

// tasksExtension is MCP's name for tasks, which clients of 2026-07-28 declare
// on each request.
const tasksExtension = "io.modelcontextprotocol/tasks"

const (
	// taskAfter is how long a job has to end before its call is answered with a
	// task: what ends at once needs no polling.
	taskAfter = 300 * time.Millisecond

	// taskPoll is how often clients are to ask for a task.
	taskPoll = 2 * time.Second

	// taskCancelWait bounds how long a cancellation is waited for. It takes
	// longer if another process has the job, and goes on all the same.
	taskCancelWait = 5 * time.Second
)

// resultTypeTask marks the result of a call that is answered with a task. Its
// structured content is the task; the transport gives it the shape of one.
const resultTypeTask mcp.ResultType = "task"

// withTasks declares the extension, to modern clients only: to others it means
// nothing.
func withTasks() []server.ServerOption {
	hooks := &server.Hooks{}
	hooks.AddAfterInitialize(func(_ context.Context, _ any, _ *mcp.InitializeRequest, result *mcp.InitializeResult) {
		result.Capabilities.Extensions = maps.Clone(result.Capabilities.Extensions)
		delete(result.Capabilities.Extensions, tasksExtension)
	})
	return []server.ServerOption{
		server.WithExtensions(map[string]any{tasksExtension: struct{}{}}), server.WithHooks(hooks),
	}
}

// takesTasks reports whether a call may be answered with a task.
func (s *service) takesTasks(ctx context.Context) bool {
	info := server.RequestProtocolInfoFromContext(ctx)
	if !s.Tasks || info == nil || !info.Modern || info.ClientCapabilities == nil {
		return false
	}
	_, declared := info.ClientCapabilities.Extensions[tasksExtension].(map[string]any)
	return declared
}

// startWait is how long a call that has started a job waits for it: as asked,
// unless it will be answered with a task.
func (s *service) startWait(ctx context.Context, asked *float64) *float64 {
	if s.takesTasks(ctx) {
		return new(taskAfter.Seconds())
	}
	return asked
}

// answer is the result of a call: its output or, if the job that it started
// goes on and the client takes that, a task.
func (s *service) answer(ctx context.Context, sp spec, out output) (*mcp.CallToolResult, error) {
	if !sp.starts || !s.takesTasks(ctx) {
		return structured(out)
	}
	var job jobs.Job
	switch out := out.(type) {
	case *buildOutput:
		job = out.job
	case *runOutput:
		job = out.job
	}
	if job.State.Ended() {
		return structured(out)
	}
	raw, err := json.Marshal(s.newTask(job))
	return &mcp.CallToolResult{Result: mcp.Result{ResultType: resultTypeTask}, RawStructuredContent: raw}, err
}

// Tasks shows jobs as tasks to a transport. It is safe for concurrent use.
type Tasks struct{ s *service }

// NewTasks returns the tasks of the server that [NewServer] makes of cfg.
func NewTasks(cfg Config) *Tasks { return &Tasks{&service{cfg.withDefaults()}} }

// Get returns a task with, if it is completed, its tool's result, as the object
// that tasks/get answers with. It is false for an ID that never existed, has
// expired or is someone else's.
func (t *Tasks) Get(ctx context.Context, id string) (json.RawMessage, bool, error) {
	job, found, err := t.find(ctx, id)
	if !found || err != nil {
		return nil, false, err
	}
	shown := t.s.newTask(job)
	if shown.Status == taskCompleted {
		if shown.Result, err = t.s.result(ctx, job); err != nil {
			return nil, false, err
		}
	}
	raw, err := json.Marshal(shown)
	return raw, true, err
}

// Update does nothing to a task: ours ask for no input.
func (t *Tasks) Update(ctx context.Context, id string, _ json.RawMessage) (bool, error) {
	_, found, err := t.find(ctx, id)
	return found, err
}

// Cancel ends a task's job, as far as it has not ended, and waits a little for
// that, so that whoever asks next finds it cancelled as a rule.
func (t *Tasks) Cancel(ctx context.Context, id string) (bool, error) {
	ctx, cancel := context.WithTimeout(ctx, taskCancelWait)
	defer cancel()
	_, err := t.s.Jobs.Cancel(ctx, t.s.Client.Owner(), id)
	switch {
	case errors.Is(err, jobs.ErrNotFound):
		return false, nil
	case errors.Is(err, jobs.ErrEnded), ctx.Err() != nil:
		return true, nil
	}
	return true, err
}

func (t *Tasks) find(ctx context.Context, id string) (jobs.Job, bool, error) {
	job, err := t.s.Jobs.Get(ctx, t.s.Client.Owner(), id)
	if errors.Is(err, jobs.ErrNotFound) {
		return jobs.Job{}, false, nil
	}
	return job, err == nil, err
}

// result is what the tool would have returned had its call waited for the end.
func (s *service) result(ctx context.Context, job jobs.Job) (result *mcp.CallToolResult, err error) {
	switch job.Kind {
	case jobs.KindBuild:
		out := newBuildOutput(job)
		s.addCandidates(ctx, out)
		result, err = structured(out)
	case jobs.KindRun:
		out := newRunOutput(job)
		if err := out.page(0); err != nil {
			return nil, err
		}
		result, err = structured(out)
	}
	if err != nil {
		return nil, err
	}
	result.ResultType = mcp.ResultTypeComplete
	return result, nil
}

// task is a job as the extension shows it. Nothing of it is stored: the job is,
// and the task's ID is the job's.
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

// The statuses of a task. It is never input_required, nor failed: that is for
// JSON-RPC errors, while a job that ended badly has a result that says so.
const (
	taskWorking   = "working"
	taskCompleted = "completed"
	taskCancelled = "cancelled"
)

// newTask describes a job, but for the result of one that has ended.
func (s *service) newTask(job jobs.Job) task {
	t := task{
		ID:             job.ID,
		CreatedAt:      job.StartedAt.UTC().Format(time.RFC3339),
		PollIntervalMs: taskPoll.Milliseconds(),
	}
	if s.Keep > 0 {
		t.TTLMs = new(s.Keep.Milliseconds()) // or longer: a job is kept from its end on
	}
	updated := job.EndedAt
	switch job.State {
	case jobs.StateRunning:
		t.Status, t.StatusMessage = taskWorking, workingMessage(job)
		updated = time.Now() // that it runs is as new as can be
	case jobs.StateCancelled:
		t.Status, t.StatusMessage = taskCancelled, endMessage(job)
	default:
		t.Status, t.StatusMessage = taskCompleted, endMessage(job)
	}
	t.LastUpdatedAt = updated.UTC().Format(time.RFC3339)
	return t
}

// workingMessage words the latest that a running job has done as its progress
// would. A build's goes with the link to watch it by, for which a task has no
// other place.
func workingMessage(job jobs.Job) string {
	if r := job.Run; r != nil {
		logged := notte.Event{Type: notte.EventLog}
		if n := len(r.Logs); n > 0 {
			logged.Message = r.Logs[n-1]
		}
		return newest(logged, "Function started")
	}
	b := job.Build
	line := newest(notte.Event{Type: notte.EventStatus, Status: b.Status}, "Build started")
	if n := len(b.Steps); n > 0 {
		line = newest(notte.Event{Type: notte.EventToolStart, Name: b.Steps[n-1]}, line)
	}
	if b.FunctionID != "" {
		line = functionLine(b)
	}
	watch := newest(notte.Event{Type: notte.EventSessionData, ViewerURL: b.ViewerURL}, "")
	if watch == "" || !strings.HasSuffix(watch, b.ViewerURL) {
		return line // there is no link, or it is too long to be told
	}
	return line + ". " + watch
}

// newest is the line of an event, or the one before it if it has none.
func newest(ev notte.Event, before string) string {
	if line, ok := progress.Line(ev); ok {
		return line
	}
	return before
}

func functionLine(b *jobs.Build) string {
	return newest(notte.Event{Type: notte.EventFunctionUploaded, FunctionID: b.FunctionID, FunctionName: b.FunctionName}, "")
}

// endMessage says how a job ended. A cancelled task has no result: what the
// user must know of it has to be here.
func endMessage(job jobs.Job) string {
	text := "Run " + string(job.State)
	why, made := "", ""
	if r := job.Run; r != nil {
		why = r.Error
	}
	if b := job.Build; b != nil {
		text, why = "Build "+string(job.State), cmp.Or(b.Reason, b.Error)
		if b.FunctionID != "" {
			made = functionLine(b)
		}
	}
	if why = progress.OneLine(why, progress.MaxMessage); why != "" {
		text += ": " + why
	}
	if made != "" {
		text += ". " + made
	}
	return text
}
