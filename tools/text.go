package tools

import (
	"fmt"
	"time"

	"github.com/anything-mcp/anything-mcp/text"
)

// Bounds of the texts in a result, because some hosts take at most about 25,000
// tokens. Longer texts are cut, and the result says so.
const (
	maxAnswer = 60_000 // bytes
	maxPage   = 60_000 // bytes of a run's result
	maxLine   = 2_000  // characters of any other text
	maxStep   = 80     // characters of a tool's name
	maxLogs   = 20     // lines
)

// maxLogged is the length of the longest text in our own log, in characters.
const maxLogged = 500

// cleanLine returns a text from Notte as one clean line.
func cleanLine(s string) string { return text.OneLine(s, maxLine) }

// logLine returns a text for our log: one bounded line without links, because a
// link may hold a token.
func logLine(s string) string {
	return text.OneLine(text.WithoutLinks(text.OneLine(s, maxLine)), maxLogged)
}

// shorten cuts s to at most n bytes and adds how much is missing.
func shorten(s string, n int) string {
	if len(s) <= n {
		return s
	}
	head := text.Prefix(s, n)
	return head + fmt.Sprintf(" [… %d more bytes left out]", len(s)-len(head))
}

// plural returns a number of things, such as "1 element" or "20,000 elements".
func plural(n int, thing string) string {
	if n != 1 {
		thing += "s"
	}
	return formatCount(n) + " " + thing
}

// formatTime formats a time for an output.
func formatTime(t time.Time) string { return t.UTC().Format(time.RFC3339) }
