package transport

import (
	"bytes"
	"encoding/json"
	"strings"
	"unicode"

	"github.com/mark3labs/mcp-go/mcp"
	"github.com/tidwall/gjson"

	"github.com/anything-mcp/anything-mcp/apps"
)

// message holds the parts of a JSON-RPC message that this package reads, and the
// message that mcp-go reads in its place.
type message struct {
	id       json.RawMessage // as the client wrote it: a string or a number; nil for a notification
	method   string          // empty for a response
	token    json.RawMessage // the progress token as the client wrote it: a string or an integer; nil when absent
	version  string          // the protocol version in _meta, where it is since 2026-07-28
	caps     json.RawMessage // the client's capabilities in _meta, where they are since 2026-07-28; not decoded
	pages    bool            // an initialize whose client declares MCP Apps
	response bool            // the message is a response; this server sends no requests

	// exact is the same message with no members but those that this server reads.
	// encoding/json, and so mcp-go, would take "Method" for "method", and the last
	// of two equal names. params is the part of exact with its params; both are nil
	// for a response.
	exact, params json.RawMessage
}

// mayBlock reports whether m is a request whose answer may take a moment, or minutes,
// because a handler or a toolbox makes it. mcp-go answers every other request at once.
func (m *message) mayBlock() bool {
	if m.id == nil {
		return false
	}
	switch mcp.MCPMethod(m.method) {
	case mcp.MethodToolsCall, mcp.MethodSubscriptionsListen, mcp.MethodToolsList,
		mcp.MethodResourcesList, mcp.MethodResourcesRead, mcp.MethodPromptsGet:
		return true
	}
	return isTaskMethod(m.method)
}

// isInitialize reports whether m is the request that begins a legacy session.
func (m *message) isInitialize() bool {
	return m.id != nil && m.method == string(mcp.MethodInitialize)
}

// isInitialized reports whether m says that a legacy client is ready for notices.
func (m *message) isInitialized() bool {
	return m.id == nil && m.method == "notifications/initialized"
}

// isCancellation reports whether m asks to cancel a request.
func (m *message) isCancellation() bool {
	return m.id == nil && m.method == string(mcp.MethodNotificationCancelled)
}

// rpcError is a JSON-RPC error on its way to the client.
type rpcError struct {
	code int
	text string
}

// errNotUTF8 refuses a message in UTF-16 or UTF-32.
var errNotUTF8 = &rpcError{mcp.PARSE_ERROR, "The message is not in UTF-8: MCP is sent as JSON in UTF-8."}

// trimMessage removes what may surround a message: white space, and the byte order
// mark that programs on Windows write.
func trimMessage(raw []byte) []byte {
	return bytes.TrimFunc(raw, func(r rune) bool { return unicode.IsSpace(r) || r == '\ufeff' })
}

// parseMessage parses one JSON-RPC message, which trimMessage has trimmed. Names
// match exactly. If it returns an error, the message has the ID for the response, or
// none if raw has no valid ID.
func parseMessage(raw []byte) (message, *rpcError) {
	if !json.Valid(raw) || raw[0] != '{' {
		return message{}, malformed(raw)
	}
	envelope := make(map[string]gjson.Result, 8)
	twice := eachMember(gjson.Parse(string(raw)), func(name, value gjson.Result) *rpcError {
		envelope[name.Str] = value
		return nil
	})
	var m message
	id, method := envelope["id"].Raw, envelope["method"].Raw
	if isString(id) || isNumber(id) {
		m.id = json.RawMessage(id)
	}
	switch {
	case twice != nil:
		return m, twice
	case envelope["jsonrpc"].Raw != `"2.0"`:
		return m, &rpcError{mcp.INVALID_REQUEST, `The message is not JSON-RPC 2.0: it needs "jsonrpc": "2.0".`}
	case method == "" && (envelope["result"].Exists() || envelope["error"].Exists()):
		m.response = true
		return m, nil
	case id != "" && m.id == nil:
		return m, &rpcError{mcp.INVALID_REQUEST, "The id of a request must be a string or a number."}
	}
	if json.Unmarshal([]byte(method), &m.method) != nil || m.method == "" {
		return m, &rpcError{mcp.INVALID_REQUEST, "The message has no method: give its name as a string."}
	}
	return m, m.setExact(method, envelope["params"])
}

