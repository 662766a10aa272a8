package transport

import (
	"bytes"
	"encoding/json"
	"strconv"

	"github.com/mark3labs/mcp-go/mcp"
)

// codeServer is the JSON-RPC code of refusals that are the server's own: it is
// busy, it is stopping, the session is unknown.
const codeServer = -32000

// Every encoder here returns one line of JSON with its line feed, so that a
// message is one Write on stdio and one data field in an event stream.

// encodeResponse writes a response of mcp-go under the ID that the client
// wrote, and returns its JSON-RPC error code, 0 for a result. mcp-go reads
// numbers into float64, so the ID in resp may have lost digits. A result is
// marshalled once, straight into the line.
func encodeResponse(id json.RawMessage, resp mcp.JSONRPCMessage) ([]byte, int) {
	switch r := resp.(type) {
	case mcp.JSONRPCResponse:
		line, err := encodeMember(id, "result", r.Result)
		if err != nil {
			return encodeError(id, internalError), internalError.code
		}
		return line, 0
	case mcp.JSONRPCError:
		line, err := encodeMember(id, "error", r.Error)
		if err != nil {
			return encodeError(id, internalError), internalError.code
		}
		return line, r.Error.Code
	default:
		return encodeError(id, internalError), internalError.code
	}
}

// internalError tells a client that a handler failed, without how: that is in
// the log.
var internalError = &rpcError{mcp.INTERNAL_ERROR, "The server failed on this request. Its log says why."}

// encodeError writes an error response; a nil id becomes null.
func encodeError(id json.RawMessage, e *rpcError) []byte {
	line, _ := encodeMember(id, "error", mcp.NewJSONRPCErrorDetails(e.code, e.text, nil))
	return line
}

func encodeMember(id json.RawMessage, name string, value any) ([]byte, error) {
	if id == nil {
		id = json.RawMessage("null")
	}
	var b bytes.Buffer
	b.WriteString(`{"jsonrpc":"2.0","id":`)
	b.Write(id)
	b.WriteString(`,"` + name + `":`)
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(value); err != nil {
		return nil, err
	}
	b.Truncate(b.Len() - len("\n"))
	b.WriteString("}\n")
	return b.Bytes(), nil
}

// encodeProgress writes a progress notification to the client's token.
func encodeProgress(token json.RawMessage, n int64, message string) []byte {
	text, _ := json.Marshal(message) // a string always marshals
	b := make([]byte, 0, 128+len(token)+len(text))
	b = append(b, `{"jsonrpc":"2.0","method":"notifications/progress","params":{"progressToken":`...)
	b = append(b, token...)
	b = append(b, `,"progress":`...)
	b = strconv.AppendInt(b, n, 10)
	b = append(b, `,"message":`...)
	b = append(b, text...)
	return append(b, "}}\n"...)
}
