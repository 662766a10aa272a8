package functions

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"github.com/anything-mcp/anything-mcp/notte"
	"github.com/anything-mcp/anything-mcp/text"
)

// ItemsError says which items of a batch do not fit a function. Nothing has started.
type ItemsError struct {
	Function Function // the zero value if no item was compared with it
	Problems []ItemProblem
}

// ItemProblem is what is wrong with one item.
type ItemProblem struct {
	Index int // from 0
	Why   string
}

func (e *ItemsError) Error() string {
	return e.Describe(func(index int) string { return fmt.Sprintf("items[%d]", index) })
}

// maxNamedItems bounds how many items an error names.
const maxNamedItems = 10

// Describe returns the text of the error, which calls the items by name.
func (e *ItemsError) Describe(name func(index int) string) string {
	var s strings.Builder
	if e.Function.ID != "" {
		wrong := VariablesError{Function: e.Function}
		fmt.Fprintf(&s, "The items do not fit the function %q, which %s: ", e.Function.Name, wrong.takes())
	}
	for i, p := range e.Problems[:min(len(e.Problems), maxNamedItems)] {
		if i > 0 {
			s.WriteString("; ")
		}
		s.WriteString(name(p.Index) + ": " + p.Why)
	}
	if more := len(e.Problems) - maxNamedItems; more > 0 {
		fmt.Fprintf(&s, "; and %d more", more)
	}
	return s.String()
}

// MaxVariables bounds the variables of a run, in bytes of JSON.
const MaxVariables = 256 << 10

// WithCommon returns items, which are JSON objects, each with the common variables that
// it does not have itself. Their members are in one order, so that the same items are the
// same JSON. The error is an [*ItemsError].
func WithCommon(common json.RawMessage, items []json.RawMessage) ([]json.RawMessage, error) {
	merged, bad := make([]json.RawMessage, len(items)), &ItemsError{}
	for i, item := range items {
		variables := make(map[string]json.RawMessage)
		err := errors.Join(readObject(common, &variables), readObject(item, &variables))
		if err == nil {
			merged[i], err = text.JSON(variables)
		}
		switch n := len(merged[i]); {
		case err != nil, variables == nil: // null
			bad.add(i, "it is no JSON object")
		case n > MaxVariables:
			bad.add(i, fmt.Sprintf("it has %d KiB, and %d are the most", (n+1023)>>10, MaxVariables>>10))
		}
	}
	return merged, bad.orNil()
}

// readObject adds the members of an object, which may be nil, to variables.
func readObject(object json.RawMessage, variables *map[string]json.RawMessage) error {
	if len(object) == 0 {
		return nil
	}
	return json.Unmarshal(object, variables)
}

func (e *ItemsError) add(index int, why string) {
	e.Problems = append(e.Problems, ItemProblem{index, why})
}

func (e *ItemsError) orNil() error {
	if e.Problems == nil {
		return nil
	}
	return e
}

// CheckAll checks the variables of many runs as [Catalogue.Check] does those of one, with
// a few requests in all. The error is an [*ItemsError], or Notte's if it says that there
// is no such function: see [notte.IsNotFound].
func (c *Catalogue) CheckAll(ctx context.Context, client *notte.Client, id string, items []json.RawMessage) (f Function, known bool, err error) {
	bad := &ItemsError{}
	for i, item := range items {
		if bad.Problems == nil { // otherwise f was read just now
			f, err = c.current(ctx, client, id, func(f Function) error { return f.Check(item) })
			if notte.IsNotFound(err) {
				return f, false, err
			} else if err != nil {
				return f, false, nil
			}
		}
		if wrong, unfit := errors.AsType[*VariablesError](f.Check(item)); unfit {
			bad.Function = wrong.Function
			bad.add(i, strings.Join(wrong.Problems, "; "))
		}
	}
	return f, len(items) > 0, bad.orNil()
}

// CheckAllPin checks many calls of a pin as [Catalogue.CheckPin] does one. It returns the
// function and the variables of each run. The error may also be one of
// [Catalogue.CheckAll].
func (c *Catalogue) CheckAllPin(ctx context.Context, client *notte.Client, p Pin, items []json.RawMessage) (f Function, whole []json.RawMessage, known bool, err error) {
	bad := &ItemsError{Function: Function{ID: p.FunctionID, Name: p.Name, Variables: p.Shown()}}
	for i, item := range items {
		if wrong, unfit := errors.AsType[*VariablesError](p.Check(item)); unfit {
			bad.add(i, strings.Join(wrong.Problems, "; "))
		}
		all, err := p.Complete(item)
		if err != nil {
			return f, nil, false, err
		}
		whole = append(whole, all)
	}
	if bad.Problems != nil || len(items) == 0 {
		return f, nil, false, bad.orNil()
	}
	// The first one tells whether the function is still what was pinned.
	if f, _, known, err = c.CheckPin(ctx, client, p, items[0]); err != nil || !known {
		return f, whole, known, err
	}
	f, known, err = c.CheckAll(ctx, client, p.FunctionID, whole)
	return f, whole, known, err
}
