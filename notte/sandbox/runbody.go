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

// readStart reads the start of a run of f, or returns why it is refused. If runID is
// not empty the body must name that run.
func readStart(r *http.Request, f *function, runID string) (in startBody, refused http.HandlerFunc) {
	key := r.Header.Get("X-Notte-Api-Key")
	if key != "" && key != bearer(r) {
		return in, answer(http.StatusForbidden, detail("x-notte-api-key is not the key of the Authorization header"))
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
		in.vars = variableTexts(member[map[string]any](body, "variables", &problems))
		in.stream = member[bool](body, "stream", &problems)
	}
	if problems != nil {
		return in, invalid(problems)
	}
	return in, nil
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

// member returns a member of body, and adds to problems if it is of another type. It
// may be missing or null.
func member[T bool | []any | map[string]any](body map[string]any, name string, problems *[]problem) T {
	v, ok := body[name].(T)
	if !ok && body[name] != nil {
		switch any(v).(type) {
		case bool:
			*problems = append(*problems, notBool(name))
		case []any:
			*problems = append(*problems, problem{"list_type", []any{"body", name}, "Input should be a valid list"})
		default:
			*problems = append(*problems, notDict("body", name))
		}
	}
	return v
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
