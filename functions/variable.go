package functions

import (
	"encoding/json"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/tidwall/gjson"

	"github.com/anything-mcp/anything-mcp/notte"
	"github.com/anything-mcp/anything-mcp/text"
)

// Bounds of a [Variable], in characters.
const (
	maxVariableName = 64
	maxAnnotation   = 1000 // bytes that are read
	maxDefault      = 100
	maxChoices      = 20
	maxChoice       = 60
)

// Type is the type of a variable's values.
type Type string

// The types. Any stands for an annotation that none of the others expresses.
const (
	String  Type = "string"
	Integer Type = "integer"
	Number  Type = "number"
	Boolean Type = "boolean"
	Array   Type = "array"
	Object  Type = "object"
	Any     Type = "any"
)

// Variable is an input of a function.
type Variable struct {
	Name     string          `json:"name"`
	Type     Type            `json:"type"`
	Required bool            `json:"required,omitempty"` // a run without it fails
	Default  json.RawMessage `json:"default,omitempty"`  // a text, a number or a boolean; nil: none, none that can be told, or a secret
	Choices  []string        `json:"choices,omitempty"`  // the only values, if there are some
}

// newVariable reads a variable as Notte tells it: its annotation and its default as
// Python source.
func newVariable(v notte.Variable) Variable {
	clean := Variable{Name: text.OneLine(v.Name, maxVariableName), Required: v.Default == nil}
	clean.Type, clean.Choices = readAnnotation(v.Type)
	if !secretName.MatchString(v.Name) {
		clean.Default = readDefault(v.Default)
	}
	return clean
}

// secretName matches the names of variables whose default may be a secret. The form of
// the build monitor, ui/form.js, hides the same ones.
var secretName = regexp.MustCompile(`(?i)key|token|secret|pass(?:_?w|_?phrase|_?code|$)|pwd|credential|auth|cookie`)

// typesByName are the types of annotations in lower case.
var typesByName = map[string]Type{
	"str": String, "int": Integer, "float": Number, "bool": Boolean,
	"list": Array, "tuple": Array, "set": Array, "sequence": Array, "iterable": Array,
	"dict": Object, "mapping": Object,

	// Other services than Notte's own may tell the types of JSON Schema.
	"string": String, "integer": Integer, "number": Number, "boolean": Boolean, "array": Array, "object": Object,
}

// readAnnotation returns the type that a Python annotation means, and the values that
// a Literal allows. X | None and Optional[X] are X.
func readAnnotation(source string) (Type, []string) {
	source = strings.TrimSpace(source)
	if len(source) > maxAnnotation {
		return Any, nil
	}
	if inner, ok := stringLiteral(source); ok {
		source = strings.TrimSpace(inner)
	}
	parts := slices.DeleteFunc(splitOutside(source, '|'), isNone)
	if len(parts) != 1 {
		return Any, nil
	}
	name, arguments, generic := strings.Cut(parts[0], "[")
	name = strings.ToLower(strings.TrimSpace(name[strings.LastIndexByte(name, '.')+1:]))
	if !generic {
		if t, ok := typesByName[name]; ok {
			return t, nil
		}
		return Any, nil
	}
	inner := splitOutside(strings.TrimSuffix(arguments, "]"), ',')
	switch name {
	case "optional", "annotated":
		return readAnnotation(inner[0])
	case "union":
		return readAnnotation(strings.Join(inner, "|"))
	case "literal":
		return readLiteral(inner)
	}
	if t, ok := typesByName[name]; ok {
		return t, nil
	}
	return Any, nil
}

func isNone(source string) bool { return source == "None" || source == "NoneType" }

// readLiteral returns the type of a Literal and its values. A value that cannot be
// told as it is makes it Any.
func readLiteral(values []string) (Type, []string) {
	var choices []string
	t := Integer
	for _, source := range slices.DeleteFunc(values, isNone) {
		choice, isText := stringLiteral(source)
		if isText {
			t = String
		} else if _, err := strconv.Atoi(source); err != nil {
			return Any, nil
		} else {
			choice = source
		}
		if choice == "" || text.OneLine(choice, maxChoice) != choice || len(choices) == maxChoices {
			return Any, nil
		}
		choices = append(choices, choice)
	}
	if choices == nil {
		return Any, nil
	}
	return t, choices
}

// readDefault returns a default that is a text, a number or a boolean as JSON. raw is
// nil, or a JSON string with Python source.
func readDefault(raw json.RawMessage) json.RawMessage {
	v := gjson.ParseBytes(raw)
	source := strings.TrimSpace(v.Str)
	if v.Type != gjson.String {
		source = v.Raw
	}
	switch literal, ok := stringLiteral(source); {
	case ok:
		encoded, _ := text.JSON(text.OneLine(literal, maxDefault)) // a string can be encoded
		return encoded
	case source == "True", source == "true":
		return json.RawMessage("true")
	case source == "False", source == "false":
		return json.RawMessage("false")
	case len(source) <= maxDefault && gjson.Valid(source) && gjson.Parse(source).Type == gjson.Number:
		return json.RawMessage(source)
	}
	return nil
}

// stringLiteral returns the text of a plain Python string literal.
func stringLiteral(source string) (string, bool) {
	n := len(source)
	if n < 2 || source[0] != '\'' && source[0] != '"' || source[n-1] != source[0] || tokenLength(source) != n {
		return "", false
	}
	return unescape.Replace(source[1 : n-1]), true
}

var unescape = strings.NewReplacer(`\\`, `\`, `\n`, "\n", `\r`, "\r", `\t`, "\t", `\'`, `'`, `\"`, `"`)

// splitOutside splits source at each separator that is outside brackets and strings.
func splitOutside(source string, separator byte) (parts []string) {
	depth, start := 0, 0
	for i := 0; i < len(source); i += tokenLength(source[i:]) {
		switch c := source[i]; {
		case c == '[' || c == '(' || c == '{':
			depth++
		case c == ']' || c == ')' || c == '}':
			depth--
		case c == separator && depth == 0:
			parts = append(parts, strings.TrimSpace(source[start:i]))
			start = i + 1
		}
	}
	return append(parts, strings.TrimSpace(source[start:]))
}

// tokenLength returns the length of the string literal at the start of source, which
// must not be empty, or 1 if there is none.
func tokenLength(source string) int {
	if source[0] != '\'' && source[0] != '"' {
		return 1
	}
	for i := 1; i < len(source); i++ {
		switch source[i] {
		case '\\':
			i++
		case source[0]:
			return i + 1
		}
	}
	return len(source)
}
