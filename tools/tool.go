package tools

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"math"
	"reflect"
	"strings"
	"sync"
	"time"

	"github.com/mark3labs/mcp-go/mcp"

	"github.com/anything-mcp/anything-mcp/apps"
	"github.com/anything-mcp/anything-mcp/jobs"
	"github.com/anything-mcp/anything-mcp/progress"
	"github.com/anything-mcp/anything-mcp/text"
	"github.com/anything-mcp/anything-mcp/ui"
)

// toolSpec describes a tool to clients, apart from its input.
type toolSpec struct {
	name, title, description string
	output                   func() json.RawMessage // the schema
	hints                    hints
	starts                   bool // it starts a job, which may outlast the call
	forPages                 bool // only pages of this server call it
	changesList              bool // a call may change the list of tools or of resources
}

// hints are MCP's tool annotations. All our tools reach Notte, an open world.
type hints struct{ readOnly, destructive, idempotent bool }

// tool is a tool with its input. Schemas are computed when they are first needed,
// because all of them take 1 to 2 ms and the program must start quickly.
type tool struct {
	toolSpec
	input   func() *inputSchema
	encoded func() json.RawMessage // the schema of the input
	call    func(context.Context, json.RawMessage) *mcp.CallToolResult
}

func newTool(spec toolSpec, input func() *inputSchema) *tool {
	once := sync.OnceValue(input)
	return &tool{toolSpec: spec, input: once, encoded: sync.OnceValue(func() json.RawMessage { return encode(once().Schema) })}
}

func (t *tool) describe() mcp.Tool {
	d := mcp.Tool{Name: t.name, Title: t.title, Description: t.description}
	d.Annotations = mcp.ToolAnnotation{
		ReadOnlyHint:   &t.hints.readOnly,
		IdempotentHint: &t.hints.idempotent,
		OpenWorldHint:  new(true),
	}
	if !t.starts {
		// What an automation does on the web is not known.
		d.Annotations.DestructiveHint = &t.hints.destructive
	}
	if t.forPages {
		d.Meta = apps.ForPages()
	}
	return d
}

// output is the structured result of a tool.
type output interface {
	failed() bool       // the job has ended and did not succeed
	running() *jobs.Job // the job, if it goes on
	attrs() []slog.Attr // for the call's line in the log
}

// linked is an output that may have a resource with more than itself.
type linked interface {
	link() *mcp.ResourceLink // nil: it has none
}

// jobOutput is the part of an output that every job has. All its fields but Durable
// are always set. They have omitempty to keep the schema short.
type jobOutput struct {
	StartedAt      string   `json:"started_at,omitempty"`
	ElapsedSeconds *float64 `json:"elapsed_seconds,omitempty"`
	Durable        *bool    `json:"durable,omitempty" jsonschema:"false: lost when the server ends, as is normal in a sandbox"` // false for a job that is lost with this process; otherwise nil
	NextStep       string   `json:"next_step,omitempty"`

	job             jobs.Job
	cancelRequested bool // by this call
}

func newJobOutput(job jobs.Job, nextStep string) jobOutput {
	elapsed := math.Round(job.Elapsed(time.Now()).Seconds()*10) / 10
	o := jobOutput{StartedAt: formatTime(job.StartedAt), ElapsedSeconds: &elapsed, NextStep: nextStep, job: job}
	if job.Volatile {
		o.Durable = new(false)
	}
	return o
}

// failed reports whether the job has ended and did not succeed. A job that this
// call has cancelled did not fail.
func (o *jobOutput) failed() bool {
	return o.job.State.Ended() && !o.job.Succeeded() && !(o.cancelRequested && o.job.State == jobs.StateCancelled)
}

// setCancelRequested records that this call was to cancel the job. ended means that
// the job had ended before.
func (o *jobOutput) setCancelRequested(ended bool) {
	o.cancelRequested = true
	switch {
	case ended, o.job.State.Ended() && o.job.State != jobs.StateCancelled:
		o.NextStep = fmt.Sprintf("Nothing was cancelled, because this %s had already ended. %s", o.job.Kind, o.NextStep)
	case o.running() != nil:
		o.NextStep = fmt.Sprintf("The cancellation is recorded, but the process that runs this %s has not ended it yet. "+
			"Call %s to see when it has ended.", o.job.Kind, getCall(o.job.Kind))
	}
}

// setRepeated tells that the call did not wait if it repeated a wait: see
// [service.wait].
func (o *jobOutput) setRepeated(repeated bool) {
	if repeated && o.running() != nil {
		o.NextStep += fmt.Sprintf(" This call did not wait, because an earlier call for this %s still waits or was given up by the client. "+
			"To wait, set wait_seconds to less than the client's time limit.", o.job.Kind)
	}
}

