package notte

import (
	"bytes"
	"slices"
	"unicode/utf8"
)

const (
	// minMerge is the least size in bytes of a piece in which deltas are merged.
	// Smaller pieces hold single deltas, which are shown at once.
	minMerge = 1 << 10

	// maxMerged bounds a merged event in bytes. 4 KiB hold the text of about 100
	// deltas, fit into go-sse's first buffer, which then never grows, and are a
	// quarter of an entry of a job's log.
	maxMerged = 4 << 10
)

// deltaShape is the part that consecutive plain deltas have in common: all but
// their texts. It is empty while none is known.
type deltaShape struct {
	lead []byte // up to and with the text's first quote: data: {"type":"text_delta","delta":"
	tail []byte // from the text's last quote to the end of the blank line
	next []byte // tail and lead: what is between two texts
}

// shapeOf returns the shape of the event that b begins with, if that is a plain
// delta on one line with a blank line behind it.
func shapeOf(b []byte) (s deltaShape, ok bool) {
	line, _, _ := bytes.Cut(b[:min(len(b), maxMerged)], []byte("\n"))
	end := "\n\n"
	if bytes.HasSuffix(line, []byte("\r")) {
		line, end = line[:len(line)-1], "\r\n\r\n"
	}
	value, isData := bytes.CutPrefix(line, []byte("data:"))
	if !isData || !bytes.HasPrefix(b[len(line):], []byte(end)) {
		return s, false
	}
	value = bytes.TrimPrefix(value, []byte(" "))
	d, ok := plainDelta(string(value))
	if !ok {
		return s, false
	}
	at := len(line) - len(value) + d.end
	s.lead = bytes.Clone(line[:at-len(d.text)])
	s.next = slices.Concat(line[at:], []byte(end), s.lead)
	s.tail = s.next[:len(s.next)-len(s.lead)]
	return s, true
}

// merge reads the plain deltas of one shape that b begins with, adds them as one
// event with their texts joined, and returns how many bytes of b they take: 0 if
// there are none. It stops at a text with escapes, control characters or bytes that
// are not UTF-8.
func (r *eventReader) merge(b []byte) int {
	if len(r.shape.lead) == 0 || !bytes.HasPrefix(b, r.shape.lead) {
		shape, ok := shapeOf(b)
		if !ok {
			return 0
		}
		r.shape = shape
	}
	s, n := r.shape, 0
	room := maxMerged - len(s.next)
	for at, more := len(s.lead), true; more; {
		length, ascii := plainLength(b[at:])
		end := at + length
		text := b[at:end]
		more = bytes.HasPrefix(b[end:], s.next)
		if room -= len(text); room < 0 || !more && !bytes.HasPrefix(b[end:], s.tail) || !ascii && !utf8.Valid(text) {
			break
		}
		if n == 0 {
			r.out = append(r.out, s.lead...)
		}
		r.out = append(r.out, text...)
		n = end + len(s.tail)
		at = end + len(s.next)
	}
	if n > 0 {
		r.out = append(r.out, bytes.TrimRight(s.tail, "\r\n")...)
		r.out = append(r.out, "\n\n"...)
		r.ready = len(r.out)
		r.started, r.gotData = true, true
	}
	return n
}

// plainLength returns the length of b up to its first quote, backslash or control
// character, and reports whether that part is ASCII.
func plainLength(b []byte) (n int, ascii bool) {
	all := byte(0)
	for ; n < len(b) && b[n] >= ' ' && b[n] != '"' && b[n] != '\\'; n++ {
		all |= b[n]
	}
	return n, all < utf8.RuneSelf
}

// betweenEvents reports whether the next byte begins an event, with no event:
// field before it.
func (r *eventReader) betweenEvents() bool {
	return len(r.out) == r.ready && r.left == 0 && len(r.typ) == 0 && r.field == fieldUnknown && len(r.name) == 0
}
