package pages

import (
	"encoding/json"
	"io"
	"mime"
	"net/http"
	"time"

	"github.com/anything-mcp/anything-mcp/ui"
)

const (
	// maxCall bounds the body of a call, in bytes. The variables of a run may have
	// 256 KiB, which JSON may write six times as long.
	maxCall = 2 << 20
	// bodyWait is how long a body may take to arrive.
	bodyWait = 30 * time.Second
)

// call answers POST /api/call: it calls one of the tools of the build monitor. See
// package ui for the messages.
func (p *pages) call(w http.ResponseWriter, r *http.Request) {
	switch {
	case !isOwnRequest(r):
		refuse(w, http.StatusForbidden, "The request did not come from a page of this server, so nothing was done.")
		return
	case !p.access.allows(r):
		refuse(w, http.StatusUnauthorized, "Nothing was done: sign in first.")
		return
	}
	if media, _, err := mime.ParseMediaType(r.Header.Get("Content-Type")); err != nil || media != "application/json" {
		refuse(w, http.StatusUnsupportedMediaType, "Nothing was done: send the call as JSON, with Content-Type: application/json.")
		return
	}
	var message struct {
		Name      string          `json:"name"`
		Arguments json.RawMessage `json:"arguments"`
	}
	body, err := readBody(w, r)
	if err == nil {
		err = json.Unmarshal(body, &message)
	}
	if err != nil {
		refuse(w, http.StatusBadRequest, "Nothing was done: the call is not a JSON object, is too large, or did not arrive.")
		return
	}
	if !ui.Calls(message.Name) {
		refuse(w, http.StatusNotFound, "Nothing was done: pages have no tool of that name.")
		return
	}
	result, found := p.Call(r.Context(), message.Name, message.Arguments)
	raw, err := json.Marshal(result)
	if !found || err != nil {
		refuse(w, http.StatusInternalServerError, "The server failed on this call.")
		return
	}
	writeJSON(w, http.StatusOK, raw)
}

func refuse(w http.ResponseWriter, status int, why string) {
	raw, _ := json.Marshal(map[string]string{"error": why})
	writeJSON(w, status, raw)
}

func writeJSON(w http.ResponseWriter, status int, document []byte) {
	setHeaders(w.Header())
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_, _ = w.Write(document) // an error means that the browser is gone
}

func readBody(w http.ResponseWriter, r *http.Request) ([]byte, error) {
	defer readWithin(w)()
	return io.ReadAll(http.MaxBytesReader(w, r.Body, maxCall))
}

// readWithin bounds how long reading the body takes, until done is called. An error
// means that the connection has no deadlines, as in tests.
func readWithin(w http.ResponseWriter) (done func()) {
	rc := http.NewResponseController(w)
	_ = rc.SetReadDeadline(time.Now().Add(bodyWait))
	return func() { _ = rc.SetReadDeadline(time.Time{}) }
}
