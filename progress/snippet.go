package progress

import (
	"slices"
	"unicode/utf8"

	"github.com/anything-mcp/anything-mcp/notte"
)

const (
	snippetRunes = 120  // what a status line shows whole
	snippetBytes = 1024 // enough for them in any script, with escapes to remove
	wordRunes    = 24   // how far a snippet's start moves to meet a word's
)

// tail is the end of the text that the agent is writing: a bounded window over
// its deltas, at two copies a byte at most and without allocation.
type tail struct {
	kind  notte.EventType // thinking_delta or text_delta
	ended bool            // the next delta begins a new text
	cut   bool            // text before buf was dropped
	n     int             // bytes of buf in use
	buf   []byte          // 2*snippetBytes long once there is text: quiet jobs are many
}

// add appends a delta, of which only the last snippetBytes matter.
func (t *tail) add(kind notte.EventType, delta string) {
	if t.ended || t.kind != kind {
		t.kind, t.ended, t.cut, t.n = kind, false, false, 0
	}
	if t.buf == nil {
		t.buf = make([]byte, 2*snippetBytes)
	}
	if len(delta) > snippetBytes {
		delta = delta[len(delta)-snippetBytes:]
		t.n, t.cut = 0, true
	}
	if t.n+len(delta) > len(t.buf) {
		t.n = copy(t.buf, t.buf[t.n-snippetBytes:t.n])
		t.cut = true
	}
	t.n += copy(t.buf[t.n:], delta)
}

// line words the newest part of the text, or is empty when nothing of it can
// be seen.
func (t *tail) line() string {
	from := max(0, t.n-snippetBytes)
	cut := t.cut || from > 0
	for i := 1; cut && i < utf8.UTFMax && from < t.n && !utf8.RuneStart(t.buf[from]); i++ {
		from++
	}
	text := []rune(OneLine(string(t.buf[from:t.n]), snippetBytes))
	if len(text) == 0 {
		return ""
	}
	label := "Writing: "
	if t.kind == notte.EventThinkingDelta {
		label = "Thinking: "
	}
	if !cut && len(text) <= snippetRunes {
		return label + string(text)
	}
	text = text[max(0, len(text)-snippetRunes+1):]
	if i := slices.Index(text, ' '); i >= 0 && i < wordRunes && i+1 < len(text) {
		text = text[i+1:]
	}
	return label + string(ellipsis) + string(text)
}
