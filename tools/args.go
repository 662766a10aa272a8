package tools

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"unicode"

	"github.com/tidwall/gjson"

	"github.com/anything-mcp/anything-mcp/text"
)

// The arguments of a call come from models, through hosts that change them. So
// arguments that are not ours are ignored, numbers and booleans may be strings, and
// an ID may be in quotes. Names are never guessed: they must match exactly, so that
// nothing is done but what a gateway or a user has seen.

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

// maxIgnored bounds how many unknown names of a call are looked at.
const maxIgnored = 50

// bind reads the arguments of a call by the tool's schema into an In. ignored are
// the names that the tool does not take.
func bind[In any](t *tool, raw json.RawMessage) (in In, ignored []string, err error) {
	given, ignored, err := t.input().read(t.name, raw)
	if err != nil {
		return in, ignored, err
	}
	encoded, err := text.JSON(given)
	if err == nil {
		err = json.Unmarshal(encoded, &in)
	}
	return in, ignored, err
}

// complete adds to an [argError] what its argument must be.
func (s *inputSchema) complete(err error) {
	if bad, ok := errors.AsType[*argError](err); ok {
		bad.must = s.arguments[bad.name].must
	}
}

// read returns the arguments in raw by name, and the names that the tool does not
// take. The error is about the first argument that is not valid. An empty raw means
// no arguments.
func (s *inputSchema) read(tool string, raw json.RawMessage) (given map[string]any, ignored []string, err error) {
	_, members, why := readObject(gjson.ParseBytes(raw))
	if why != "" {
		return nil, nil, &argError{why: fmt.Sprintf("The arguments of %s must be one JSON object with %s: they are %s", tool, s.names(), why)}
	}
	for _, name := range slices.Sorted(maps.Keys(members)) {
		if _, known := s.arguments[name]; !known {
			ignored = append(ignored, name)
		}
	}
	ignored = ignored[:min(len(ignored), maxIgnored)]
	given = make(map[string]any)
	for _, name := range s.PropertyOrder {
		value, why := s.arguments[name].read(members[name])
		if value == nil && why == "" && s.arguments[name].required {
			why = missing(tool, ignored)
		} else if value != nil || why != "" {
			given[name] = value
		}
		if why != "" && err == nil {
			err = &argError{name: name, why: why}
		}
	}
	return given, ignored, cmp.Or(s.misspelt(tool, ignored, given), err)
}

// misspelt returns an error if one of the ignored names is likely to be meant for an
// argument that is not given.
func (s *inputSchema) misspelt(tool string, ignored []string, given map[string]any) error {
	for _, wrong := range ignored {
		for _, name := range s.PropertyOrder {
			if _, found := given[name]; !found && resembles(wrong, name) {
				return &argError{why: fmt.Sprintf("%s takes no argument %.60q: write %s if that is meant. The arguments are %s", tool, wrong, name, s.names())}
			}
		}
	}
	return nil
}

func (s *inputSchema) names() string { return strings.Join(s.PropertyOrder, ", ") }

// missing says that an argument is missing. It names one that is ignored, because
// that may hold what is missing.
func missing(tool string, ignored []string) string {
	if len(ignored) == 0 {
		return "it is missing"
	}
	return fmt.Sprintf("it is missing, and %s takes no argument %.60q", tool, ignored[0])
}

// readObject returns an object and its members, or why v is none. A string may hold
// the object. null and a blank string are an object without members, and so is an
// empty array, because PHP writes an empty object so.
func readObject(v gjson.Result) (object json.RawMessage, members map[string]gjson.Result, why string) {
	came := describe(v)
	if v.Type == gjson.String {
		held := strings.TrimSpace(v.Str)
		if held == "" || isNull(held) {
			return nil, nil, ""
		}
		v = gjson.Parse(held)
		if !gjson.Valid(held) || v.Type != gjson.JSON {
			return nil, nil, came
		}
	}
	switch {
	case v.Type == gjson.Null, v.IsArray() && len(v.Array()) == 0:
		return nil, nil, ""
	case !v.IsObject():
		return nil, nil, came
	}
	members = make(map[string]gjson.Result)
	v.ForEach(func(name, value gjson.Result) bool {
		if _, twice := members[name.Str]; twice {
			why = fmt.Sprintf("an object with two members %.60q", name.Str)
		}
		members[name.Str] = value
		return why == ""
	})
	return json.RawMessage(v.Raw), members, why
}

// readObjects returns the objects in a list, or why v is none. A string may hold the
// list, and each element one object, as for [readObject].
func readObjects(v gjson.Result) (value any, why string) {
	if held := gjson.Parse(v.Str); held.IsArray() && gjson.Valid(v.Str) {
		v = held
	}
	if v.Type == gjson.Null || v.Type == gjson.String && strings.TrimSpace(v.Str) == "" {
		return nil, ""
	}
	if !v.IsArray() {
		return nil, "it is " + describe(v)
	}
	objects := []json.RawMessage{}
	for i, element := range v.Array() {
		object, _, why := readObject(element)
		if why != "" {
			return nil, fmt.Sprintf("element %d is %s", i, why)
		}
		if object == nil {
			object = json.RawMessage("{}")
		}
		objects = append(objects, object)
	}
	return objects, ""
}

// isNull reports whether a string is how a program writes that there is no value.
func isNull(s string) bool { return s == "null" || s == "undefined" || s == "None" }

// read returns the value of an argument, nil if it is not given, or why it is not
// valid.
func (a argument) read(v gjson.Result) (value any, why string) {
	if a.object {
		object, _, why := readObject(v)
		if why != "" {
			return nil, "it is " + why
		} else if object != nil {
			value = object
		}
		return value, ""
	}
	if a.objects && v.Exists() {
		return readObjects(v)
	}
	if v.Type == gjson.String {
		if v.Str = a.trim(v.Str); v.Str == "" || isNull(v.Str) && !a.required {
			return nil, ""
		}
	}
	switch {
	case v.Type == gjson.Null:
		return nil, ""
	case a.Type == "integer":
		value = a.integer(v)
	case a.Type == "boolean":
		value = boolean(v)
	case a.Type == "array":
		value = names(v)
	case v.Type == gjson.String && !isNull(v.Str):
		value = v.Str
	}
	if value == nil || !a.accepts(value) {
		return nil, "it is " + describe(v)
	}
	return value, ""
}

// trim removes what surrounds a text. An ID may be in quotes or in backticks. A text
// with a bound is free, and may begin with them.
func (a argument) trim(s string) string {
	if a.MaxLength != nil {
		return strings.TrimSpace(s)
	}
	return strings.TrimFunc(s, func(r rune) bool {
		return unicode.IsSpace(r) || !unicode.IsGraphic(r) || strings.ContainsRune("\"'`“”„‘’‚«»", r)
	})
}
