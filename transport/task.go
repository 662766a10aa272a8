package transport

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/http"

	"github.com/mark3labs/mcp-go/mcp"

	"github.com/anything-mcp/anything-mcp/tasks"
)

// Methods of the extension.
const (
	methodTaskGet    = "tasks/get"
	methodTaskUpdate = "tasks/update"
	methodTaskCancel = "tasks/cancel"
)

// Tasks finds and changes the tasks that tools have answered with. It is safe
// for concurrent use, and its methods return within seconds. found is false for
// an ID that never existed, has expired or is someone else's. Errors go to the
// log only.
type Tasks interface {
	// Get returns the task's present state: the JSON object that tasks/get
	// answers with, without resultType and _meta.
	Get(ctx context.Context, id string) (task json.RawMessage, found bool, err error)

	// Update gives a task the input that it has asked for, a JSON object.
	Update(ctx context.Context, id string, responses json.RawMessage) (found bool, err error)

	// Cancel asks the task to end. It has no effect on a task that has ended.
	Cancel(ctx context.Context, id string) (found bool, err error)
}

func isTaskMethod(method string) bool {
	return method == methodTaskGet || method == methodTaskUpdate || method == methodTaskCancel
}

// taskParams holds the params of the extension's requests, and the params of
// subscriptions/listen that are about tasks.
type taskParams struct {
	Meta           *mcp.Meta       `json:"_meta"`
	TaskID         string          `json:"taskId"`
	InputResponses json.RawMessage `json:"inputResponses"`
	Notifications  struct {
		TaskIDs json.RawMessage `json:"taskIds"`
	} `json:"notifications"`
}

// declaresTasks decodes the capabilities that a client sent with a request, and
// reports whether they declare the extension.
func declaresTasks(caps json.RawMessage) bool {
	var declared *mcp.ClientCapabilities
	return json.Unmarshal(caps, &declared) == nil && tasks.Declared(declared)
}

// handleExtension answers the requests of the extension. It returns nil for all
// other requests, and for those that mcp-go refuses, because their protocol version
// is earlier or unknown or they have no capabilities.
func (d *dispatcher) handleExtension(c *call, raw []byte) mcp.JSONRPCMessage {
	listen := c.method == string(mcp.MethodSubscriptionsListen)
	if !listen && !isTaskMethod(c.method) {
		return nil
	}
	var req struct{ Params taskParams }
	err := json.Unmarshal(raw, &req) // after a wrong type it goes on and decodes the rest
	version := req.Params.Meta.ProtocolVersion()
	switch {
	case !mcp.IsModernProtocol(version), !mcp.IsValidProtocolVersion(version), req.Params.Meta.ClientCapabilities() == nil:
		return nil
	case listen && (req.Params.Notifications.TaskIDs == nil || c.declaresTasks):
		return nil // mcp-go acknowledges no subscription to tasks: clients poll
	case !c.declaresTasks:
		return undeclared()
	case err != nil || req.Params.TaskID == "":
		return taskError("The taskId must be the ID of a task, as a string.")
	case c.method == methodTaskUpdate && !bytes.HasPrefix(req.Params.InputResponses, []byte("{")):
		return taskError("The inputResponses must be an object.")
	}
	return d.handleTask(c, req.Params)
}

func (d *dispatcher) handleTask(c *call, params taskParams) mcp.JSONRPCMessage {
	var task json.RawMessage
	var found bool
	var err error
	switch c.method {
	case methodTaskGet:
		task, found, err = d.tasks.Get(c.ctx, params.TaskID)
	case methodTaskUpdate:
		found, err = d.tasks.Update(c.ctx, params.TaskID, params.InputResponses)
	case methodTaskCancel:
		found, err = d.tasks.Cancel(c.ctx, params.TaskID)
	}
	switch {
	case err != nil:
		if c.ctx.Err() == nil {
			d.log.Error("a request about a task failed", "method", c.method, "task", fmt.Sprintf("%.100s", params.TaskID), "err", err)
		}
		return internalFailure()
	case !found:
		return taskError("There is no task with this taskId, or it has expired.")
	}
	return taskResult(mcp.ResultTypeComplete, d.about().Meta, task)
}

// flattenTask moves the members of a task, if the response has one, beside resultType
// and _meta. A client that has not declared the extension gets an error instead.
func flattenTask(resp mcp.JSONRPCMessage, declared bool) mcp.JSONRPCMessage {
	r, _ := resp.(mcp.JSONRPCResponse)
	result, ok := r.Result.(*mcp.CallToolResult)
	switch {
	case !ok || result.ResultType != tasks.ResultType:
		return resp
	case !declared:
		return undeclared()
	}
	return taskResult(tasks.ResultType, result.Meta, result.RawStructuredContent)
}

// taskResult returns a response whose result has the members of task, which is
// a JSON object or nil.
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

// undeclared returns the error for a client that must declare the extension.
func undeclared() mcp.JSONRPCMessage {
	return mcp.NewJSONRPCError(mcp.RequestId{}, mcp.MISSING_REQUIRED_CLIENT_CAPABILITY,
		"The request needs the extension "+tasks.Extension+": the client must declare it in the capabilities that it sends with the request.",
		map[string]any{"requiredCapabilities": map[string]any{"extensions": map[string]any{tasks.Extension: struct{}{}}}})
}

// checkTaskName returns an error if the Mcp-Name of a request about a task is not
// the task's ID. handleExtension rejects a missing or malformed ID.
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
