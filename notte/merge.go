package notte

import (
	"bytes"
	"unicode/utf8"
)

const (
	// minMerge is the size in bytes of a piece in which deltas are merged. Less
	// comes when an agent's words come one by one, each to be shown at once.
	minMerge = 1 << 10

	// maxMerged bounds a merged event in bytes. 4 KiB hold the text of about a
	// hundred deltas, so the work on the event hardly counts for each. They fit
	// into go-sse's first buffer, which then never grows, and four times into
	// an entry of a job's log.
	maxMerged = 4 << 10
)

// deltaShape is what the events of a run of plain deltas have in common: all but
// their texts. It is empty while none is known.
type deltaShape struct {
	lead []byte // up to and with the text's first quote: data: {"type":"text_delta","delta":"
	tail []byte // from the text's last quote to the end of the blank line
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
	return deltaShape{
		lead: bytes.Clone(line[:at-len(d.text)]),
		tail: append(bytes.Clone(line[at:]), end...),
	}, true
}

// cutText returns the text of the event that b begins with, if the event has the
// shape s and its text is valid UTF-8 without quotes, escapes and control
// characters.
func (s deltaShape) cutText(b []byte) (text []byte, ok bool) {
	if len(s.lead) == 0 || !bytes.HasPrefix(b, s.lead) {
		return nil, false
	}
	b = b[len(s.lead):]
	end, ascii := 0, true
	for end < len(b) && b[end] >= ' ' && b[end] != '"' && b[end] != '\\' {
		ascii = ascii && b[end] < utf8.RuneSelf
		end++
	}
	text = b[:end]
	return text, bytes.HasPrefix(b[end:], s.tail) && (ascii || utf8.Valid(text))
}

// merge makes the plain deltas of one shape that b begins with one event, with
// their texts joined, and returns their length. It returns 0 if there are none.
func (r *eventReader) merge(b []byte) int {
	if len(r.shape.lead) == 0 || !bytes.HasPrefix(b, r.shape.lead) {
		shape, ok := shapeOf(b)
		if !ok {
			return 0
		}
		r.shape = shape
	}
	n, start := 0, len(r.out)
	for {
		text, ok := r.shape.cutText(b[n:])
		if !ok || len(r.out)-start+len(r.shape.lead)+len(text)+len(r.shape.tail) > maxMerged {
			break
		}
		if n == 0 {
			r.out = append(r.out, r.shape.lead...)
		}
		r.out = append(r.out, text...)
		n += len(r.shape.lead) + len(text) + len(r.shape.tail)
	}
	if n > 0 {
		r.out = append(r.out, bytes.TrimRight(r.shape.tail, "\r\n")...)
		r.out = append(r.out, "\n\n"...)
		r.ready = len(r.out)
		r.started, r.gotData = true, true
	}
	return n
}

// betweenEvents reports whether the next byte begins an event, with no event:
// field before it.
func (r *eventReader) betweenEvents() bool {
	return len(r.out) == r.ready && r.left == 0 && len(r.typ) == 0 && r.field == fieldUnknown && len(r.name) == 0
}
