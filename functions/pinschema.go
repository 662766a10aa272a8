package functions

import (
	"slices"
	"strings"

	"github.com/tidwall/gjson"

	"github.com/anything-mcp/anything-mcp/text"
)

// Property is the schema of an argument of a pin. It has no other keywords than these,
// because some hosts refuse every request if one tool has a schema that they do not
// know.
type Property struct {
	Type        Type     `json:"type"`
	Description string   `json:"description,omitempty"`
	Enum        []string `json:"enum,omitempty"`
	Items       *Items   `json:"items,omitempty"`
}

// Items is the schema of the members of a list.
type Items struct {
	Type Type `json:"type"`
}

// Property returns the schema of a variable. brief leaves out its default and the like.
//
// An object is listed as a text that holds it, because Gemini refuses every request with
// a tool that takes an object without named members.
func (v Variable) Property(brief bool) Property {
	p := Property{Type: v.Type}
	switch v.Type {
	case Any:
		p.Type = String
	case Object:
		p.Type, p.Description = String, "A JSON object."
	case Array:
		p.Items = &Items{String}
	}
	if v.Type == String && len(v.Choices) > 0 && len(v.Choices) <= maxChoices && !slices.ContainsFunc(v.Choices, func(s string) bool { return !isPlain(s) }) {
		p.Enum = v.Choices
	}
	if brief {
		return p
	}
	says := []string{p.Description}
	if v.Type == Integer && v.Choices != nil {
		says = append(says, "One of "+strings.Join(v.Choices, ", ")+".")
	}
	if value := gjson.ParseBytes(v.Default); v.Default != nil && isPlain(value.String()) {
		says = append(says, "Default "+value.String()+".")
	}
	p.Description = text.OneLine(strings.TrimSpace(strings.Join(says, " ")), maxAuthorText)
	return p
}