func (o *jobOutput) running() *jobs.Job {
	if o.job.State.Ended() {
		return nil
	}
	return &o.job
}

// listOutput is the part of an output that lists jobs.
type listOutput struct{}

func (listOutput) failed() bool       { return false }
func (listOutput) running() *jobs.Job { return nil }

// add registers a tool whose arguments bind to an In.
func add[In any, Out output](s *service, spec toolSpec, handle func(context.Context, *caller, *In) (Out, error)) {
	s.names[spec.name] = true
	t := newTool(spec, func() *inputSchema {
		in := inputSchemaOf(reflect.TypeFor[In]())
		s.describeWait(in)
		return in
	})
	s.register(t, func(raw json.RawMessage) (work, error) {
		in, ignored, err := bind[In](t, raw)
		if len(ignored) > 0 {
			s.Logger.Debug("a call has unknown arguments, which are ignored", "tool", t.name, "arguments", logLine(strings.Join(ignored, ", ")))
		}
		return func(ctx context.Context, c *caller) (output, error) { return handle(ctx, c, &in) }, err
	})
}

// work is what a call does once its arguments are bound.
type work func(context.Context, *caller) (output, error)

// register registers a tool. prepare binds the arguments of a call. A tool that the
// settings do not want is there for pages alone.
func (s *service) register(t *tool, prepare func(json.RawMessage) (work, error)) {
	s.tools[t.name] = t
	s.setCall(t, prepare)
	t.forPages = t.forPages || !s.has(t.toolSpec)
	if t.forPages && !(s.Apps && ui.Calls(t.name)) {
		return // [Server.Call] calls it
	}
	s.mcp.AddTool(t.describe(), t.handle)
}

// setCall sets what a call of the tool does.
//
// It binds the arguments, finds out who calls, and defers the work of the call: see
// [progress.Defer]. mcp-go adds _meta and a type to the result before the work is
// done, and the transport keeps them.
func (s *service) setCall(t *tool, prepare func(json.RawMessage) (work, error)) {
	t.call = func(ctx context.Context, raw json.RawMessage) *mcp.CallToolResult {
		start := time.Now()
		if t.changesList {
			progress.HoldNotices(ctx)
		}
		do, err := prepare(raw)
		var c *caller
		if err == nil {
			c, err = s.caller(ctx)
		}
		result := new(mcp.CallToolResult)
		progress.Defer(ctx, func(ctx context.Context) {
			var out output
			if err == nil {
				out, err = do(ctx, c)
			}
			t.input().complete(err)
			s.logCall(ctx, t, time.Since(start), out, err)
			s.fillResult(result, t, c, out, err)
		})
		return result
	}
}

// handle is the tool's handler.
func (t *tool) handle(ctx context.Context, req mcp.CallToolRequest) (*mcp.CallToolResult, error) {
	return t.call(ctx, req.Params.RawArguments), nil
}

// fillResult writes the outcome of a call into its result: an output, the text of an
// error or, if the caller supports tasks and the job goes on, a task.
func (s *service) fillResult(result *mcp.CallToolResult, t *tool, c *caller, out output, err error) {
	switch {
	case err != nil:
	case t.starts && c.supportsTasks && out.running() != nil:
		err = s.fillTask(result, *out.running())
	default:
		err = fillOutput(result, c, out)
	}
	if err != nil {
		result.Content = []mcp.Content{mcp.NewTextContent(s.explain(t, err))}
		result.IsError = true
	}
}

// fillOutput writes an output as text and as structured content. Both are complete,
// because some hosts pass on only one of them.
func fillOutput(result *mcp.CallToolResult, c *caller, out output) error {
	raw, err := text.JSON(out)
	if err != nil {
		return err
	}
	result.Content = []mcp.Content{mcp.NewTextContent(string(raw))}
	if l, ok := out.(linked); ok && l.link() != nil && !c.refusesLinks {
		result.Content = append(result.Content, l.link())
	}
	result.RawStructuredContent = raw
	result.IsError = out.failed()
	return nil
}

// logCall logs a call in one line, at the level debug: package jobs logs the start and
// the end of each job.
func (s *service) logCall(ctx context.Context, t *tool, took time.Duration, out output, err error) {
	if !s.Logger.Enabled(ctx, slog.LevelDebug) {
		return
	}
	var attrs []slog.Attr
	switch {
	case ctx.Err() != nil:
		attrs = []slog.Attr{slog.String("outcome", "caller left")}
	case err != nil:
		attrs = []slog.Attr{slog.String("outcome", "refused"), slog.String("err", logLine(s.explain(t, err)))}
	default:
		attrs = out.attrs()
	}
	s.Logger.LogAttrs(ctx, slog.LevelDebug, t.name, append(attrs, slog.Duration("took", took.Round(time.Millisecond)))...)
}
