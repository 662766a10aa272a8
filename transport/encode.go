package transport

import (
	"encoding/json"

	"github.com/mark3labs/mcp-go/mcp"

	"github.com/anything-mcp/anything-mcp/progress"
	"github.com/anything-mcp/anything-mcp/text"
)

// codeServer is the JSON-RPC code of the server's own refusals: it is busy, it
// is stopping, the session is unknown.
const codeServer = -32000

// internalError is the error of a handler that failed. The cause is in the log
// only.
var internalError = &rpcError{mcp.INTERNAL_ERROR, "The server failed on this request. Its log says why."}

// response is a JSON-RPC response. ID is the client's own text, because mcp-go
// reads numbers into float64 and loses digits.
type response struct {
	JSONRPC string                   `json:"jsonrpc"`
	ID      json.RawMessage          `json:"id"` // nil becomes null
	Result  any                      `json:"result,omitempty"`
	Error   *mcp.JSONRPCErrorDetails `json:"error,omitempty"`
}

// Every encoder returns one line of JSON with its line feed, so that a message
// is one Write on stdio and one data field in an event stream.

// encodeResponse encodes a response of mcp-go under the ID that the client
// wrote. It also returns the JSON-RPC error code, 0 for a result.
func encodeResponse(id json.RawMessage, resp mcp.JSONRPCMessage) (line []byte, code int) {
	out := response{JSONRPC: mcp.JSONRPC_VERSION, ID: id}
	switch r := resp.(type) {
	case mcp.JSONRPCResponse:
		out.Result = r.Result
	case mcp.JSONRPCError:
		out.Error, code = &r.Error, r.Error.Code
	default:
		return encodeError(id, internalError)
	}
	line, err := text.JSON(out)
	if err != nil {
		return encodeError(id, internalError)
	}
	return append(line, '\n'), code
}

// encodeError encodes an error response and returns its code.
func encodeError(id json.RawMessage, e *rpcError) (line []byte, code int) {
	details := mcp.NewJSONRPCErrorDetails(e.code, e.text, nil)
	line, _ = text.JSON(response{JSONRPC: mcp.JSONRPC_VERSION, ID: id, Error: &details})
	return append(line, '\n'), e.code
}

// encodeNotice encodes the notice that a list has changed. subscription is the ID of
// the subscriptions/listen that asked for it, nil for a client before 2026-07-28.
func encodeNotice(method string, subscription json.RawMessage) []byte {
	if subscription == nil {
		return encodeNotification(method, nil)
	}
	meta := map[string]json.RawMessage{mcp.MetaKeySubscriptionID: subscription}
	return encodeNotification(method, map[string]any{"_meta": meta})
}

// encodeProgress encodes a progress notification to the client's token.
func encodeProgress(token json.RawMessage, u progress.Update) []byte {
	type params struct {
		Token    json.RawMessage `json:"progressToken"`
		Progress float64         `json:"progress"`
		Total    float64         `json:"total,omitzero"`
		Message  string          `json:"message"`
	}
	return encodeNotification("notifications/progress", params{token, u.Done, u.Total, u.Message})
}

// encodeNotification encodes a notification. Its params always marshal: they are
// strings, numbers and what was read as JSON. nil leaves them out.
func encodeNotification(method string, params any) []byte {
	line, _ := text.JSON(struct {
		JSONRPC string `json:"jsonrpc"`
		Method  string `json:"method"`
		Params  any    `json:"params,omitempty"`
	}{mcp.JSONRPC_VERSION, method, params})
	return append(line, '\n')
}
