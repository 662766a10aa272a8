package cli

import (
	"strings"

	"github.com/anything-mcp/anything-mcp/progress"
	"github.com/anything-mcp/anything-mcp/text"
)

// oneLine makes a line of a text that is not ours.
func oneLine(s string) string { return text.OneLine(s, progress.MaxMessage) }

// beside lays text out in a column beside head, in lines of at most width
// columns, or as long as they are if width is 0. A head that is too long for
// its place stands on a line of its own.
func beside(head, text string, column, width int) string {
	var b strings.Builder
	if textWidth(head) > column-2 && head != "" {
		b.WriteString(head + "\n")
		head = ""
	}
	for line := range strings.Lines(text) {
		for _, part := range wrapped(strings.TrimRight(line, "\n"), width-column) {
			b.WriteString(strings.TrimRight(head+strings.Repeat(" ", max(column-textWidth(head), 0))+part, " ") + "\n")
			head = ""
		}
	}
	return b.String()
}

// wrapped breaks a line between words so that no part is wider than width,
// single long words excepted: a link or an ID must stay whole. A width of 0 or
// less breaks nothing.
func wrapped(line string, width int) []string {
	if width <= 0 || textWidth(line) <= width {
		return []string{line}
	}
	var parts []string
	current := ""
	for _, word := range strings.Fields(line) {
		switch {
		case current == "":
			current = word
		case textWidth(current)+1+textWidth(word) > width:
			parts = append(parts, current)
			current = word
		default:
			current += " " + word
		}
	}
	return append(parts, current)
}

// shellQuoted is s as one word of a POSIX shell.
func shellQuoted(s string) string {
	safe := func(r rune) bool {
		return 'a' <= r && r <= 'z' || 'A' <= r && r <= 'Z' || '0' <= r && r <= '9' || strings.ContainsRune("-_=./:,@%+", r)
	}
	if s != "" && strings.IndexFunc(s, func(r rune) bool { return !safe(r) }) < 0 {
		return s
	}
	return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'"
}

func textWidth(text string) (width int) {
	for _, r := range text {
		width += cellWidth(r)
	}
	return width
}
