package install

import (
	"fmt"
	"strings"
)

// format is a kind of file, as its host reads it.
type format interface {
	// empty is the text of a file with nothing in it.
	empty() string
	// parse reads a text, which may begin with a byte order mark. It fails if the host
	// cannot read it, or not for certain.
	parse(text string, marked bool) (document, error)
	// show returns how the value at path is written.
	show(value any, path ...string) string
}

// document is a text that was read. A path holds the names on the way from the root to a
// value. An element of a list is named by its member id.
type document interface {
	// get returns the value at path in the types of package json, null for a null, or
	// nil if there is none.
	get(path ...string) any
	// set returns the text with another value at path. The parent must be there, except
	// in TOML. The caller must parse the result to see whether this was possible.
	set(value any, path ...string) string
	// remove returns the text without the value at path, if that is possible.
	remove(path ...string) string
}

// null is the null of JSON.
type null struct{}

// MarshalJSON implements [json.Marshaler].
func (null) MarshalJSON() ([]byte, error) { return []byte("null"), nil }

// syntaxError says why a text cannot be read or changed.
type syntaxError struct {
	line    int // from 1; 0: not known
	problem string
}

func (e *syntaxError) Error() string {
	if e.line > 0 {
		return fmt.Sprintf("line %d: %s", e.line, e.problem)
	}
	return e.problem
}

// errorAt returns a syntaxError at an offset in text.
func errorAt(text string, offset int, format string, args ...any) error {
	return &syntaxError{1 + strings.Count(text[:min(offset, len(text))], "\n"), fmt.Sprintf(format, args...)}
}

// blanks are the white space of JSON and, within lines, of TOML.
const blanks = " \t\r\n"

// lineEnd returns the line end that text uses.
func lineEnd(text string) string {
	if strings.Contains(text, "\r\n") {
		return "\r\n"
	}
	return "\n"
}

// lineStart returns the offset at which the line of an offset starts.
func lineStart(text string, offset int) int { return strings.LastIndexByte(text[:offset], '\n') + 1 }

// nextLine returns the offset at which the line after that of an offset starts.
func nextLine(text string, offset int) int {
	if i := strings.IndexByte(text[offset:], '\n'); i >= 0 {
		return offset + i + 1
	}
	return len(text)
}

// indentAt returns the white space with which the line of an offset begins.
func indentAt(text string, offset int) string {
	line := text[lineStart(text, offset):offset]
	return line[:len(line)-len(strings.TrimLeft(line, " \t"))]
}

// splice replaces text[start:end].
func splice(text string, start, end int, with string) string {
	return text[:start] + with + text[end:]
}
