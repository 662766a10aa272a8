package install

import (
	"encoding/json"
	"errors"
	"slices"
	"strings"

	"github.com/pelletier/go-toml/v2/unstable"
)

// tomlFormat is TOML 1.0, and of 1.1 what the parser knows.
type tomlFormat struct{}

func (tomlFormat) empty() string { return "" }

func (tomlFormat) show(value any, path ...string) string {
	if table, ok := value.(entry); ok {
		return strings.Join(renderTable(table, path, "\n"), "\n")
	}
	return pair(path[len(path)-1], value, "\n")
}

// tomlDoc is a text of TOML that was read: what it says, and where.
type tomlDoc struct {
	text  string
	root  *tomlNode
	lines []tomlLine // the headers and the pairs outside of other values, in order
}

// tomlLine is a header or a pair of a name and a value. A pair may have several lines.
type tomlLine struct {
	header     bool
	path       []string // from the root
	section    int      // the index of the header above a pair, or -1
	at         int      // where its key is
	start, end int      // of whole lines
	value      [2]int   // of a pair: where its value is
}

// tomlNode is a table or a value.
type tomlNode struct {
	kind  tomlKind
	kids  map[string]*tomlNode
	value any // of a value that is no table
}

// tomlKind is how a node came to be, which decides what may extend it.
type tomlKind int

const (
	tomlImplied tomlKind = iota // a table, named in the header of a table in it
	tomlHeader                  // a table with a header of its own
	tomlDotted                  // a table, named in the key of a pair
	tomlTables                  // a list of tables with headers; kids are those of the last
	tomlValue
)

func newTOMLNode(kind tomlKind) *tomlNode {
	return &tomlNode{kind: kind, kids: make(map[string]*tomlNode)}
}

var errTwice = errors.New("a name is there twice, or stands for two kinds of value")

// plain returns t in the types of package json.
func (t *tomlNode) plain() any {
	switch {
	case t.kind == tomlTables:
		return []any{}
	case t.kids == nil:
		return t.value
	}
	table := make(map[string]any)
	for name, kid := range t.kids {
		table[name] = kid.plain()
	}
	return table
}

// child returns the child of t with a name, which is made if create is its kind. It
// must be one of the kinds allowed.
func (t *tomlNode) child(name string, create tomlKind, allowed ...tomlKind) (*tomlNode, error) {
	kid := t.kids[name]
	if kid == nil {
		kid = newTOMLNode(create)
		t.kids[name] = kid
		return kid, nil
	}
	if !slices.Contains(allowed, kid.kind) {
		return nil, errTwice
	}
	return kid, nil
}

// open opens the table that a header names.
func (t *tomlNode) open(path []string, list bool) (*tomlNode, error) {
	last := len(path) - 1
	for _, name := range path[:last] {
		var err error
		if t, err = t.child(name, tomlImplied, tomlImplied, tomlHeader, tomlDotted, tomlTables); err != nil {
			return nil, err
		}
	}
	kind := tomlHeader
	allowed := tomlImplied
	if list {
		kind, allowed = tomlTables, tomlTables
	}
	t, err := t.child(path[last], kind, allowed)
	if err != nil {
		return nil, err
	}
	t.kind = kind
	if list {
		clear(t.kids)
	}
	return t, nil
}

// add adds a pair to the table t.
func (t *tomlNode) add(path []string, value *unstable.Node) error {
	last := len(path) - 1
	for _, name := range path[:last] {
		var err error
		if t, err = t.child(name, tomlDotted, tomlDotted); err != nil {
			return err
		}
	}
	kid, err := t.child(path[last], tomlValue)
	if err != nil {
		return err
	}
	return kid.fill(value)
}

// fill makes t the value of a node of the parser.
func (t *tomlNode) fill(n *unstable.Node) error {
	if n.Kind == unstable.InlineTable {
		for it := n.Children(); it.Next(); {
			if err := t.add(keyOf(it.Node()), it.Node().Value()); err != nil {
				return err
			}
		}
		return nil
	}
	t.kids = nil
	switch raw := string(n.Data); n.Kind {
	case unstable.String:
		t.value = raw
	case unstable.Bool:
		t.value = raw == "true"
	case unstable.Array:
		list := []any{}
		for it := n.Children(); it.Next(); {
			item := newTOMLNode(tomlValue)
			if err := item.fill(it.Node()); err != nil {
				return err
			}
			list = append(list, item.plain())
		}
		t.value = list
	default: // a number or a time
		t.value = json.Number(strings.ReplaceAll(raw, "_", ""))
	}
	return nil
}

func (d *tomlDoc) get(path ...string) any {
	t := d.root
	for _, name := range path {
		if t = t.kids[name]; t == nil {
			return nil
		}
	}
	return t.plain()
}

func keyOf(n *unstable.Node) []string {
	var path []string
	for it := n.Key(); it.Next(); {
		path = append(path, string(it.Node().Data))
	}
	return path
}

func (tomlFormat) parse(text string, _ bool) (document, error) {
	doc := &tomlDoc{text: text, root: newTOMLNode(tomlHeader)}
	table, section := doc.root, -1
	var prefix []string
	var p unstable.Parser
	p.Reset([]byte(text))
	for p.NextExpression() {
		n := p.Expression()
		key := n.Key()
		key.Next()
		at, keyEnd := int(key.Node().Raw.Offset), 0
		for more := true; more; more = key.Next() {
			keyEnd = int(key.Node().Raw.Offset + key.Node().Raw.Length)
		}
		line := tomlLine{path: keyOf(n), section: section, at: at, header: n.Kind != unstable.KeyValue}
		last := at // in its last line
		var err error
		if line.header {
			line.section, prefix, section = -1, line.path, len(doc.lines)
			table, err = doc.root.open(line.path, n.Kind == unstable.ArrayTable)
		} else {
			last = int(n.Raw.Offset + n.Raw.Length)
			value := strings.TrimLeft(text[keyEnd:last], " \t")
			value = strings.TrimLeft(strings.TrimPrefix(value, "="), " \t")
			line.value = [2]int{last - len(value), last}
			line.path = slices.Concat(prefix, line.path)
			err = table.add(line.path[len(prefix):], n.Value())
		}
		if err != nil {
			return nil, errorAt(text, at, "%v", err)
		}
		line.start, line.end = lineStart(text, at), nextLine(text, last)
		doc.lines = append(doc.lines, line)
	}
	if err := p.Error(); err != nil {
		return nil, tomlError(text, &p, err)
	}
	return doc, nil
}

func tomlError(text string, p *unstable.Parser, err error) error {
	at := 0
	if e, ok := errors.AsType[*unstable.ParserError](err); ok {
		at = int(p.Range(e.Highlight).Offset)
	}
	return errorAt(text, at, "not valid TOML: %v", err)
}
