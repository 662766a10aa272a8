package ui

import "strings"

// squeeze returns a script or a style without what is there for its readers alone:
// comments, indents, empty lines, and the spaces around operators. A comment is a line of
// its own, or follows a space and begins with one. It is a scanner and not a regular
// expression, which would take a hundred times as long, while a client waits for its
// list of tools.
func squeeze(source string) string {
	out := make([]byte, 0, len(source))
	for source != "" {
		start := len(out) == 0 || out[len(out)-1] == '\n'
		kept, read := next(source, start)
		out, source = append(out, kept...), source[read:]
	}
	return string(out)
}

// next returns what is kept of the part that source begins with, and the length of the
// part. start says that a line begins there.
func next(source string, start bool) (kept string, read int) {
	if n := literal(source); n > 0 {
		return source[:n], n
	}
	if rest := strings.TrimLeft(source, spaces); start && rest != source {
		return "", len(source) - len(rest)
	}
	if n := comment(source, start); n > 0 {
		return "", n
	}
	if op, n := operator(source); n > 0 {
		return op, n
	}
	return source[:1], 1
}

const spaces = " \t\r\n"

// literal returns the length of the text in quotes that source begins with, or 0.
func literal(source string) int {
	quote := source[0]
	if quote != '"' && quote != '\'' && quote != '`' {
		return 0
	}
	for i := 1; i < len(source); i++ {
		switch c := source[i]; {
		case c == quote:
			return i + 1
		case c == '\n' && quote != '`':
			return 0
		case c == '\\' && quote != '`':
			i++
		}
	}
	return 0
}

// comment returns the length of the comment that source begins with, with the spaces
// before it, or 0.
func comment(source string, start bool) int {
	if !strings.ContainsRune("/ \t", rune(source[0])) {
		return 0
	}
	line, _, _ := strings.Cut(source, "\n")
	text := strings.TrimLeft(line, " \t")
	switch {
	case strings.HasPrefix(text, "// ") && (start || text != line):
		return len(line)
	case start && strings.HasPrefix(line, "/*") && strings.HasSuffix(line, "*/"):
		return len(line)
	}
	return 0
}

// operator returns the operator that source begins with and its length with the spaces
// around it, or 0. Without a space behind it there is none: it may be a sign.
func operator(source string) (op string, n int) {
	rest := strings.TrimPrefix(source, " ")
	op = rest[:len(rest)-len(strings.TrimLeft(rest, "=!<>&|?:+*-"))]
	if op == "" && rest != "" && strings.ContainsRune(",;{}", rune(rest[0])) {
		op = rest[:1]
	}
	behind, spaced := strings.CutPrefix(rest[len(op):], " ")
	if op == "" || !spaced || strings.HasPrefix(behind, "//") { // a comment has its own space
		return "", 0
	}
	return op, len(source) - len(rest) + len(op) + 1
}

// withoutIndents returns a document without indents and empty lines.
func withoutIndents(source string) string {
	var out strings.Builder
	for line := range strings.Lines(source) {
		out.WriteString(strings.TrimLeft(line, spaces))
	}
	return out.String()
}
