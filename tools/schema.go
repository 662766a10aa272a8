package tools

import (
	"encoding/json"
	"fmt"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"sync"

	"github.com/google/jsonschema-go/jsonschema"

	"github.com/anything-mcp/anything-mcp/text"
)

// The schemas of a tool come from the structs of its input and its output. The
// tags of a field are:
//
//	json        the name; with omitempty an input is optional, and an output may be missing
//	jsonschema  the description
//	min, max    the bounds of a number, or of the length of a text in characters
//	enum        the texts that are allowed, separated by commas
//	must        what the field must be, for errors, if its type does not say it well
//	lenient     "true" takes the nearest valid number in the place of one that is not
//	schema      "none" leaves a field of an output out of the schema
//
// Schemas are flat, because some hosts support nothing else, and short, because
// models pay for every byte.

// inputSchema is what a tool takes.
type inputSchema struct {
	*jsonschema.Schema
	arguments map[string]argument // the properties of Schema, by name
}

// argument is one argument of a tool.
type argument struct {
	*jsonschema.Schema
	resolve  func() (*jsonschema.Resolved, error) // computed once
	must     string                               // what the argument must be, in words
	required bool
	lenient  bool // see the tag
	object   bool // see [schemaOf]
	objects  bool // a list of objects
}

// accepts reports whether a value is valid. A schema that is not valid itself
// accepts every value.
func (a argument) accepts(value any) bool {
	resolved, err := a.resolve()
	return err != nil || resolved.Validate(value) == nil
}

// inputSchemaOf returns the schema of a struct.
func inputSchemaOf(t reflect.Type) *inputSchema {
	in := &inputSchema{schemaOf(t), make(map[string]argument)}
	for _, f := range reflect.VisibleFields(t) {
		name := jsonName(f)
		if p := in.Properties[name]; p != nil {
			in.arguments[name] = argument{
				Schema:   p,
				resolve:  sync.OnceValues(func() (*jsonschema.Resolved, error) { return p.Resolve(nil) }),
				must:     requirement(p, f.Tag.Get("must")),
				required: slices.Contains(in.Required, name),
				lenient:  f.Tag.Get("lenient") == "true",
				object:   f.Type == reflect.TypeFor[json.RawMessage](),
				objects:  f.Type == reflect.TypeFor[[]json.RawMessage](),
			}
		}
	}
	return in
}

// outputSchema returns a function that returns the schema of the struct Out as
// JSON. It is computed once.
func outputSchema[Out any]() func() json.RawMessage {
	return sync.OnceValue(func() json.RawMessage {
		return encode(schemaOf(reflect.TypeFor[Out]()))
	})
}

func encode(s *jsonschema.Schema) json.RawMessage {
	raw, err := text.JSON(s)
	if err != nil {
		panic("tools: a schema cannot be encoded: " + err.Error())
	}
	return raw
}

// schemaOf returns the flat schema of a struct. It allows more members, because hosts
// add arguments, and so that a result can get more fields.
//
// A [json.RawMessage] is an object with any members. The schema says that it is a
// text, which holds the object: Gemini refuses every request with a tool that takes
// an object without named members, and strict hosts drop members that are not named.
// An object is read all the same: see [readObject].
func schemaOf(t reflect.Type) *jsonschema.Schema {
	s, err := jsonschema.ForType(t, &jsonschema.ForOptions{TypeSchemas: map[reflect.Type]*jsonschema.Schema{
		reflect.TypeFor[json.RawMessage](): {Type: "string"},
	}})
	if err != nil {
		panic("tools: no schema of " + t.String() + ": " + err.Error())
	}
	s.AdditionalProperties = nil
	for _, f := range reflect.VisibleFields(t) {
		name := jsonName(f)
		switch p := s.Properties[name]; {
		case p == nil:
		case f.Tag.Get("schema") == "none":
			delete(s.Properties, name)
			s.PropertyOrder = slices.DeleteFunc(s.PropertyOrder, func(s string) bool { return s == name })
		default:
			flatten(p)
			applyTags(p, f.Tag)
		}
	}
	return s
}

// flatten removes the null of pointers and slices, which makes p a union, and the
// members of objects, and describes a value of any type.
func flatten(p *jsonschema.Schema) {
	if len(p.Types) == 2 {
		p.Type, p.Types = p.Types[1], nil // the first is "null"
	}
	if p.Type == "object" {
		p.Properties, p.PropertyOrder, p.Required, p.AdditionalProperties = nil, nil, nil, nil
	}
	if p.Items != nil {
		flatten(p.Items)
	}
	// A schema without a word is written as true. MCP's clients then refuse the
	// whole list of tools.
	if reflect.ValueOf(*p).IsZero() {
		p.Description = "Any JSON"
	}
}

// applyTags adds the tags of p's field to p.
func applyTags(p *jsonschema.Schema, tag reflect.StructTag) {
	for value := range strings.SplitSeq(tag.Get("enum"), ",") {
		if value != "" {
			p.Enum = append(p.Enum, value)
		}
	}
	if p.Type == "string" {
		p.MinLength, p.MaxLength = bound[int](tag, "min"), bound[int](tag, "max")
	} else {
		p.Minimum, p.Maximum = bound[float64](tag, "min"), bound[float64](tag, "max")
	}
}

// bound returns the whole number in a tag, or nil if there is none.
func bound[T int | float64](tag reflect.StructTag, key string) *T {
	n, err := strconv.Atoi(tag.Get(key))
	if err != nil {
		return nil
	}
	return new(T(n))
}

func jsonName(f reflect.StructField) string {
	name, _, _ := strings.Cut(f.Tag.Get("json"), ",")
	return name
}

// requirement returns what an argument must be, to follow "must be". words replace
// its type unless they are empty.
func requirement(p *jsonschema.Schema, words string) string {
	if words == "" {
		words = map[string]string{"string": "text", "integer": "a whole number", "boolean": "true or false"}[p.Type]
	}
	switch {
	case p.Enum != nil:
		values := make([]string, len(p.Enum))
		for i, value := range p.Enum {
			values[i] = fmt.Sprint(value)
		}
		return "one of " + strings.Join(values, ", ")
	case p.MinLength != nil && p.MaxLength != nil:
		return fmt.Sprintf("%s of %s to %s characters", words, formatCount(*p.MinLength), formatCount(*p.MaxLength))
	case p.Minimum != nil && p.Maximum != nil:
		return fmt.Sprintf("%s from %v to %v", words, *p.Minimum, *p.Maximum)
	}
	return words
}

// formatCount formats n like 3600 or 20,000.
func formatCount(n int) string {
	if n < 10_000 {
		return strconv.Itoa(n)
	}
	return fmt.Sprintf("%d,%03d", n/1000, n%1000)
}
