package functions

import (
	"strconv"
	"strings"

	"github.com/anything-mcp/anything-mcp/text"
)

// maxSignature bounds a signature, in characters.
const maxSignature = 600

// Signature returns what the function takes on one line, such as
// "url: string, count: integer = 3, lang?: string". A question mark means that a
// variable may be left out. It returns "" for a function without variables.
func (f Function) Signature() string {
	parts := make([]string, len(f.Variables))
	for i, v := range f.Variables {
		parts[i] = v.String()
	}
	return text.OneLine(strings.Join(parts, ", "), maxSignature)
}

// kind returns the type of the variable, or its choices.
func (v Variable) kind() string {
	if v.Choices == nil {
		return string(v.Type)
	}
	quoted := make([]string, len(v.Choices))
	for i, choice := range v.Choices {
		quoted[i] = choice
		if v.Type == String {
			quoted[i] = strconv.Quote(choice)
		}
	}
	return strings.Join(quoted, " | ")
}

// String returns the variable as a [Function.Signature] shows it.
func (v Variable) String() string {
	kind := v.kind()
	switch {
	case v.Default != nil:
		return v.Name + ": " + kind + " = " + string(v.Default)
	case v.Required:
		return v.Name + ": " + kind
	}
	return v.Name + "?: " + kind
}
