package jobs

import (
	"fmt"
	"strings"

	"github.com/anything-mcp/anything-mcp/text"
)

// Bounds of what a job keeps, whatever its stream does.
const (
	maxAnswer   = 256 << 10 // bytes
	maxThinking = 64 << 10  // bytes
	maxSteps    = 200
	maxLogs     = 100

	maxStep  = 256     // bytes of a tool's name in the list of steps
	maxField = 4 << 10 // bytes of an error, a detail, a log line …
)

// excerpt keeps the beginning and the end of what is written to it: at most
// limit bytes, half of them at either end.
type excerpt struct {
	limit   int
	head    []byte
	tail    []byte // up to limit bytes; only the last half of limit counts
	dropped int64

	// held is the end of the text that is not an entry of the log yet: it may be the
	// beginning of the API key, and waits for the text after it.
	held string
}

func (e *excerpt) write(s string) {
	if room := e.limit/2 - len(e.head); room > 0 {
		n := min(room, len(s))
		e.head = append(e.head, s[:n]...)
		s = s[n:]
	}
	half := e.limit - e.limit/2
	if extra := len(s) - half; extra > 0 {
		e.dropped += int64(extra)
		s = s[extra:]
	}
	if len(e.tail)+len(s) > e.limit {
		e.trim(half - len(s))
	}
	e.tail = append(e.tail, s...)
}

// trim leaves the last n bytes of the tail.
func (e *excerpt) trim(n int) {
	if extra := len(e.tail) - n; extra > 0 {
		e.dropped += int64(extra)
		e.tail = append(e.tail[:0], e.tail[extra:]...)
	}
}

func (e *excerpt) reset() {
	e.head, e.tail, e.dropped = e.head[:0], e.tail[:0], 0
}

// String returns what was kept, with a note in the place of what was not.
func (e *excerpt) String() string {
	e.trim(e.limit - e.limit/2)
	if e.dropped == 0 {
		return string(e.head) + string(e.tail)
	}
	// A rune may have been cut in two on either side of the gap.
	return strings.ToValidUTF8(string(e.head), "") +
		fmt.Sprintf(" [… %d bytes left out …] ", e.dropped) +
		strings.ToValidUTF8(string(e.tail), "")
}

// clip bounds a field. The result does not keep the event alive that held it,
// which may be megabytes.
func clip(s string) string { return text.Clip(s, maxField) }

// keepLast returns the last n elements of list. It does not change list.
func keepLast[T any](list []T, n int) []T { return list[max(0, len(list)-n):] }
