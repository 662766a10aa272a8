package sandbox

import (
	"encoding/json"
	"io"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"
)

// upload is the form with which a client uploads the source of a function.
type upload struct {
	name, description string
	shared            bool
	responseFormat    any
	variables         []Variable // of run in the source
}

// readUpload reads the multipart form of r.
func readUpload(r *http.Request) (u upload, problems []problem) {
	file, header, err := r.FormFile("file") // bodies are at most 1 MiB
	if err != nil {
		return u, []problem{missing("body", "file")}
	}
	defer file.Close()
	source, err := io.ReadAll(file)
	if err != nil {
		return u, []problem{missing("body", "file")}
	}
	u.variables = runVariables(string(source))
	u.name = r.FormValue("name")
	if u.name == "" {
		u.name = strings.TrimSuffix(header.Filename, ".py")
	}
	u.description = r.FormValue("description")
	if text := r.FormValue("shared"); text != "" {
		if u.shared, err = strconv.ParseBool(text); err != nil {
			problems = append(problems, notBool("shared"))
		}
	}
	if text := r.FormValue("response_format"); text != "" {
		if err := json.Unmarshal([]byte(text), &u.responseFormat); err != nil {
			problems = append(problems, problem{"json_invalid", []any{"body", "response_format"}, "Invalid JSON"})
		}
	}
	return u, problems
}

func (s *Server) createFunction(r *http.Request) http.HandlerFunc {
	u, problems := readUpload(r)
	if problems != nil {
		return invalid(problems)
	}
	f := s.addFunction(newFunction(Function{
		Name: u.name, Description: u.description, Variables: u.variables, ResponseFormat: u.responseFormat,
		Shared: u.shared, Source: requestSource(r),
	}))
	return answer(http.StatusOK, f.view())
}

// updateFunction answers POST /functions/{id}. The uploaded source is a new
// version, or replaces the version that the query names.
func (s *Server) updateFunction(r *http.Request, f *function) http.HandlerFunc {
	u, problems := readUpload(r)
	if problems != nil {
		return invalid(problems)
	}
	version := r.URL.Query().Get("version")
	if version != "" && !slices.Contains(f.Versions, version) {
		return notFound("Function version not found")
	}
	changed := s.changeFunction(f.ID, func(old function) *function {
		next := &old
		if version == "" {
			next = old.nextVersion(time.Now())
		}
		next.Updated, next.Variables, next.Run, next.Broken = time.Now(), u.variables, nil, false
		if u.responseFormat != nil {
			next.ResponseFormat = u.responseFormat
		}
		return next
	})
	if changed == nil {
		return notFound("Function not found")
	}
	return answer(http.StatusOK, changed.view())
}

// requestSource returns the source of a function that r uploads.
func requestSource(r *http.Request) string {
	switch origin := r.Header.Get("X-Notte-Request-Origin"); origin {
	case "cli", "console", "node-sdk", "python-sdk":
		return origin
	}
	return "rest-api"
}
