package transport

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/http"

	"github.com/mark3labs/mcp-go/mcp"
)

// tasksExtension is the name of the extension of protocol version 2026-07-28
// that lets a tools/call be answered with a task, to be polled for its result.
// The tasks of 2025-11-25 are another thing, which there is not here.
const tasksExtension = "io.modelcontextprotocol/tasks"

// resultTypeTask marks a result that is a task. A tool gives it to a result
// whose RawStructuredContent is the task, as [Tasks] describes one, for a client
// that declares the extension on the request; the edge brings it into its shape.
const resultTypeTask mcp.ResultType = "task"

// Methods of the extension.
const (
	methodTaskGet    = "tasks/get"
	methodTaskUpdate = "tasks/update"
	methodTaskCancel = "tasks/cancel"
)

// Tasks looks after the tasks that tools have answered with. Its methods are
// safe for concurrent use and return soon. They report whether there is a task
// of this ID, which there is not if it has expired or is someone else's; what
// their errors say stays in the log.
type Tasks interface {
	// Get returns the task as it stands: the JSON object that tasks/get
	// answers with, but for resultType and _meta.
	Get(ctx context.Context, id string) (task json.RawMessage, found bool, err error)

	// Update takes what the client says to what the task has asked of it: a
	// JSON object.
	Update(ctx context.Context, id string, responses json.RawMessage) (found bool, err error)

	// Cancel asks the task to end. One that has ended stays as it is.
	Cancel(ctx context.Context, id string) (found bool, err error)
}

func isTaskMethod(method string) bool {
	return method == methodTaskGet || method == methodTaskUpdate || method == methodTaskCancel
}

// taskParams are the params of the extension's requests, and of a
// subscriptions/listen as far as tasks go.
type taskParams struct {
	Meta           *mcp.Meta       `json:"_meta"`
	TaskID         string          `json:"taskId"`
	InputResponses json.RawMessage `json:"inputResponses"`
	Notifications  struct {
		TaskIDs json.RawMessage `json:"taskIds"`
	} `json:"notifications"`
}

// declaresTasks reads the capabilities that a client gives with a request. They
// name the extension with an object, in which there is nothing to be read yet.
func declaresTasks(caps json.RawMessage) bool {
	var declared struct {
		Extensions struct {
			Tasks json.RawMessage `json:"io.modelcontextprotocol/tasks"`
		} `json:"extensions"`
	}
	return json.Unmarshal(caps, &declared) == nil && bytes.HasPrefix(declared.Extensions.Tasks, []byte("{"))
}

// extend answers requests of the extension, and returns nil for all others. It
// is nil as well for those that are not of 2026-07-28 or not in good order: what
// is wrong with them is for mcp-go to say.
func (e *engine) extend(ctx context.Context, method string, raw []byte, c *call) mcp.JSONRPCMessage {
	listen := method == string(mcp.MethodSubscriptionsListen)
	if !listen && !isTaskMethod(method) {
		return nil
	}
	var req struct{ Params taskParams }
	err := json.Unmarshal(raw, &req) // what follows a wrong type is read all the same
	version := req.Params.Meta.ProtocolVersion()
	switch {
	case !mcp.IsModernProtocol(version), !mcp.IsValidProtocolVersion(version), req.Params.Meta.ClientCapabilities() == nil:
		return nil
	case listen && (req.Params.Notifications.TaskIDs == nil || declaresTasks(c.caps)):
		return nil // who asks to be notified of tasks is told that polling is all there is
	case !declaresTasks(c.caps):
		return undeclared()
	case err != nil || req.Params.TaskID == "":
		return taskError("The taskId must be the ID of a task, as a string.")
	case method == methodTaskUpdate && !bytes.HasPrefix(req.Params.InputResponses, []byte("{")):
		return taskError("The inputResponses must be an object.")
	}
	return e.handleTask(ctx, method, req.Params)
}

