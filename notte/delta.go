package notte

import (
	"strings"
	"unicode/utf8"
)

// plainDelta reads an event of nothing but a type and a delta, in either order
// and without escapes. Nearly every event is one: to walk the JSON of each
// would be most of the work on a stream.
func plainDelta(data string) (Event, bool) {
	key, typ, rest, ok := cutMember(data, "{")
	if !ok {
		return Event{}, false
	}
	other, delta, rest, ok := cutMember(rest, ",")
	if key == "delta" {
		key, typ, other, delta = other, delta, key, typ
	}
	switch {
	case !ok, strings.TrimLeft(rest, " ") != "}", key != "type", other != "delta", !utf8.ValidString(delta):
		return Event{}, false
	case typ != string(EventTextDelta) && typ != string(EventThinkingDelta):
		return Event{}, false
	}
	return Event{Type: EventType(typ), Delta: delta, Size: len(data)}, true
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
