package jobs

import (
	"fmt"
	"strings"
	"unicode/utf8"
)

// Bounds of what a job keeps, whatever its stream does.
const (
	maxAnswer   = 256 << 10 // bytes
	maxThinking = 64 << 10  // bytes
	maxSteps    = 200
	maxLogs     = 100

	maxField  = 4 << 10 // bytes of an error, a detail, a log line …
	maxResult = 16 << 20
)

// text keeps the beginning and the end of what is written to it: at most limit
// bytes, half of them at either end.
type text struct {
	limit   int
	head    []byte
	tail    []byte // up to limit bytes, of which the last half count
	dropped int64
}

func (t *text) write(s string) {
	if room := t.limit/2 - len(t.head); room > 0 {
		n := min(room, len(s))
		t.head = append(t.head, s[:n]...)
		s = s[n:]
	}
	half := t.limit - t.limit/2
	if extra := len(s) - half; extra > 0 {
		t.dropped += int64(extra)
		s = s[extra:]
	}
	if len(t.tail)+len(s) > t.limit {
		t.trim(half - len(s))
	}
	t.tail = append(t.tail, s...)
}

// trim leaves the last n bytes of the tail.
func (t *text) trim(n int) {
	if extra := len(t.tail) - n; extra > 0 {
		t.dropped += int64(extra)
		t.tail = append(t.tail[:0], t.tail[extra:]...)
	}
}

func (t *text) reset() {
	t.head, t.tail, t.dropped = t.head[:0], t.tail[:0], 0
}

// String gives what was kept, with a note in the place of what was not.
func (t *text) String() string {
	t.trim(t.limit - t.limit/2)
	if t.dropped == 0 {
		return string(t.head) + string(t.tail)
	}
	// A rune may have been cut in two on either side of the gap.
	return strings.ToValidUTF8(string(t.head), "") +
		fmt.Sprintf(" [… %d bytes left out …] ", t.dropped) +
		strings.ToValidUTF8(string(t.tail), "")
}

// fit is how much of s to take so that it is at most n bytes, but some, and no
// rune is cut. n is utf8.UTFMax at least.
func fit(s string, n int) int {
	if n >= len(s) {
		return len(s)
	}
	for i := n; i > n-utf8.UTFMax; i-- {
		if utf8.RuneStart(s[i]) {
			return i
		}
	}
	return n
}

// clip bounds a field of an event and lets go of the event that held it, which
// may be megabytes.
func clip(s string) string {
	if len(s) > maxField {
		s = strings.ToValidUTF8(s[:maxField], "") + "…"
	}
	return strings.Clone(s)
}

// last keeps the last n of a list.
func last[T any](list []T, n int) []T {
	if len(list) <= n {
		return list
	}
	copy(list, list[len(list)-n:])
	clear(list[n:])
	return list[:n]
}
