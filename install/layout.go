package install

import (
	"strings"

	"github.com/tailscale/hujson"
)

// layout is how the members of an object or a list are laid out.
type layout struct {
	inline      bool // all are on one line
	colon       string
	comma       string // between members on one line
	end, unit   string // of lines and of their indentation
	indent      string // of the members
	outerIndent string // of the line with the opening bracket
}

// layoutOf returns the layout of parent's members, or one that fits those around it.
func layoutOf(text string, root, parent *hujson.Value) layout {
	l := layout{colon: ": ", comma: ", ", end: lineEnd(text), unit: "  ", outerIndent: indentAt(text, parent.StartOffset)}
	if unit, ok := ownIndent(text, root); ok && unit != "" {
		l.unit = unit
	}
	kids := children(parent)
	if own, ok := ownIndent(text, parent); ok {
		l.indent = own
		if step, ok := strings.CutPrefix(own, l.outerIndent); ok && step != "" {
			l.unit = step
		}
		return l
	}
	l.indent = l.outerIndent + l.unit
	if len(kids) > 0 && !strings.Contains(text[parent.StartOffset:parent.EndOffset], "\n") {
		l.inline = true
		if value := kids[len(kids)-1].value; parent.Value.Kind() == '{' && len(value.BeforeExtra) == 0 {
			l.colon, l.comma = ":", ","
		}
	}
	return l
}

// ownIndent returns the indentation of the first child of v that starts a line.
func ownIndent(text string, v *hujson.Value) (string, bool) {
	for _, c := range children(v) {
		indent := indentAt(text, c.start)
		if start := lineStart(text, c.start); start > v.StartOffset && start+len(indent) == c.start {
			return indent, true
		}
	}
	return "", false
}

// insert inserts a member or an element at the end of parent, behind its comments.
func (l layout) insert(text string, parent *hujson.Value, added string) string {
	open, shut := parent.StartOffset+1, parent.EndOffset-1
	at := open + len(strings.TrimRight(text[open:shut], blanks))
	kids := children(parent)
	tail := text[at:]
	switch {
	case l.inline:
		added = strings.TrimPrefix(l.comma, ",") + added
	case len(kids) == 0 && !strings.Contains(text[at:shut], "\n"):
		added = l.end + l.indent + added + l.end + l.outerIndent
		tail = text[shut:]
	default:
		added = l.end + l.indent + added
	}
	head := text[:at]
	if n := len(kids); n > 0 && kids[n-1].value.AfterExtra == nil {
		comma := kids[n-1].value.EndOffset
		head = splice(head, comma, comma, ",")
	}
	return head + added + tail
}

// render returns a value as JSON. indent is the indentation of the line on which it
// starts.
func (l layout) render(value any, indent string, inline bool) string {
	switch v := value.(type) {
	case entry:
		var members []string
		for _, m := range v {
			if m.written() {
				members = append(members, quote(m.name)+l.colon+l.render(m.value, indent+l.unit, inline))
			}
		}
		if inline {
			return "{" + strings.Join(members, l.comma) + "}"
		}
		between := l.end + indent + l.unit
		return "{" + between + strings.Join(members, ","+between) + l.end + indent + "}"
	case []entry: // has one element
		if inline {
			return "[" + l.render(v[0], indent, inline) + "]"
		}
		between := l.end + indent + l.unit
		return "[" + between + l.render(v[0], indent+l.unit, inline) + l.end + indent + "]"
	case names:
		return quoteAll(v, l.comma)
	case []string:
		return quoteAll(v, l.comma)
	}
	return encode(value)
}
