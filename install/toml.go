package install

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/pelletier/go-toml/v2"
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
	root  map[string]any
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

// jsonTypes returns a value of package toml in the types of package json.
func jsonTypes(v any) any {
	switch v := v.(type) {
	case map[string]any:
		for name, value := range v {
			v[name] = jsonTypes(value)
		}
		return v
	case []any:
		for i, value := range v {
			v[i] = jsonTypes(value)
		}
		return v
	case string, bool:
		return v
	}
	shown := fmt.Sprint(v)
	if json.Valid([]byte(shown)) {
		return json.Number(shown)
	}
	return shown // a time, infinity or no number, which JSON does not have
}

func (d *tomlDoc) get(path ...string) any {
	var v any = d.root
	for _, name := range path {
		table, _ := v.(map[string]any)
		v = table[name]
	}
	return v
}

func (tomlFormat) parse(text string, _ bool) (document, error) {
	doc := &tomlDoc{text: text, root: make(map[string]any)}
	if err := toml.Unmarshal([]byte(text), &doc.root); err != nil {
		return nil, tomlError(err)
	}
	jsonTypes(doc.root)
	var prefix []string // the path of the header above
	section := -1
	var p unstable.Parser
	p.Reset([]byte(text))
	for p.NextExpression() {
		n := p.Expression()
		line := tomlLine{header: n.Kind != unstable.KeyValue, section: section}
		var keys []unstable.Range
		for key := n.Key(); key.Next(); {
			line.path = append(line.path, string(key.Node().Data))
			keys = append(keys, key.Node().Raw)
		}
		line.at = int(keys[0].Offset)
		last := line.at // in its last line
		if line.header {
			line.section, prefix, section = -1, line.path, len(doc.lines)
		} else {
			line.path = slices.Concat(prefix, line.path)
			last = int(n.Raw.Offset + n.Raw.Length)
			key := keys[len(keys)-1]
			value := strings.TrimLeft(text[key.Offset+key.Length:last], " \t")
			value = strings.TrimLeft(strings.TrimPrefix(value, "="), " \t")
			line.value = [2]int{last - len(value), last}
		}
		line.start, line.end = lineStart(text, line.at), nextLine(text, last)
		doc.lines = append(doc.lines, line)
	}
	return doc, nil
}

func tomlError(err error) error {
	line := 0
	if e, ok := errors.AsType[*toml.DecodeError](err); ok {
		line, _ = e.Position()
	}
	return &syntaxError{line, "not valid TOML: " + strings.TrimPrefix(err.Error(), "toml: ")}
}
