package notte

import (
	"strings"
	"unicode/utf8"
)

// delta is the event of a piece of the agent's text.
type delta struct {
	typ, text string
	block     string // ID of the text block in v2
	end       int    // where in the event's JSON the text ends
}

// plainDelta reads an event of nothing but a type, a delta and perhaps an ID, in
// any order, all of them strings without escapes. Nearly every event is one, and
// plainDelta does not allocate. It refuses an event in which a key comes twice. It
// accepts control characters in a string, although JSON does not.
func plainDelta(data string) (d delta, ok bool) {
	const hasType, hasText, hasID = 1, 2, 4
	rest, mark, has := data, "{", 0
	for strings.TrimLeft(rest, " ") != "}" {
		var key, value string
		if key, value, rest, ok = cutMember(rest, mark); !ok {
			return d, false
		}
		bit := 0
		switch key {
		case "type":
			bit, d.typ = hasType, value
		case "delta":
			bit, d.text, d.end = hasText, value, len(data)-len(rest)-len(`"`)
		case "id":
			bit, d.block = hasID, value
		}
		if bit == 0 || has&bit != 0 {
			return d, false
		}
		mark, has = ",", has|bit
	}
	return d, has|hasID == hasType|hasText|hasID && isDelta(d.typ) && utf8.ValidString(d.text)
}

// The types of a delta in v2.
const (
	textDelta      = "text-delta"
	reasoningDelta = "reasoning-delta"
)

// isDelta reports whether events of that type are parts of the agent's text.
func isDelta(typ string) bool {
	switch typ {
	case string(EventTextDelta), string(EventThinkingDelta), textDelta, reasoningDelta:
		return true
	}
	return false
}

// cutMember reads mark, a key and its value, and returns the rest after them.
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
