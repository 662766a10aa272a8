package notte

import (
	"strings"
	"unicode/utf8"
)

// maxFlat is how many members a flat object may have: a type, a text and an ID.
const maxFlat = 3

// flatObject is a JSON object of nothing but short strings without escapes, such
// as nearly every event of a stream is. To read it takes no allocation.
type flatObject struct {
	members [maxFlat]flatMember
	n       int
}

type flatMember struct {
	key, value string
	end        int // where in the object's JSON the value ends
}

// readFlat reads data if it is a flat object, spelled with spaces at most before
// its strings and its last brace. Control characters in a string, which are no
// JSON, are taken as they are.
func readFlat(data string) (o flatObject, ok bool) {
	rest, mark := data, "{"
	for ; o.n < maxFlat; o.n++ {
		m := &o.members[o.n]
		if m.key, m.value, rest, ok = cutMember(rest, mark); !ok {
			return o, false
		}
		m.end = len(data) - len(rest) - len(`"`)
		if strings.TrimLeft(rest, " ") == "}" {
			o.n++
			return o, true
		}
		mark = ","
	}
	return o, false
}

// cutMember reads mark, a key and its value, and returns what follows them.
func cutMember(s, mark string) (key, value, rest string, ok bool) {
	if s, ok = strings.CutPrefix(s, mark); ok {
		if key, s, ok = cutString(s); ok {
			if s, ok = strings.CutPrefix(s, ":"); ok {
				value, rest, ok = cutString(s)
			}
		}
	}
	return key, value, rest, ok
}

// cutString reads a JSON string without escapes, after any spaces.
func cutString(s string) (value, rest string, ok bool) {
	s, ok = strings.CutPrefix(strings.TrimLeft(s, " "), `"`)
	end := strings.IndexByte(s, '"')
	if !ok || end < 0 || strings.IndexByte(s[:end], '\\') >= 0 {
		return "", "", false
	}
	return s[:end], s[end+1:], true
}

// delta is a plain delta: the event of a piece of the agent's text, as a flat
// object with a type and the text under "delta", and perhaps an "id".
type delta struct {
	typ, text string
	end       int // where in the event's JSON the text ends
}

// plainDelta reads data if it is a plain delta. An object in which a key comes
// twice is none: which of the values counts is not decided here.
func plainDelta(data string) (d delta, ok bool) {
	o, ok := readFlat(data)
	if !ok {
		return d, false
	}
	var types, texts, ids int
	for _, m := range o.members[:o.n] {
		switch m.key {
		case "type":
			types++
			d.typ = m.value
		case "delta":
			texts++
			d.text, d.end = m.value, m.end
		case "id":
			ids++
		default:
			return d, false
		}
	}
	ok = types == 1 && texts == 1 && ids <= 1 && isDelta(d.typ) && utf8.ValidString(d.text)
	return d, ok
}

// isDelta reports whether an event of that type adds its "delta" to the text
// before it, and does nothing else.
func isDelta(typ string) bool {
	return typ == string(EventTextDelta) || typ == string(EventThinkingDelta)
}
