package sandbox

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
)

// pythonText returns v as Python's str() formats it, because a lookup of a run
// at Notte returns its result so: text unchanged, anything else as its repr. v
// must be encodable as JSON.
func pythonText(v any) string {
	data := mustEncode(v)
	var plain any
	dec := json.NewDecoder(bytes.NewReader(data))
	dec.UseNumber()
	if err := dec.Decode(&plain); err != nil {
		return string(data)
	}
	if text, ok := plain.(string); ok {
		return text
	}
	var b strings.Builder
	writeRepr(&b, plain)
	return b.String()
}

func writeRepr(b *strings.Builder, v any) {
	switch v := v.(type) {
	case nil:
		b.WriteString("None")
	case bool:
		if v {
			b.WriteString("True")
		} else {
			b.WriteString("False")
		}
	case string:
		b.WriteString(pythonString(v))
	case []any:
		b.WriteByte('[')
		for i, item := range v {
			if i > 0 {
				b.WriteString(", ")
			}
			writeRepr(b, item)
		}
		b.WriteByte(']')
	case map[string]any:
		b.WriteByte('{')
		for i, key := range slices.Sorted(maps.Keys(v)) {
			if i > 0 {
				b.WriteString(", ")
			}
			b.WriteString(pythonString(key) + ": ")
			writeRepr(b, v[key])
		}
		b.WriteByte('}')
	default:
		fmt.Fprint(b, v)
	}
}

// pythonString returns Python's repr of text: in single quotes, or in double
// quotes if text contains single quotes and no double quotes.
func pythonString(text string) string {
	quote := "'"
	if strings.Contains(text, "'") && !strings.Contains(text, `"`) {
		quote = `"`
	}
	text = strings.NewReplacer(`\`, `\\`, "\n", `\n`, "\r", `\r`, "\t", `\t`, quote, `\`+quote, "\x1b", `\x1b`).Replace(text)
	return quote + text + quote
}

// pythonValue returns the value of a literal as text: a string without its
// quotes and escapes, anything else unchanged.
func pythonValue(source string) string {
	source = strings.TrimSpace(source)
	if len(source) < 2 || source[0] != '\'' && source[0] != '"' || source[len(source)-1] != source[0] {
		return source
	}
	return strings.NewReplacer(`\\`, `\`, `\n`, "\n", `\r`, "\r", `\t`, "\t", `\'`, `'`, `\"`, `"`, `\x1b`, "\x1b").
		Replace(source[1 : len(source)-1])
}

var (
	runDefinition = regexp.MustCompile(`(?m)^(?:async[ \t]+)?def[ \t]+run[ \t]*\(`)
	parameter     = regexp.MustCompile(`(?s)^([\pL_][\pL\pN_]*)\s*(?::(.*))?$`)
)

// maxVariables bounds the variables that are read from a source.
const maxVariables = 64

// runVariables returns the parameters of the function run in a Python source. It
// returns none if there is no such function.
func runVariables(source string) []Variable {
	at := runDefinition.FindStringIndex(source)
	if at == nil {
		return nil
	}
	var all []Variable
	for _, declared := range splitArguments(withoutComments(source[at[1]:])) {
		var v Variable
		if i := indexOutside(declared, "="); i >= 0 {
			v.Default = new(strings.TrimSpace(declared[i+1:]))
			declared = declared[:i]
		}
		m := parameter.FindStringSubmatch(strings.TrimSpace(declared))
		if m == nil { // such as *, / or **kwargs
			continue
		}
		v.Name, v.Type = m[1], strings.TrimSpace(m[2])
		if all = append(all, v); len(all) == maxVariables {
			break
		}
	}
	return all
}

// splitArguments splits source at the commas before the bracket that closes it.
func splitArguments(source string) (parts []string) {
	for {
		i := indexOutside(source, ",)]}")
		if i < 0 {
			return nil // not closed
		}
		parts = append(parts, source[:i])
		if source[i] != ',' {
			return parts
		}
		source = source[i+1:]
	}
}

// withoutComments returns source without its comments.
func withoutComments(source string) string {
	var b strings.Builder
	for source != "" {
		n := tokenLength(source)
		if source[0] != '#' {
			b.WriteString(source[:n])
		}
		source = source[n:]
	}
	return b.String()
}

// indexOutside returns the index of the first of chars that is neither in a string
// nor in a pair of brackets, or -1.
func indexOutside(source, chars string) int {
	for i, depth := 0, 0; i < len(source); i += tokenLength(source[i:]) {
		if depth == 0 && strings.IndexByte(chars, source[i]) >= 0 {
			return i
		}
		switch source[i] {
		case '(', '[', '{':
			depth++
		case ')', ']', '}':
			depth--
		}
	}
	return -1
}

// tokenLength returns the length of the string or comment at the start of
// source, or 1 if there is neither. source must not be empty.
func tokenLength(source string) int {
	switch source[0] {
	case '#':
		if end := strings.IndexByte(source, '\n'); end > 0 {
			return end
		}
		return len(source)
	case '"', '\'':
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
	return 1
}
