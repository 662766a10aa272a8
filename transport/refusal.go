package transport

import (
	"encoding/json"
	"net/http"
)

// refusal is an error response to an HTTP request. It is a JSON-RPC error even if
// the request never became a call, so that every client can show its text.
type refusal struct {
	status int
	id     json.RawMessage // nil if there is none
	err    *rpcError
}

func refused(status int, text string) *refusal {
	return &refusal{status, nil, &rpcError{codeServer, text}}
}

func (b *refusal) write(w http.ResponseWriter) {
	line, _ := encodeError(b.id, b.err)
	writeJSON(w, b.status, line)
}

func writeJSON(w http.ResponseWriter, status int, document []byte) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_, _ = w.Write(document) // an error means that the client is gone
}
