package main

import (
	"bytes"
	"fmt"
	"html"
	"slices"
	"strings"

	"github.com/tidwall/gjson"
)

// row is a line of a picture. Rows that follow one another with the same title share
// a frame.
type row struct{ title, spans string }

// The styles of text: the names of classes in page.
const plain, bold, dim, accent = "", "b", "d", "a"

func span(style, text string) string {
	return fmt.Sprintf(`<tspan class="%s">%s</tspan>`, style, html.EscapeString(text))
}

// terminalRows returns the lines of a terminal with their styles.
func terminalRows(screen string) (rows []row) {
	styles := map[string]string{"1": bold, "2": dim}
	for line := range strings.Lines(screen) {
		first, more, _ := strings.Cut(strings.TrimRight(line, "\n"), "␛[")
		spans := span(plain, first)
		for part := range strings.SplitSeq(more, "␛[") {
			code, text, _ := strings.Cut(part, "m")
			spans += span(styles[code], text)
		}
		rows = append(rows, row{spans: spans})
	}
	return rows
}

// shown are the fields of a result that the picture shows; it counts the others.
var shown = []string{"status", "function_id", "function_name", "total_cost_usd", "answer", "ok", "result", "next_step"}

// chatRows returns the calls of a conversation with their arguments, progress and
// results. What the user asks is the query, because nothing else is on the wire.
func chatRows(conversation string) (rows []row) {
	title, last := "The user asks (an example)", ""
	add := func(style, head, text string) {
		for _, line := range wrap(text, columns-16) {
			shownHead := head
			if head == last {
				shownHead = ""
			}
			last = head
			rows = append(rows, row{title, span(dim, fmt.Sprintf("%-16s", shownHead)) + span(style, line)})
		}
	}
	for line := range strings.Lines(conversation) {
		message := gjson.Parse(line[len("> "):])
		if name := message.Get("params.name").String(); name != "" {
			if len(rows) == 0 {
				rows = append(rows, row{title, span(bold, message.Get("params.arguments.query").String())})
			}
			title = "The assistant calls " + name
			add(accent, "arguments", message.Get("params.arguments").Raw)
		} else if text := message.Get("params.message"); text.Exists() {
			add(dim, "progress", text.String())
		}
		hidden := 0
		message.Get("result.structuredContent").ForEach(func(name, value gjson.Result) bool {
			if slices.Contains(shown, name.String()) {
				add(plain, name.String(), value.String())
			} else {
				hidden++
			}
			return true
		})
		if hidden > 0 {
			add(dim, "…", fmt.Sprintf("and %d more fields", hidden))
		}
	}
	return rows
}

// wrap breaks a text into lines of at most width characters.
func wrap(text string, width int) (lines []string) {
	rest := []rune(text)
	for len(rest) > width {
		cut := width
		for cut > width/2 && !strings.ContainsRune(" ,", rest[cut-1]) {
			cut--
		}
		lines, rest = append(lines, string(rest[:cut])), rest[cut:]
	}
	return append(lines, string(rest))
}

// The measures of a picture in pixels. A character of 14 pixels is 8.43 wide in the
// widest of the fonts.
const lineHeight, padding, width = 20, 16, columns*843/100 + 4*padding

// svg draws rows in frames.
func svg(title, description string, rows []row) []byte {
	var body bytes.Buffer
	y := padding / 2
	for len(rows) > 0 {
		title, n := rows[0].title, 1
		for n < len(rows) && rows[n].title == title {
			n++
		}
		lines := rows[:n]
		if title != "" {
			lines = append([]row{{spans: span(dim, title)}}, lines...)
		}
		height := len(lines)*lineHeight + padding
		fmt.Fprintf(&body, "<rect x=\"%d\" y=\"%d\" width=\"%d\" height=\"%d\" rx=\"8\"/>\n", padding, y, width-2*padding, height)
		for i, line := range lines {
			fmt.Fprintf(&body, "<text x=\"%d\" y=\"%d\">%s</text>\n", 2*padding, y+(i+1)*lineHeight+padding/4, line.spans)
		}
		rows, y = rows[n:], y+height+padding/2
	}
	return fmt.Appendf(nil, page, width, y, title, description, body.String())
}

const page = `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %d %d" role="img" aria-labelledby="title desc" xml:space="preserve">
<title id="title">%s</title>
<desc id="desc">%s</desc>
<style>
text { font: 14px ui-monospace, SFMono-Regular, Menlo, Consolas, "DejaVu Sans Mono", monospace; fill: #1f2328; white-space: pre }
rect { fill: #f6f8fa; stroke: #d1d9e0 }
.b { font-weight: bold }
.d { fill: #59636e }
.a { fill: #0550ae }
@media (prefers-color-scheme: dark) {
text { fill: #f0f6fc }
rect { fill: #151b23; stroke: #3d444d }
.d { fill: #9198a1 }
.a { fill: #79c0ff }
}
</style>
%s</svg>
`
