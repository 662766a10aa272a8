package notte

import (
	"slices"
	"strconv"
	"strings"

	"github.com/tidwall/gjson"

	"github.com/anything-mcp/anything-mcp/text"
)

// maxHalves bounds how many texts may wait for the rest of a character at once.
const maxHalves = 16

// lostHalf stands for half a character whose other half has not come.
const lostHalf = "\uFFFD"

// halves are the texts of a stream that end in half a character. JSON writes a
// character such as an emoji as two escapes, a surrogate pair, and some services cut
// their deltas between the two. The first escape waits here for the text's next delta.
type halves []half

// half is the first escape of a pair, such as \ud83d, and the text that it ends.
type half struct{ typ, block, escape string }

// join returns the text of a delta, in JSON, with the half that waited for it before
// it, and keeps the half that the delta ends in. A half without its other half becomes
// U+FFFD.
func (h *halves) join(typ, block string, v gjson.Result) gjson.Result {
	if v.Str == "" {
		return v // no string, or an empty one
	}
	block = text.Prefix(block, maxLabel)
	content := v.Raw[1 : len(v.Raw)-1]
	first := h.take(typ, block)
	if first != "" && !isHalf(content, 0xDC00) {
		first = `\ufffd`
	}
	content = first + content
	last := len(content) - len(`\ud83d`)
	if keep := last >= 0 && isHalf(content[last:], 0xD800) && !escaped(content[:last]) && len(*h) < maxHalves; keep {
		*h = append(*h, half{typ, strings.Clone(block), strings.Clone(content[last:])})
		content = content[:last]
	} else if first == "" {
		return v
	}
	return gjson.Parse(`"` + content + `"`)
}

// take removes the half that waits for a delta of a text, and returns it or "".
func (h *halves) take(typ, block string) string {
	i := slices.IndexFunc(*h, func(o half) bool { return o.typ == typ && o.block == block })
	if i < 0 {
		return ""
	}
	escape := (*h)[i].escape
	*h = slices.Delete(*h, i, i+1)
	return escape
}

// isHalf reports whether s begins with the escape of a half: one of the 1024 from
// least on.
func isHalf(s string, least uint64) bool {
	if len(s) < len(`\ud83d`) || s[:2] != `\u` {
		return false
	}
	code, err := strconv.ParseUint(s[2:6], 16, 16)
	return err == nil && code >= least && code < least+0x400
}

// escaped reports whether s ends in a backslash that escapes what follows.
func escaped(s string) bool { return (len(s)-len(strings.TrimRight(s, `\`)))%2 == 1 }
