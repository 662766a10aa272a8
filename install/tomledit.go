package install

import (
	"slices"
	"strings"
)

func (d *tomlDoc) set(value any, path ...string) string {
	parent, name := path[:len(path)-1], path[len(path)-1]
	last := -1 // the last line of the parent's section
	for i, line := range d.lines {
		switch {
		case !line.header && slices.Equal(line.path, path):
			return splice(d.text, line.value[0], line.value[1], renderTOML(value))
		case line.header && slices.Equal(line.path, parent):
			last = d.sectionEnd(i)
		}
	}
	end, at := lineEnd(d.text), len(d.text)
	if last >= 0 && len(parent) > 1 { // a server goes to the end of the file: comments may belong to what follows
		at = d.lines[last].end
	}
	table, ok := value.(entry)
	if !ok && last < 0 {
		table, path, ok = entry{{name: name, value: value}}, parent, true
	}
	if ok {
		return insertLines(d.text, at, end, strings.Join(renderTable(table, path, end), end))
	}
	return insertLines(d.text, at, "", indentAt(d.text, d.lines[last].at)+pair(name, value, end))
}

// sectionEnd returns the last line of the section of a header.
func (d *tomlDoc) sectionEnd(header int) int {
	next := slices.IndexFunc(d.lines[header+1:], func(line tomlLine) bool { return line.header })
	if next < 0 {
		return len(d.lines) - 1
	}
	return header + next
}

// insertLines inserts lines at the start of a line or at the end of the text. It adds
// blank, which may be empty, before them, unless the line before them is blank already.
func insertLines(text string, at int, blank, lines string) string {
	head := text[:at]
	if head != "" && !strings.HasSuffix(head, "\n") {
		head += lineEnd(text)
	}
	if head == "" || lastLineIsBlank(head) {
		blank = ""
	}
	return head + blank + lines + text[at:]
}

// lastLineIsBlank reports whether the last of the lines of a text is blank.
func lastLineIsBlank(text string) bool {
	before, ok := strings.CutSuffix(text, "\n")
	return ok && strings.Trim(before[lineStart(before, len(before)):], blanks) == ""
}

// renderTable returns the lines of a table and of the tables in it.
func renderTable(table entry, path []string, end string) []string {
	pairs := ""
	var inner []string
	for _, m := range table {
		if !m.written() {
			continue
		}
		if sub, ok := m.value.(entry); ok {
			inner = append(inner, renderTable(sub, append(slices.Clone(path), m.name), end)...)
		} else {
			pairs += pair(m.name, m.value, end)
		}
	}
	if pairs == "" {
		return inner
	}
	return append([]string{"[" + dotted(path) + "]" + end + pairs}, inner...)
}

// pair returns the line of a name and a value.
func pair(name string, value any, end string) string {
	return dotted([]string{name}) + " = " + renderTOML(value) + end
}

// renderTOML returns a string, a number or a list of strings as TOML.
func renderTOML(value any) string {
	switch v := value.(type) {
	case string:
		return quote(v)
	case []string:
		return quoteAll(v, ", ")
	case names:
		return quoteAll(v, ", ")
	}
	return encode(value)
}

// bare are the characters of a key that needs no quotes.
const bare = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-"

// dotted returns a path as TOML writes it.
func dotted(path []string) string {
	keys := slices.Clone(path)
	for i, name := range keys {
		if name == "" || strings.Trim(name, bare) != "" {
			keys[i] = quote(name)
		}
	}
	return strings.Join(keys, ".")
}

func (d *tomlDoc) remove(path ...string) string {
	text := d.text
	within := func(line tomlLine) bool {
		return len(line.path) >= len(path) && slices.Equal(line.path[:len(path)], path)
	}
	for i, line := range slices.Backward(d.lines) {
		end := line.end
		switch {
		case !within(line), line.section >= 0 && within(d.lines[line.section]): // the latter goes with its header
			continue
		case line.header:
			end = d.lines[d.sectionEnd(i)].end
		}
		text = cutLines(text, line.start, end)
	}
	return text
}

// cutLines cuts whole lines, and the blank line before them if there is one behind
// them too.
func cutLines(text string, start, end int) string {
	head, tail := text[:start], text[end:]
	if lastLineIsBlank(head) && (tail == "" || strings.HasPrefix(strings.TrimLeft(tail, " \t\r"), "\n")) {
		head = head[:lineStart(head, len(head)-1)]
	}
	return head + tail
}
