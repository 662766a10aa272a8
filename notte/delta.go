package notte

import (
	"strings"
	"unicode/utf8"
)

// plainDelta reads an event that is a delta and nothing else, in the order and
// without the escapes in which nearly all deltas come: there are so many of
// them that to walk their JSON would be most of the work on a stream.
func plainDelta(data string) (Event, bool) {
	typ, rest, ok := cutMember(data, "{", "type")
	if !ok || typ != string(EventTextDelta) && typ != string(EventThinkingDelta) {
		return Event{}, false
	}
	delta, rest, ok := cutMember(rest, ",", "delta")
	if !ok || strings.TrimLeft(rest, " ") != "}" || !utf8.ValidString(delta) {
		return Event{}, false
	}
	return Event{Type: EventType(typ), Delta: delta, Size: len(data)}, true
}

// cutMember reads a mark, a key and its value, a string without escapes, and
// returns what is left of s after them.
func cutMember(s, mark, key string) (value, rest string, ok bool) {
	if s, ok = strings.CutPrefix(s, mark); !ok {
		return "", "", false
	}
	name, s, ok := cutString(s)
	if !ok || name != key {
		return "", "", false
	}
	if s, ok = strings.CutPrefix(s, ":"); !ok {
		return "", "", false
	}
	return cutString(s)
}

// cutString reads a string without escapes, after any spaces.
func cutString(s string) (value, rest string, ok bool) {
	s, ok = strings.CutPrefix(strings.TrimLeft(s, " "), `"`)
	if !ok {
		return "", "", false
	}
	for i := range len(s) {
		switch c := s[i]; {
		case c == '"':
			return s[:i], s[i+1:], true
		case c == '\\' || c < ' ':
			return "", "", false
		}
	}
	return "", "", false
}
