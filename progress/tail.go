package progress

import (
	"slices"
	"unicode/utf8"

	"github.com/anything-mcp/anything-mcp/notte"
	"github.com/anything-mcp/anything-mcp/text"
)

const (
	snippetRunes = 120  // the longest snippet
	tailBytes    = 1024 // enough for a snippet in any script, with escapes to remove
	wordRunes    = 24   // the longest part of a word that is cut from a snippet's start
)

// TextTail is the end of the text that the agent is thinking or writing. The
// zero value is an empty text. Adding to it copies each byte at most twice. It
// allocates 2 KiB at the first delta and nothing later.
type TextTail struct {
	kind  notte.EventType // thinking_delta or text_delta
	ended bool            // the next delta begins a new text
	cut   bool            // text before buf was dropped
	n     int             // bytes of buf in use
	buf   []byte          // 2*tailBytes long once there is text
}

// Add appends a delta of a kind, [notte.EventThinkingDelta] or
// [notte.EventTextDelta]. A delta of another kind than the last begins a new
// text.
func (t *TextTail) Add(kind notte.EventType, delta string) {
	if delta == "" {
		return
	}
	if t.ended || t.kind != kind {
		t.kind, t.ended, t.cut, t.n = kind, false, false, 0
	}
	if t.buf == nil {
		t.buf = make([]byte, 2*tailBytes)
	}
	if len(delta) > tailBytes {
		delta = delta[len(delta)-tailBytes:]
		t.n, t.cut = 0, true
	}
	if t.n+len(delta) > len(t.buf) {
		t.n = copy(t.buf, t.buf[t.n-tailBytes:t.n])
		t.cut = true
	}
	t.n += copy(t.buf[t.n:], delta)
}

// End marks the text as complete: the next delta begins a new one.
func (t *TextTail) End() { t.ended = true }

// Label returns "Thinking: " or "Writing: ".
func (t *TextTail) Label() string {
	if t.kind == notte.EventThinkingDelta {
		return "Thinking: "
	}
	return "Writing: "
}

// Line returns the newest part of the text as one clean line of at most 1,024
// characters, and reports whether text before it was cut off. The line is empty if
// it has nothing visible.
func (t *TextTail) Line() (line string, cut bool) {
	from := max(0, t.n-tailBytes)
	cut = t.cut || from > 0
	for i := 1; cut && i < utf8.UTFMax && from < t.n && !utf8.RuneStart(t.buf[from]); i++ {
		from++
	}
	return text.OneLine(string(t.buf[from:t.n]), tailBytes), cut
}

// snippet returns the labelled end of the text, or "" if that has nothing visible.
func (t *TextTail) snippet() string {
	line, cut := t.Line()
	runes := []rune(line)
	switch {
	case len(runes) == 0:
		return ""
	case !cut && len(runes) <= snippetRunes:
		return t.Label() + line
	}
	runes = runes[max(0, len(runes)-snippetRunes+1):]
	if i := slices.Index(runes, ' '); i >= 0 && i < wordRunes && i+1 < len(runes) {
		runes = runes[i+1:]
	}
	return t.Label() + "…" + string(runes)
}
