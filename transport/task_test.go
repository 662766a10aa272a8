package transport

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"sync"
	"testing"
	"testing/synctest"

	"github.com/mark3labs/mcp-go/mcp"
	"github.com/mark3labs/mcp-go/server"

	"github.com/anything-mcp/anything-mcp/progress"
	"github.com/anything-mcp/anything-mcp/tasks"
)

// TestTaskTranscripts plays the tasks extension over both transports, in the
// steps of TestStdioTranscripts and TestHTTPTranscripts.
func TestTaskTranscripts(t *testing.T) {
	replay(t, "testdata/tasks-stdio.txtar", func(t *testing.T, steps []string) (lines []string) {
		synctest.Test(t, func(t *testing.T) {
			f, _ := newFakeTaskServer()
			lines = playStdio(t, f, steps)
		})
		return lines
	})
	replay(t, "testdata/tasks-http.txtar", func(t *testing.T, steps []string) (lines []string) {
		synctest.Test(t, func(t *testing.T) {
			f, _ := newFakeTaskServer()
			lines = playHTTP(t, f, steps)
		})
		return lines
	})
}

// taskTable holds the tasks of a fake server whose tool task begins one, which
// works until it is cancelled. Requests about the task "broken" fail.
type taskTable struct {
	mu     sync.Mutex        // guards status
	status map[string]string // by ID
	note   func(string)
}

var errBroken = errors.New("the disk is on fire")

func newFakeTaskServer() (*fakeServer, *taskTable) {
	f := newFakeServer()
	table := &taskTable{status: make(map[string]string), note: f.note}
	f.tasks = table
	server.WithExtensions(map[string]any{tasks.Extension: struct{}{}})(f.srv)
	f.srv.AddTool(mcp.NewTool("task", mcp.WithDescription("Begins a task.")), table.begin)
	return f, table
}

func (tt *taskTable) begin(ctx context.Context, req mcp.CallToolRequest) (*mcp.CallToolResult, error) {
	id := req.GetString("id", "t-1")
	tt.mu.Lock()
	tt.status[id] = "working"
	tt.mu.Unlock()
	result := new(mcp.CallToolResult)
	finish := func(ctx context.Context) {
		task, _, _ := tt.Get(ctx, id)
		*result = mcp.CallToolResult{Result: mcp.Result{ResultType: tasks.ResultType}, RawStructuredContent: task}
	}
	if req.GetBool("defer", false) {
		progress.Defer(ctx, finish)
	} else {
		finish(ctx)
	}
	return result, nil
}

func (tt *taskTable) Get(_ context.Context, id string) (json.RawMessage, bool, error) {
	tt.mu.Lock()
	defer tt.mu.Unlock()
	if id == "broken" {
		return nil, false, errBroken
	}
	status, ok := tt.status[id]
	return fmt.Appendf(nil, `{"taskId":%q,"status":%q,"ttlMs":null}`, id, status), ok, nil
}

func (tt *taskTable) Update(_ context.Context, id string, responses json.RawMessage) (bool, error) {
	tt.mu.Lock()
	defer tt.mu.Unlock()
	tt.note(id + " was told " + string(responses))
	_, ok := tt.status[id]
	return ok, nil
}

func (tt *taskTable) Cancel(_ context.Context, id string) (bool, error) {
	tt.mu.Lock()
	defer tt.mu.Unlock()
	_, ok := tt.status[id]
	if ok {
		tt.status[id] = "cancelled"
	}
	return ok, nil
}
