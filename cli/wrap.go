package cli

import (
	"fmt"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/clipperhouse/displaywidth"

	"github.com/anything-mcp/anything-mcp/text"
)

// maxLine bounds a line of text from elsewhere, in characters.
const maxLine = 200

// hangingIndent writes text beside head, from column on, in lines of at most width
// columns. A width of 0 wraps nothing. A head that is too long for its column gets a
// line of its own.
func hangingIndent(head, text string, column, width int) string {
	var b strings.Builder
	if head != "" && displaywidth.String(head) > column-2 {
		b.WriteString(head + "\n")
		head = ""
	}
	for line := range strings.Lines(text) {
		for _, part := range wrap(strings.TrimRight(line, "\n"), width-column) {
			indent := strings.Repeat(" ", max(column-displaywidth.String(head), 0))
			b.WriteString(strings.TrimRight(head+indent+part, " ") + "\n")
			head = ""
		}
	}
	return b.String()
}

// wrap breaks a line between words into parts of at most width columns. A longer
// word, such as a link or an ID, is not broken. A width of 0 or less breaks nothing.
func wrap(line string, width int) []string {
	if width <= 0 || displaywidth.String(line) <= width {
		return []string{line}
	}
	var parts []string
	current := ""
	for _, word := range strings.Fields(line) {
		switch {
		case current == "":
			current = word
		case displaywidth.String(current)+1+displaywidth.String(word) > width:
			parts = append(parts, current)
			current = word
		default:
			current += " " + word
		}
	}
	return append(parts, current)
}

// truncate cuts text to at most width columns, at its end.
func truncate(text string, width int) string {
	return displaywidth.TruncateString(text, max(width, 1), "…")
}

// truncateLeft cuts text to at most width columns, at its start.
func truncateLeft(text string, width int) string {
	over := displaywidth.String(text) - max(width, 1)
	if over <= 0 {
		return text
	}
	cut := 0
	for g := displaywidth.StringGraphemes(text); over >= 0 && g.Next(); cut += len(g.Value()) {
		over -= g.Width() // one more than what is over, for the ellipsis
	}
	return "…" + text[cut:]
}

// table returns rows in columns that are as wide as their widest cell.
func table(rows [][]string) string {
	var b strings.Builder
	w := tabwriter.NewWriter(&b, 0, 0, 2, ' ', 0)
	for _, row := range rows {
		fmt.Fprintln(w, strings.Join(row, "\t"))
	}
	w.Flush()
	return b.String()
}

// plural returns a number of things in words.
func plural(n int, thing string) string {
	if n != 1 {
		thing += "s"
	}
	return fmt.Sprintf("%d %s", n, thing)
}

// localTime formats a time in the local time zone.
func localTime(t time.Time) string { return t.Local().Format("2006-01-02 15:04") }

// formatAge formats how long something has taken: below 10 s in tenths of a second,
// then in seconds.
func formatAge(d time.Duration) string {
	unit := time.Second
	if d < 10*time.Second {
		unit = time.Second / 10
	}
	return text.Duration(max(d, 0).Truncate(unit))
}

// shellQuote returns s as one word for the shells of goos. It returns false if s
// cannot be quoted: for some characters, no quotes work in both cmd and PowerShell.
// s may come from web pages, so quoting must be safe.
func shellQuote(s, goos string) (string, bool) {
	const letters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_=/+"
	plain := letters + ".:,@%"
	if goos == "windows" {
		plain = letters
	}
	switch {
	case s != "" && strings.Trim(s, plain) == "":
		return s, true
	case goos != "windows":
		return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'", true
	}
	// In double quotes cmd expands %NAME% and !NAME!, and PowerShell $name and
	// backquotes; to PowerShell the typographic quotes are quotes too.
	if strings.ContainsAny(s, "\"“”„%!$`\n\r") || strings.HasSuffix(s, `\`) {
		return "", false
	}
	return `"` + s + `"`, true
}
