package install

import (
	"strings"

	"github.com/tailscale/hujson"
)

// jsonDoc is a text of JSON that was read.
type jsonDoc struct {
	text string
	root *hujson.Value
}

func (d *jsonDoc) get(path ...string) any {
	found := find(d.root, path)
	if found == nil {
		return nil
	}
	value := found.Clone()
	value.Standardize()
	if v, err := decode(value.String()); err == nil && v != nil {
		return v
	}
	return null{}
}

func (d *jsonDoc) set(value any, path ...string) string {
	parent, name := find(d.root, path[:len(path)-1]), path[len(path)-1]
	if parent == nil {
		return d.text
	}
	l := layoutOf(d.text, d.root, parent)
	for _, c := range children(parent) {
		if c.name == name {
			inline := l.inline || !strings.Contains(d.text[c.start:c.value.EndOffset], "\n")
			return splice(d.text, c.value.StartOffset, c.value.EndOffset, l.render(value, indentAt(d.text, c.start), inline))
		}
	}
	added := l.render(value, l.indent, l.inline)
	if parent.Value.Kind() == '{' {
		added = quote(name) + l.colon + added
	}
	return l.insert(d.text, parent, added)
}

func (d *jsonDoc) remove(path ...string) string {
	parent, name := find(d.root, path[:len(path)-1]), path[len(path)-1]
	if parent == nil {
		return d.text
	}
	kids := children(parent)
	for i, c := range kids {
		if c.name == name {
			return removeChild(d.text, parent, kids, i)
		}
	}
	return d.text
}

// child is a member of an object or an element of a list.
type child struct {
	name  string // of an element: its member id, or ""
	start int    // where the name or the element starts
	value *hujson.Value
}

func children(v *hujson.Value) []child {
	var list []child
	switch v := v.Value.(type) {
	case *hujson.Object:
		for i := range v.Members {
			m := &v.Members[i]
			list = append(list, child{m.Name.Value.(hujson.Literal).String(), m.Name.StartOffset, &m.Value})
		}
	case *hujson.Array:
		for i := range v.Elements {
			e := &v.Elements[i]
			c := child{start: e.StartOffset, value: e}
			if id := find(e, []string{"id"}); id != nil && id.Value.Kind() == '"' {
				c.name = id.Value.(hujson.Literal).String()
			}
			list = append(list, c)
		}
	}
	return list
}

// find returns the value at path below v, or nil.
func find(v *hujson.Value, path []string) *hujson.Value {
	if len(path) == 0 {
		return v
	}
	for _, c := range children(v) {
		if c.name == path[0] {
			return find(c.value, path[1:])
		}
	}
	return nil
}

// removeChild removes kids[i] of parent from text, with the comma that it no longer
// needs. Comments around it stay.
func removeChild(text string, parent *hujson.Value, kids []child, i int) string {
	c := kids[i]
	end := c.value.EndOffset
	comma := end + len(c.value.AfterExtra) // where its comma is, if it has one
	if i < len(kids)-1 {
		// The next one takes its place.
		return text[:c.start] + strings.TrimLeft(text[comma+1:], blanks)
	}
	if c.value.AfterExtra != nil {
		end = comma + 1
	}
	open := parent.StartOffset + 1
	head, tail := text[:c.start], text[end:]
	if i == 0 && strings.Trim(head[open:], blanks) == "" && strings.HasPrefix(strings.TrimLeft(tail, blanks), text[parent.EndOffset-1:]) {
		return head[:open] + strings.TrimLeft(tail, blanks)
	}
	head = strings.TrimRight(head, blanks)
	before := open // where the comments before it start
	if i > 0 {
		last := kids[i-1].value
		before = last.EndOffset + len(last.AfterExtra) + 1
		if c.value.AfterExtra == nil {
			head = splice(head, before-1, before, "")
			before--
		}
	}
	// What follows a line comment must be on another line.
	if strings.Contains(head[min(before, len(head)):], "//") && !strings.HasPrefix(strings.TrimLeft(tail, " \t\r"), "\n") {
		head += lineEnd(text)
	}
	return head + tail
}
