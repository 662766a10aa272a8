package sandbox

import (
	"encoding/json"
	"io"
	"net/http"
)

// startBody is the checked body of a run's start.
type startBody struct {
	vars   map[string]string
	stream bool
}

// readStart reads and checks the start of a run of f. If runID is not empty the
// body must name that run. If readStart returns false it has answered the
// request.
func (s *Server) readStart(w http.ResponseWriter, r *http.Request, f *function, runID string) (in startBody, ok bool) {
	key := r.Header.Get("X-Notte-Api-Key")
	if key != "" && key != bearer(r) {
		writeJSON(w, http.StatusForbidden, detail("x-notte-api-key is not the key of the Authorization header"))
		return in, false
	}
	body, problems := readBody(r)
	if key == "" {
		problems = append(problems, missing("header", "x-notte-api-key"))
	}
	if body != nil {
		problems = append(problems, wantID(body, "function_id", "workflow_id", f.ID)...)
		if runID != "" {
			problems = append(problems, wantID(body, "function_run_id", "workflow_run_id", runID)...)
		}
		var more []problem
		in, more = readInputs(body)
		problems = append(problems, more...)
	}
	if len(problems) > 0 {
		writeProblems(w, problems...)
		return in, false
	}
	return in, true
}

// readBody reads a JSON object.
func readBody(r *http.Request) (map[string]any, []problem) {
	var v any
	dec := json.NewDecoder(r.Body)
	dec.UseNumber() // keeps the digits of a variable as they were sent
	err := dec.Decode(&v)
	if _, more := dec.Token(); err != nil || more != io.EOF {
		return nil, []problem{{"json_invalid", []any{"body", 0}, "JSON decode error"}}
	}
	body, ok := v.(map[string]any)
	if !ok || !isJSON(r) {
		return nil, []problem{notDict("body")}
	}
	return body, nil
}

// wantID checks that body has the ID of the path, as name, as alias, or as both.
func wantID(body map[string]any, name, alias, want string) []problem {
	var problems []problem
	found := false
	for _, key := range []string{name, alias} {
		v, ok := body[key]
		found = found || ok
		if ok && v != want {
			problems = append(problems, problem{"value_error", []any{"body", key}, "Value error, differs from the path"})
		}
	}
	if !found {
		problems = append(problems, missing("body", name))
	}
	return problems
}

func readInputs(body map[string]any) (in startBody, problems []problem) {
	switch vars := body["variables"].(type) {
	case nil: // none, or null
		in.vars = map[string]string{}
	case map[string]any:
		in.vars = variableTexts(vars)
	default:
		problems = append(problems, notDict("body", "variables"))
	}
	switch stream := body["stream"].(type) {
	case nil:
	case bool:
		in.stream = stream
	default:
		problems = append(problems, notBool("stream"))
	}
	return in, problems
}

// variableTexts returns vars as a function receives them.
func variableTexts(vars map[string]any) map[string]string {
	texts := make(map[string]string, len(vars))
	for name, v := range vars {
		texts[name] = variableText(v)
	}
	return texts
}

// variableText returns the text that a function receives for the variable v.
func variableText(v any) string {
	switch v := v.(type) {
	case string:
		return v
	case json.Number:
		return v.String()
	}
	return pythonText(v)
}

func notDict(loc ...any) problem {
	return problem{Type: "dict_type", Loc: loc, Msg: "Input should be a valid dictionary"}
}

func notBool(name string) problem {
	return problem{Type: "bool_parsing", Loc: []any{"body", name}, Msg: "Input should be a valid boolean"}
}
