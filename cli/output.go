package cli

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"unicode"
)

// printJSON prints a result as JSON, indented if stdout is a terminal.
func (p *program) printJSON(raw []byte, err error) error {
	if err != nil {
		return fmt.Errorf("writing the result as JSON: %w", err)
	}
	return p.printResult(raw, isTerminal(p.env.Stdout))
}

// printResult prints JSON from Notte. Invisible characters, which could act on a
// terminal or reorder its text, become JSON escapes. The JSON's meaning stays.
func (p *program) printResult(raw []byte, indented bool) error {
	var b bytes.Buffer
	if indented && json.Indent(&b, raw, "", "  ") == nil {
		raw = b.Bytes()
	}
	return p.print(escapeInvisible(string(raw)) + "\n")
}

// print writes a result to stdout, without secrets that Notte may have echoed.
func (p *program) print(text string) error {
	if _, err := io.WriteString(p.env.Stdout, p.secrets.Redact(text)); err != nil {
		return fmt.Errorf("writing the result: %w", err)
	}
	return nil
}

// page is text for a person in rows, each with a label.
type page struct {
	width int // in columns; 0: no line is broken
	text  strings.Builder
}

func (p *program) newPage() *page {
	if isTerminal(p.env.Stdout) {
		return &page{width: columns(p.env.Stdout)}
	}
	return &page{}
}

// row adds a row, unless its value is blank.
func (p *page) row(label, value string) { p.add(label, value, p.width) }

// line adds a row whose lines are not broken, so that they can be copied.
func (p *page) line(label, value string) { p.add(label, value, 0) }

func (p *page) add(label, value string, width int) {
	if value = strings.TrimSpace(value); value != "" {
		p.text.WriteString(hangingIndent(label, value, 12, width))
	}
}

// escapeInvisible replaces the invisible characters in JSON, except white space, by
// JSON escapes. Such characters occur only in strings.
func escapeInvisible(text string) string {
	invisible := func(r rune) bool {
		return 0x7f <= r && r <= 0x9f || unicode.Is(unicode.Cf, r) && r < 0x10000
	}
	if strings.IndexFunc(text, invisible) < 0 {
		return text
	}
	var b strings.Builder
	for _, r := range text {
		if invisible(r) {
			fmt.Fprintf(&b, `\u%04x`, r)
		} else {
			b.WriteRune(r)
		}
	}
	return b.String()
}
