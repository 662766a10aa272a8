package sandbox

import (
	"encoding/json"
	"io"
	"mime"
	"net/http"
	"strings"
)

// startBuild answers POST /api/anything/start.
func (s *Server) startBuild(w http.ResponseWriter, r *http.Request) {
	if !s.authorized(r) {
		writeJSON(w, http.StatusUnauthorized, anythingError(unauthorized))
		return
	}
	query, problem := buildQuery(r)
	if problem != "" {
		writeJSON(w, http.StatusBadRequest, anythingError(problem))
		return
	}
	play(w, r, s.scripts.build(query), func(st *Stream) error {
		if strings.Contains(query, "[sandbox:unavailable]") && !st.begun {
			st.begun = true
			writeJSON(w, http.StatusBadGateway, anythingError("Agent failed to start"))
			return nil
		}
		return s.runDemo(st, r, query)
	})
}

// buildQuery returns the query of r, or a text that says what is wrong with r.
func buildQuery(r *http.Request) (query, problem string) {
	if !isJSON(r) {
		return "", "Content-Type must be application/json"
	}
	data, err := io.ReadAll(r.Body)
	if err != nil {
		return "", "Unreadable body"
	}
	// A map, because the field names of a struct match in any case.
	var body map[string]any
	if err := json.Unmarshal(data, &body); err != nil {
		return "", "Invalid JSON body"
	}
	query, ok := body["query"].(string)
	if !ok || strings.TrimSpace(query) == "" {
		return "", "Missing query field"
	}
	return query, ""
}

func isJSON(r *http.Request) bool {
	mediaType, _, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	return err == nil && mediaType == "application/json"
}
