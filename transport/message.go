package transport

import (
	"bytes"
	"encoding/json"

	"github.com/mark3labs/mcp-go/mcp"
)

// message holds the parts of a JSON-RPC message that this package reads. mcp-go
// reads the rest.
type message struct {
	id       json.RawMessage // as the client wrote it: a string or a number; nil for a notification
	method   string          // empty for a response
	params   json.RawMessage // nil when absent
	token    json.RawMessage // the progress token as the client wrote it: a string or an integer; nil when absent
	version  string          // the protocol version in _meta, where it is since 2026-07-28
	caps     json.RawMessage // the client's capabilities in _meta, where they are since 2026-07-28; not decoded
	response bool            // the message is a response; this server sends no requests
}

// mayBlock reports whether m is a request that a handler may take minutes to
// answer. mcp-go answers every other request at once.
func (m *message) mayBlock() bool {
	return m.id != nil && (m.method == string(mcp.MethodToolsCall) ||
		m.method == string(mcp.MethodSubscriptionsListen) || isTaskMethod(m.method))
}

// isInitialize reports whether m is the request that begins a legacy session.
func (m *message) isInitialize() bool {
	return m.id != nil && m.method == string(mcp.MethodInitialize)
}

// isCancellation reports whether m asks to cancel a request.
func (m *message) isCancellation() bool { return m.method == string(mcp.MethodNotificationCancelled) }

// rpcError is a JSON-RPC error on its way to the client.
type rpcError struct {
	code int
	text string
}

// parseMessage parses one JSON-RPC message. If it returns an error, the message has
// the ID for the response, or none if raw has no valid ID.
func parseMessage(raw []byte) (message, *rpcError) {
	var env struct {
		JSONRPC json.RawMessage `json:"jsonrpc"`
		ID      json.RawMessage `json:"id"`
		Method  json.RawMessage `json:"method"`
		Params  json.RawMessage `json:"params"`
		Result  json.RawMessage `json:"result"`
		Error   json.RawMessage `json:"error"`
	}
	if err := json.Unmarshal(raw, &env); err != nil {
		return message{}, malformed(raw)
	}
	m := message{params: env.Params}
	if isString(env.ID) || isNumber(env.ID) {
		m.id = env.ID
	}
	switch {
	case string(env.JSONRPC) != `"2.0"`:
		return m, &rpcError{mcp.INVALID_REQUEST, `The message is not JSON-RPC 2.0: it needs "jsonrpc": "2.0".`}
	case env.Method == nil && (env.Result != nil || env.Error != nil):
		m.response = true
		return m, nil
	case env.ID != nil && m.id == nil:
		return m, &rpcError{mcp.INVALID_REQUEST, "The id of a request must be a string or a number."}
	}
	if json.Unmarshal(env.Method, &m.method) != nil || m.method == "" {
		return m, &rpcError{mcp.INVALID_REQUEST, "The message has no method: give its name as a string."}
	}
	if m.params != nil && m.readMeta() != nil && m.id != nil {
		return m, &rpcError{mcp.INVALID_PARAMS, "The params of the request, and their _meta, must be objects."}
	}
	return m, nil
}

// readMeta reads the progress token, the protocol version and the capabilities
// from params._meta. A token or a version of a wrong type counts as absent.
// readMeta returns an error if params or _meta is no object.
func (m *message) readMeta() error {
	var params struct {
		Meta struct {
			Token   json.RawMessage `json:"progressToken"`
			Version json.RawMessage `json:"io.modelcontextprotocol/protocolVersion"`
			Caps    json.RawMessage `json:"io.modelcontextprotocol/clientCapabilities"`
		} `json:"_meta"`
	}
	if err := json.Unmarshal(m.params, &params); err != nil {
		return err
	}
	if token := params.Meta.Token; isString(token) || isInteger(token) {
		m.token = token
	}
	m.caps = params.Meta.Caps
	if isString(params.Meta.Version) {
		return json.Unmarshal(params.Meta.Version, &m.version)
	}
	return nil
}

// malformed returns why raw is not one JSON object.
func malformed(raw []byte) *rpcError {
	switch {
	case !json.Valid(raw):
		return &rpcError{mcp.PARSE_ERROR, "The message is not valid JSON."}
	case bytes.HasPrefix(bytes.TrimLeft(raw, " \t\r\n"), []byte("[")):
		return &rpcError{mcp.INVALID_REQUEST, "JSON-RPC batches are not supported: send each message on its own."}
	default:
		return &rpcError{mcp.INVALID_REQUEST, "The message is not a JSON object."}
	}
}

// idKey returns a key that is the same only for the same request ID: 7 and "7"
// differ, and long integers keep all their digits.
func idKey(id json.RawMessage) string {
	var s string
	if isString(id) && json.Unmarshal(id, &s) == nil {
		return `"` + s
	}
	return string(id)
}

// isString reports whether raw, a JSON value, is a string.
func isString(raw json.RawMessage) bool { return len(raw) > 0 && raw[0] == '"' }

// isNumber reports whether raw, a JSON value, is a number.
func isNumber(raw json.RawMessage) bool {
	return len(raw) > 0 && (raw[0] == '-' || '0' <= raw[0] && raw[0] <= '9')
}

// isInteger reports whether raw, a JSON value, is a number without fraction or
// exponent.
func isInteger(raw json.RawMessage) bool {
	return isNumber(raw) && !bytes.ContainsAny(raw, ".eE")
}
