package functions

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/tidwall/gjson"

	"github.com/anything-mcp/anything-mcp/text"
)

// VariablesError says why variables do not fit a function. Nothing has started.
type VariablesError struct {
	Function Function
	Problems []string // each to follow "the function" or the name of a variable
}

func (e *VariablesError) Error() string {
	return fmt.Sprintf("The variables do not fit the function %q, which %s: %s", e.Function.Name, e.takes(), strings.Join(e.Problems, "; "))
}

// takes says what the function takes, to follow "which".
func (e *VariablesError) takes() string {
	if signature := e.Function.Signature(); signature != "" {
		return "takes " + signature
	}
	return "takes no variables"
}

// maxProblems bounds how many mistakes an error names.
const maxProblems = 5

// Check returns a [*VariablesError] if a run of the function with these variables, a
// JSON object or nil, would fail for their names or types. Values may be texts, as
// Notte passes them on.
func (f Function) Check(variables json.RawMessage) error { return f.check(variables, true) }

// check is Check. Unless whole is true, variables may be missing.
func (f Function) check(variables json.RawMessage, whole bool) error {
	if f.Unclear {
		return nil
	}
	given := make(map[string]gjson.Result)
	gjson.ParseBytes(variables).ForEach(func(name, value gjson.Result) bool {
		given[name.Str] = value
		return true
	})
	var problems []string
	for _, v := range f.Variables {
		value, ok := given[v.Name]
		delete(given, v.Name)
		switch {
		case !ok && v.Required && whole:
			problems = append(problems, v.Name+" is missing")
		case ok:
			if wrong := v.wrong(value); wrong != "" {
				problems = append(problems, v.Name+" must be "+v.wanted()+" and is "+wrong)
			}
		}
	}
	for _, name := range slices.Sorted(maps.Keys(given)) {
		problems = append(problems, fmt.Sprintf("there is no variable %q", text.OneLine(name, maxVariableName)))
	}
	if problems == nil {
		return nil
	}
	return &VariablesError{f, problems[:min(len(problems), maxProblems)]}
}

// wanted says what a value must be, to follow "must be".
func (v Variable) wanted() string {
	if v.Choices != nil {
		return "one of " + strings.Join(v.Choices, ", ")
	}
	return map[Type]string{
		String: "a text", Integer: "a whole number", Number: "a number", Boolean: "true or false",
		Array: "a list", Object: "an object",
	}[v.Type]
}

// wrong returns what a value is if the variable does not take it, or "". Text counts
// for every type that it can be read as, and null stands for the default.
func (v Variable) wrong(value gjson.Result) string {
	if value.Type == gjson.Null && !v.Required || v.Type == Any {
		return ""
	}
	word := strings.TrimSpace(value.String())
	_, errFloat := strconv.ParseFloat(word, 64)
	var fits bool
	switch isText := value.Type == gjson.String; {
	case value.Type == gjson.Null:
	case v.Choices != nil:
		fits = slices.Contains(v.Choices, word)
	case v.Type == String:
		fits = value.Type != gjson.JSON
	case v.Type == Integer:
		fits = isInteger(word) && (isText || value.Type == gjson.Number)
	case v.Type == Number:
		fits = errFloat == nil && (isText || value.Type == gjson.Number)
	case v.Type == Boolean:
		fits = value.IsBool() || slices.Contains([]string{"true", "false", "1", "0"}, strings.ToLower(word))
	case v.Type == Array:
		fits = value.IsArray() || isText
	case v.Type == Object:
		fits = value.IsObject() || isText
	}
	if fits {
		return ""
	}
	return kindOf(value)
}

// isInteger reports whether a word is a whole number, also one like 3.0.
func isInteger(word string) bool {
	head, zeros, _ := strings.Cut(word, ".")
	digits := strings.TrimLeft(strings.TrimLeft(head, "+-"), "0123456789") == "" && strings.Trim(head, "+-") != ""
	return digits && strings.Trim(zeros, "0") == ""
}

// kindOf says what a value is. It does not repeat long ones.
func kindOf(value gjson.Result) string {
	switch {
	case value.IsArray():
		return "a list"
	case value.IsObject():
		return "an object"
	case value.Type == gjson.String:
		return strconv.Quote(text.OneLine(value.Str, maxChoice))
	}
	return text.OneLine(value.Raw, maxChoice)
}
