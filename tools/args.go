package tools

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"reflect"
	"strings"
)

// The arguments of a tool are a struct whose fields carry, beside their JSON
// name, what is right for them in a few words: the tag want. Both the binding
// and a struct's own check quote it.

// argumentError says what is wrong with an argument.
type argumentError string

func (e argumentError) Error() string { return string(e) }

// checker is an input that knows more about itself than its types do.
type checker interface{ check() error }

// bind reads the arguments of a call into an In and checks them.
func bind[In any](tool string, arguments any) (In, error) {
	var in In
	raw, err := rawArguments(arguments)
	if err != nil {
		return in, argumentError("the arguments of " + tool + " could not be read: they must be one JSON object")
	}
	dec := json.NewDecoder(bytes.NewReader(raw))
	dec.DisallowUnknownFields()
	if err := dec.Decode(&in); err != nil {
		return in, bindError[In](tool, err)
	}
	if c, ok := any(&in).(checker); ok {
		return in, c.check()
	}
	return in, nil
}

func rawArguments(arguments any) (json.RawMessage, error) {
	switch a := arguments.(type) {
	case nil:
		return json.RawMessage("{}"), nil
	case json.RawMessage:
		if len(a) == 0 || string(a) == "null" {
			return json.RawMessage("{}"), nil
		}
		return a, nil
	}
	return json.Marshal(arguments)
}

// bindError says in a model's words what encoding/json says in Go's.
func bindError[In any](tool string, err error) error {
	if typeErr, ok := errors.AsType[*json.UnmarshalTypeError](err); ok && typeErr.Field != "" {
		got, _, _ := strings.Cut(typeErr.Value, " ")
		return wrong[In](typeErr.Field, "it is "+article(got))
	}
	if name, ok := strings.CutPrefix(err.Error(), "json: unknown field "); ok {
		return argumentError(fmt.Sprintf("%s takes no argument %.60s; it takes %s", tool, name, strings.Join(fields[In](), ", ")))
	}
	return argumentError("the arguments of " + tool + " must be one JSON object with " + strings.Join(fields[In](), ", "))
}

func article(kind string) string {
	switch kind {
	case "bool":
		return "a boolean"
	case "array", "object":
		return "an " + kind
	}
	return "a " + kind
}

// wrong is the error for a field of an In: its name, what is right for it, and
// what was wrong.
func wrong[In any](field, why string) error {
	for f := range reflect.TypeFor[In]().Fields() {
		if jsonName(f) == field {
			return argumentError(fmt.Sprintf("%s must be %s: %s", field, f.Tag.Get("want"), why))
		}
	}
	return argumentError(field + ": " + why)
}

func fields[In any]() []string {
	var names []string
	for f := range reflect.TypeFor[In]().Fields() {
		names = append(names, jsonName(f))
	}
	return names
}

func jsonName(f reflect.StructField) string {
	name, _, _ := strings.Cut(f.Tag.Get("json"), ",")
	return name
}

// checkWait checks the wait_seconds of an In; nil stands for the default.
func checkWait[In any](seconds *float64) error {
	if seconds != nil && (*seconds != math.Trunc(*seconds) || *seconds < 0 || *seconds > MaxWait.Seconds()) {
		return wrong[In]("wait_seconds", fmt.Sprintf("it is %v", *seconds))
	}
	return nil
}
