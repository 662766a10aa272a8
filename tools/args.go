package tools

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/anything-mcp/anything-mcp/text"
)

// argError is a mistake in the arguments of a call. The call has started nothing.
type argError struct {
	name string // of the argument; empty if why is the whole text
	why  string
	must string // what the argument must be; [inputSchema.complete] adds it
}

func (e *argError) Error() string {
	if e.name == "" {
		return e.why
	}
	return e.name + " must be " + e.must + ": " + e.why
}

// maxQuoted is the longest argument that an error quotes, in characters.
const maxQuoted = 140

// bind validates the arguments of a call against the tool's schema, and decodes
// them into an In.
func bind[In any](t *tool, raw json.RawMessage) (in In, err error) {
	arguments, err := t.input().check(t.name, raw)
	if err != nil {
		return in, err
	}
	encoded, err := text.JSON(arguments)
	if err == nil {
		err = json.Unmarshal(encoded, &in)
	}
	if tooLarge, ok := errors.AsType[*json.UnmarshalTypeError](err); ok {
		return in, &argError{name: tooLarge.Field, why: "it is too large"}
	}
	return in, err
}

// complete adds to an [argError] what its argument must be.
func (s *inputSchema) complete(err error) {
	if bad, ok := errors.AsType[*argError](err); ok {
		bad.must = s.arguments[bad.name].must
	}
}

// check returns the arguments in raw, or an error about the first that is not
// valid. It trims texts, and leaves out arguments that are null or blank. An empty
// raw means no arguments.
func (s *inputSchema) check(tool string, raw json.RawMessage) (map[string]json.RawMessage, error) {
	names := strings.Join(s.PropertyOrder, ", ")
	var given map[string]json.RawMessage
	if len(raw) > 0 && json.Unmarshal(raw, &given) != nil {
		return nil, &argError{why: "the arguments of " + tool + " must be one JSON object with " + names}
	}
	for _, name := range slices.Sorted(maps.Keys(given)) {
		if _, known := s.arguments[name]; !known {
			return nil, &argError{why: fmt.Sprintf("%s takes no argument %.60q; it takes %s", tool, name, names)}
		}
	}
	for _, name := range s.PropertyOrder {
		arg := s.arguments[name]
		value := decodeArg(given[name])
		switch {
		case value == nil && !slices.Contains(s.Required, name):
			delete(given, name)
		case value == nil && arg.MinLength != nil:
			return nil, &argError{name: name, why: "it is missing or blank"}
		case value == nil:
			return nil, &argError{name: name, why: "it is missing"}
		case !arg.accepts(value):
			return nil, &argError{name: name, why: describeArg(arg.Type, value)}
		case arg.Type != "object":
			given[name], _ = text.JSON(value) // 10.0 becomes 10
		}
	}
	return given, nil
}

// decodeArg returns the value of an argument, or nil if it counts as missing.
func decodeArg(raw json.RawMessage) (value any) {
	if len(raw) == 0 || json.Unmarshal(raw, &value) != nil {
		return nil
	}
	if s, ok := value.(string); ok {
		if s = strings.TrimSpace(s); s == "" {
			return nil
		}
		return s
	}
	return value
}

// describeArg describes a value that is not a valid argument of type wanted.
func describeArg(wanted string, value any) string {
	switch v := value.(type) {
	case string:
		switch n := utf8.RuneCountInString(v); {
		case wanted != "string":
			return "it is a string"
		case n > maxQuoted:
			return fmt.Sprintf("it has %d characters", n)
		}
		return fmt.Sprintf("it is %q", v)
	case float64:
		if wanted != "integer" {
			return "it is a number"
		}
		return fmt.Sprint("it is ", v)
	case bool:
		return "it is a boolean"
	case []any:
		return "it is an array"
	}
	return "it is an object"
}
