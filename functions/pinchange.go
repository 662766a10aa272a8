package functions

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
)

// Changes says what a function takes now that a pin of it does not give, as a sentence
// without its end, or "" if the pin still serves. New variables that may be left out
// change nothing.
func (p Pin) Changes(f Function) string {
	var changes []string
	for _, v := range f.Variables {
		was, known := p.variable(v.Name)
		_, fixed := p.Fixed[v.Name]
		switch {
		case !known && v.Required:
			changes = append(changes, "it now needs "+v.String())
		case known && !sameKind(was, v):
			changes = append(changes, fmt.Sprintf("%s was %s and is now %s", v.Name, was.kind(), v.kind()))
		case known && v.Required && !was.Required && !fixed:
			changes = append(changes, v.Name+" may not be left out any more")
		}
	}
	for _, was := range p.Variables {
		if !slices.ContainsFunc(f.Variables, func(v Variable) bool { return v.Name == was.Name }) {
			changes = append(changes, "it takes "+was.Name+" no more")
		}
	}
	switch {
	case f.Unclear:
		changes = []string{"what it takes cannot be read exactly any more"}
	case len(changes) > maxProblems:
		changes = append(changes[:maxProblems], "and more")
	}
	return strings.Join(changes, "; ")
}

// sameKind reports whether all values that a variable took fit what it is now.
func sameKind(was, now Variable) bool {
	if now.Type == Any {
		return true
	}
	if was.Property(true).Type != now.Property(true).Type {
		return false
	}
	return now.Choices == nil || was.Choices != nil &&
		!slices.ContainsFunc(was.Choices, func(s string) bool { return !slices.Contains(now.Choices, s) })
}

// stateFor returns the state of a pin, given what Notte tells of its function now.
func (p Pin) stateFor(f Function) PinState {
	if p.Changes(f) != "" {
		return PinChanged
	}
	return PinOK
}

// Check returns a [*VariablesError] if a call of the pin with these variables, a JSON
// object or nil, would not fit the variables that it shows.
func (p Pin) Check(variables json.RawMessage) error {
	return Function{Name: p.Name, Variables: p.Shown()}.Check(variables)
}

// Complete returns variables, a JSON object or nil, with those that are fixed.
func (p Pin) Complete(variables json.RawMessage) (json.RawMessage, error) {
	if len(p.Fixed) == 0 {
		return variables, nil
	}
	all := make(map[string]json.RawMessage)
	if len(variables) > 0 {
		if err := json.Unmarshal(variables, &all); err != nil {
			return nil, fmt.Errorf("reading the variables of %s: %w", p.Name, err)
		}
	}
	for name, value := range p.Fixed {
		all[name] = value
	}
	return json.Marshal(all)
}

// PinError says why a call of a pin started nothing.
type PinError struct {
	Pin      Pin
	Function Function // as Notte tells it now; zero if it is gone
	Changes  string   // see [Pin.Changes]; empty if it is gone
}

func (e *PinError) Error() string {
	if e.Changes == "" {
		return fmt.Sprintf("The function behind %s is gone: Notte has no function %s any more", e.Pin.Name, e.Pin.FunctionID)
	}
	takes := "no variables"
	if signature := e.Function.Signature(); signature != "" {
		takes = signature
	}
	return fmt.Sprintf("The function behind %s has changed since it was pinned: %s. It takes %s", e.Pin.Name, e.Changes, takes)
}