func (e *engine) handleTask(ctx context.Context, method string, params taskParams) mcp.JSONRPCMessage {
	var task json.RawMessage
	var found bool
	var err error
	switch method {
	case methodTaskGet:
		task, found, err = e.tasks.Get(ctx, params.TaskID)
	case methodTaskUpdate:
		found, err = e.tasks.Update(ctx, params.TaskID, params.InputResponses)
	case methodTaskCancel:
		found, err = e.tasks.Cancel(ctx, params.TaskID)
	}
	switch {
	case err != nil:
		if ctx.Err() == nil {
			e.log.Error("a task could not be looked after", "method", method, "task", fmt.Sprintf("%.100s", params.TaskID), "err", err)
		}
		return internalFailure()
	case !found:
		return taskError("There is no task with this taskId, or it has expired.")
	}
	return taskResult(mcp.ResultTypeComplete, e.identity(), task)
}

// flatten gives a response that carries a task the shape of one: the members of
// the task stand beside resultType and _meta. No other client than one that
// takes tasks may be given any.
func flatten(resp mcp.JSONRPCMessage, c *call) mcp.JSONRPCMessage {
	r, _ := resp.(mcp.JSONRPCResponse)
	result, ok := r.Result.(*mcp.CallToolResult)
	switch {
	case !ok || result.ResultType != resultTypeTask:
		return resp
	case !declaresTasks(c.caps):
		return undeclared()
	}
	return taskResult(resultTypeTask, result.Meta, result.RawStructuredContent)
}

// taskResult is the response whose result has the members of task, a JSON
// object or nil.
func taskResult(kind mcp.ResultType, meta *mcp.Meta, task json.RawMessage) mcp.JSONRPCMessage {
	result, err := json.Marshal(mcp.Result{Meta: meta, ResultType: kind})
	if err != nil {
		return internalFailure()
	}
	if len(task) > len("{}") {
		result = append(append(result[:len(result)-1], ','), task[1:]...)
	}
	return mcp.JSONRPCResponse{Result: json.RawMessage(result)}
}

func taskError(text string) mcp.JSONRPCMessage {
	return mcp.NewJSONRPCError(mcp.RequestId{}, mcp.INVALID_PARAMS, text, nil)
}

// undeclared is the answer to a client that has to declare the extension.
func undeclared() mcp.JSONRPCMessage {
	return mcp.NewJSONRPCError(mcp.RequestId{}, mcp.MISSING_REQUIRED_CLIENT_CAPABILITY,
		"The request needs the extension "+tasksExtension+": the client must declare it in the capabilities that it sends with the request.",
		map[string]any{"requiredCapabilities": map[string]any{"extensions": map[string]any{tasksExtension: struct{}{}}}})
}

// identify returns the _meta that mcp-go gives every result: who the server is.
func (e *engine) identify() *mcp.Meta {
	resp := e.srv.HandleMessage(context.Background(), json.RawMessage(`{"jsonrpc":"2.0","id":0,"method":"server/discover",`+
		`"params":{"_meta":{"`+mcp.MetaKeyProtocolVersion+`":"`+mcp.LATEST_PROTOCOL_VERSION+`","`+mcp.MetaKeyClientCapabilities+`":{}}}}`))
	if r, ok := resp.(mcp.JSONRPCResponse); ok {
		if result, ok := r.Result.(mcp.DiscoverResult); ok {
			return result.Meta
		}
	}
	return nil
}

// checkTaskName compares the Mcp-Name of a request about a task with the ID in
// its body. An ID that is none is for handleTask to refuse.
func checkTaskName(header http.Header, m message) *rpcError {
	var params taskParams
	if !isTaskMethod(m.method) || json.Unmarshal(m.params, &params) != nil || params.TaskID == "" {
		return nil
	}
	mismatch := mcp.HeaderMismatchError{Header: mcp.HeaderName}
	name, ok := mcp.DecodeHeaderValue(header.Get(mcp.HeaderName))
	switch {
	case header.Get(mcp.HeaderName) == "":
		mismatch.Reason = fmt.Sprintf("missing required header for method %q", m.method)
	case !ok:
		mismatch.Reason = "invalid Base64 encoding"
	case name != params.TaskID:
		mismatch.Reason = fmt.Sprintf("header value %.150q does not match body value %.150q", name, params.TaskID)
	default:
		return nil
	}
	return &rpcError{mcp.HEADER_MISMATCH, mismatch.Error()}
}
