package transport

import (
	"bytes"
	"encoding/json"

	"github.com/mark3labs/mcp-go/mcp"
)

// message is what this package reads of a JSON-RPC message itself. The rest is
// mcp-go's business.
type message struct {
	id       json.RawMessage // as the client wrote it: a string or a number; nil for a notification
	method   string          // empty for a response
	params   json.RawMessage // nil when absent
	token    json.RawMessage // the progress token as the client wrote it: a string or an integer; nil for none
	version  string          // the protocol version in _meta: given since 2026-07-28, empty before
	caps     json.RawMessage // the client's capabilities in _meta, unread: given since 2026-07-28
	response bool            // the answer to a request of ours
}

// rpcError is a JSON-RPC error on its way to the client.
type rpcError struct {
	code int
	text string
}

// parseMessage reads one JSON-RPC message. When it returns an error, the
// message carries the ID to answer it with, if there was a usable one.
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

// readMeta takes the progress token, the protocol version and the capabilities
// from params._meta. Either of the first two counts as absent when its type is
// wrong; mcp-go judges the rest. The error is about the types of params and
// _meta.
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

// malformed says why raw could not be read as one JSON object.
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

// idKey returns what tells one request ID from another: 7 is not "7", and
// integers of any size keep all their digits.
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
