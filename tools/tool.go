package tools

import (
	"bytes"
	"context"
	"encoding/json"
	"log/slog"
	"time"

	"github.com/mark3labs/mcp-go/mcp"
	"github.com/mark3labs/mcp-go/server"

	"github.com/anything-mcp/anything-mcp/jobs"
)

// spec is what a client is told of a tool.
type spec struct {
	name, title, description string
	input, output            string // JSON schemas
	hints                    hints
	starts                   bool // a job, which may outlast the call
}

// hints are MCP's tool annotations. All our tools reach Notte, an open world.
type hints struct{ readOnly, destructive, idempotent bool }

func (s spec) tool() mcp.Tool {
	t := mcp.NewToolWithRawSchema(s.name, s.description, compact(s.input))
	t.Title = s.title
	t.RawOutputSchema = compact(s.output)
	t.Annotations = mcp.ToolAnnotation{
		ReadOnlyHint:   &s.hints.readOnly,
		IdempotentHint: &s.hints.idempotent,
		OpenWorldHint:  new(true),
	}
	if !s.starts {
		// What an automation does on the web is not ours to promise.
		t.Annotations.DestructiveHint = &s.hints.destructive
	}
	return t
}

// compact takes the layout out of a schema: a model pays for every byte.
func compact(schema string) json.RawMessage {
	var b bytes.Buffer
	if err := json.Compact(&b, []byte(schema)); err != nil {
		panic("tools: a schema is not JSON: " + err.Error())
	}
	return b.Bytes()
}

// output is the structured result of a tool.
type output interface {
	failed() bool       // the job ended and did not succeed
	attrs() []slog.Attr // for the log's line of the call
}

// failed reports whether a job has ended and did not succeed. One that its
// caller asked to be cancelled, and that was, is no failure to that caller.
func failed(job jobs.Job, asked bool) bool {
	return job.State.Ended() && !job.Succeeded() && !(asked && job.State == jobs.StateCancelled)
}

// add registers a tool whose arguments bind to an In. Whatever its handler
// returns becomes a result here: an output as structured content and as text,
// an error as one sentence.
func add[In any, Out output](srv *server.MCPServer, s *service, sp spec, handle func(context.Context, In) (Out, error)) {
	srv.AddTool(sp.tool(), func(ctx context.Context, req mcp.CallToolRequest) (*mcp.CallToolResult, error) {
		start := time.Now()
		var out Out
		in, err := bind[In](sp.name, req.GetRawArguments())
		if err == nil {
			out, err = handle(ctx, in)
		}
		s.logCall(ctx, sp.name, time.Since(start), out, err)
		if err != nil {
			return mcp.NewToolResultError(explain(err)), nil
		}
		return s.answer(ctx, sp, out)
	})
}

// structured gives an output both ways, each complete on its own: some hosts
// pass on only the one, some only the other.
func structured(out output) (*mcp.CallToolResult, error) {
	raw, err := encode(out)
	if err != nil {
		return nil, err
	}
	return &mcp.CallToolResult{
		Content:              []mcp.Content{mcp.NewTextContent(string(raw))},
		StructuredContent:    out,
		RawStructuredContent: raw,
		IsError:              out.failed(),
	}, nil
}

// encode writes an output as compact JSON, without the escapes that only HTML
// would need.
func encode(out any) ([]byte, error) {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(out); err != nil {
		return nil, err
	}
	return bytes.TrimSuffix(b.Bytes(), []byte("\n")), nil
}

// logCall writes the one line that a call leaves in the log.
func (s *service) logCall(ctx context.Context, tool string, took time.Duration, out output, err error) {
	took = took.Round(time.Millisecond)
	switch {
	case ctx.Err() != nil:
		s.Logger.Info(tool, "outcome", "caller left", "took", took)
	case err != nil:
		s.Logger.Warn(tool, "outcome", "refused", "took", took, "err", explain(err))
	default:
		level := slog.LevelInfo
		if out.failed() {
			level = slog.LevelWarn
		}
		s.Logger.LogAttrs(ctx, level, tool, append(out.attrs(), slog.Duration("took", took))...)
	}
}