// setExact sets the exact message, and what is read of its _meta. method is the method
// as JSON. A notification with params that are not valid gets none, because no error
// can answer it.
func (m *message) setExact(method string, params gjson.Result) *rpcError {
	exact := make([]byte, 0, len(`{"jsonrpc":"2.0","id":,"method":,"params":}`)+len(m.id)+len(method)+len(params.Raw))
	exact = append(exact, `{"jsonrpc":"2.0",`...)
	if m.id != nil {
		exact = append(append(append(exact, `"id":`...), m.id...), ',')
	}
	exact = append(append(append(exact, `"method":`...), method...), `,"params":`...)
	start := len(exact)
	exact, bad := shapeOf(m.method).append(exact, params)
	if bad != nil {
		if m.id != nil {
			return bad
		}
		exact = append(exact[:start], "{}"...)
	}
	m.exact = append(exact, '}')
	m.params = m.exact[start : len(m.exact)-1]
	m.readMeta()
	m.pages = m.isInitialize() && declaresApps(params.Get("capabilities.extensions").Raw)
	return nil
}

// declaresApps reports whether the extensions in a client's capabilities declare MCP
// Apps.
func declaresApps(extensions string) bool {
	var caps mcp.ClientCapabilities
	return json.Unmarshal([]byte(extensions), &caps.Extensions) == nil && apps.Declared(&caps)
}

// readMeta reads the progress token, the protocol version and the capabilities from
// params._meta. A token or a version of a wrong type counts as absent.
func (m *message) readMeta() {
	var meta struct {
		Token   json.RawMessage `json:"progressToken"`
		Version json.RawMessage `json:"io.modelcontextprotocol/protocolVersion"`
		Caps    json.RawMessage `json:"io.modelcontextprotocol/clientCapabilities"`
	}
	if json.Unmarshal([]byte(gjson.GetBytes(m.params, "_meta").Raw), &meta) != nil {
		return // there is none
	}
	if token := string(meta.Token); isString(token) || isInteger(token) {
		m.token = meta.Token
	}
	if isString(string(meta.Version)) {
		_ = json.Unmarshal(meta.Version, &m.version) // a JSON string always decodes
	}
	m.caps = meta.Caps
}

// malformed returns why raw is not one JSON object.
func malformed(raw []byte) *rpcError {
	switch {
	case isWide(raw):
		return errNotUTF8
	case !json.Valid(raw):
		return &rpcError{mcp.PARSE_ERROR, "The message is not valid JSON."}
	case raw[0] == '[':
		return &rpcError{mcp.INVALID_REQUEST, "JSON-RPC batches are not supported: send each message on its own."}
	default:
		return &rpcError{mcp.INVALID_REQUEST, "The message is not a JSON object."}
	}
}

// isWide reports whether raw looks like an object in UTF-16 or UTF-32: it begins with
// their byte order mark, or there is a NUL beside its brace.
func isWide(raw []byte) bool {
	brace := bytes.TrimLeft(raw, "\x00 \t\r\n")
	before := raw[:len(raw)-len(brace)]
	return bytes.HasPrefix(raw, []byte("\xff\xfe")) || bytes.HasPrefix(raw, []byte("\xfe\xff")) ||
		bytes.HasPrefix(brace, []byte("{\x00")) ||
		bytes.HasPrefix(brace, []byte("{")) && bytes.IndexByte(before, 0) >= 0
}

// idKey returns a key that is the same only for the same request ID: 7 and "7"
// differ, and long integers keep all their digits.
func idKey(id json.RawMessage) string {
	var s string
	if isString(string(id)) && json.Unmarshal(id, &s) == nil {
		return `"` + s
	}
	return string(id)
}

// isString reports whether raw, a JSON value, is a string.
func isString(raw string) bool { return raw != "" && raw[0] == '"' }

// isNumber reports whether raw, a JSON value, is a number.
func isNumber(raw string) bool { return raw != "" && (raw[0] == '-' || '0' <= raw[0] && raw[0] <= '9') }

// isInteger reports whether raw, a JSON value, is a number without fraction or
// exponent.
func isInteger(raw string) bool { return isNumber(raw) && !strings.ContainsAny(raw, ".eE") }
