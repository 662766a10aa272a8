package install

import (
	"bytes"
	"errors"
	"io"
	"strconv"
	"strings"

	"github.com/tailscale/hujson"
)

// jsonFormat is JSON, with what a host reads besides the standard.
type jsonFormat struct {
	comments bool
	commas   bool // after the last member
	mark     bool // a byte order mark
}

func (jsonFormat) empty() string { return "{}\n" }

func (jsonFormat) show(value any, path ...string) string {
	return quote(path[len(path)-1]) + ": " + layout{colon: ": ", comma: ", ", end: "\n", unit: "  "}.render(value, "", false)
}

func (f jsonFormat) parse(text string, marked bool) (document, error) {
	if marked && !f.mark {
		return nil, &syntaxError{1, "there is a byte order mark, which the host does not read"}
	}
	if isDeep(text) {
		return nil, &syntaxError{problem: "it has more than 10,000 brackets in one another"}
	}
	// The line end completes a comment at the end of the file.
	root, err := hujson.Parse([]byte(text + "\n"))
	if err != nil {
		return nil, jsonError(text, err)
	}
	for v := range root.All() {
		if err := f.check(text, v); err != nil {
			return nil, err
		}
	}
	if root.Value.Kind() != '{' {
		return nil, errorAt(text, root.StartOffset, "the file should hold an object, { … }")
	}
	return &jsonDoc{text, &root}, nil
}

// isDeep reports whether text nests so deep that a recursive parser could use up its
// stack.
func isDeep(text string) bool {
	depth := 0
	for i := range len(text) {
		switch text[i] {
		case '[', '{':
			depth++
		case ']', '}':
			depth--
		}
		if depth > 10_000 {
			return true
		}
	}
	return false
}

// jsonError returns an error of hujson without text from the file, which may hold
// secrets.
func jsonError(text string, err error) error {
	e := &syntaxError{problem: "not valid JSON"}
	place, _, _ := strings.Cut(strings.TrimPrefix(err.Error(), "hujson: line "), ",")
	e.line, _ = strconv.Atoi(place)
	e.line = min(e.line, 1+strings.Count(strings.TrimRight(text, blanks), "\n")) // the end of the file is in its last line
	switch cause := errors.Unwrap(err); {
	case errors.Is(err, io.ErrUnexpectedEOF):
		e.problem += ": it ends too early"
	case cause != nil && !strings.HasPrefix(cause.Error(), "invalid literal"):
		e.problem += ": " + cause.Error()
	}
	return e
}

// check checks one value without those in it.
func (f jsonFormat) check(text string, v *hujson.Value) error {
	end := extraAtEnd(v)
	for _, extra := range []struct {
		at   int
		text hujson.Extra
	}{
		{v.StartOffset - len(v.BeforeExtra), v.BeforeExtra}, {v.EndOffset, v.AfterExtra}, {v.EndOffset - 1 - len(end), end},
	} {
		if i := bytes.IndexByte(extra.text, '/'); i >= 0 && !f.comments {
			return errorAt(text, extra.at+i, "there is a comment, which the host does not read")
		}
	}
	kids := children(v)
	if n := len(kids); n > 0 && !f.commas && kids[n-1].value.AfterExtra != nil {
		return errorAt(text, v.EndOffset-1, "there is a comma after the last member, which the host does not read")
	}
	seen := make(map[string]bool)
	for _, c := range kids {
		if v.Value.Kind() == '{' && seen[c.name] {
			return errorAt(text, c.start, "the name %s is there twice", quote(c.name))
		}
		seen[c.name] = true
	}
	return nil
}

// extraAtEnd returns the white space and comments before the end of an object or a list.
func extraAtEnd(v *hujson.Value) hujson.Extra {
	switch v := v.Value.(type) {
	case *hujson.Object:
		return v.AfterExtra
	case *hujson.Array:
		return v.AfterExtra
	}
	return nil
}
