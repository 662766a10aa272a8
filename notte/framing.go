package notte

import (
	"bytes"
	"io"
)

const (
	// maxEvent bounds an event in bytes: 16 MiB of content and a little for
	// what is around it.
	maxEvent = 16<<20 + 4<<10

	// An eventReader reads pieces of minRead to maxRead bytes. Its buffer grows
	// after full pieces and shrinks after small ones, so that quiet streams take
	// little memory and fast ones few calls.
	minRead, maxRead = 512, 64 << 10

	maxTypeName  = 128                              // bytes of an event: field; a longer one is cut
	maxFieldName = len("\uFEFF") + len("event") + 1 // bytes of a field's name that are kept to compare
)

var byteOrderMark = []byte("\uFEFF")

// field is what the line being read holds.
type field uint8

const (
	fieldUnknown field = iota // the line's colon has not come yet
	fieldData
	fieldType
	fieldIgnored // a comment, id:, retry: or something new
)

// eventReader reads an event stream and normalizes it for go-sse: whole events of
// data: lines and at most one event: line, LF after each line, a blank line after
// each event. It accepts CR, LF and CRLF as line ends, a byte order mark, a
// missing last line end, and pieces of any size.
//
// It ends an event as soon as a data: line completes a JSON value, because some
// servers send no blank lines and others send them late. So data: lines that hold
// one JSON value each are one event each, and a value over several lines is one
// event. An event over maxEvent is left out.
//
// It scans each byte once. Its buffers shrink with the last piece that was read.
type eventReader struct {
	src     io.Reader
	tooLong func(size int) // called for each event that is left out

	in      []byte // what src is read into
	out     []byte // out[:ready] are whole events, out[ready:] is the one being read
	ready   int
	gotData bool  // the last piece held bytes of a data: line
	err     error // why src ended, io.EOF included

	started bool // a byte order mark can no longer come
	afterCR bool // an LF now is the second half of a CRLF
	field   field
	name    []byte  // the field's name as far as it has come, at most maxFieldName bytes
	inValue bool    // the data: line holds more than white space
	json    nesting // where in its JSON the event is
	typ     []byte  // the event: field, valid until a blank line
	left    int     // bytes of the event being left out; 0 while it is kept
	shape   deltaShape
}

func newEventReader(src io.Reader, tooLong func(size int)) *eventReader {
	return &eventReader{src: src, tooLong: tooLong, in: make([]byte, minRead)}
}

// next reads one piece and returns the events that it completes, if any. They
// are valid until the next call. When the stream ends, for any reason, next sets
// err, and ends the line and the event being read, so that they are not lost.
func (r *eventReader) next() []byte {
	r.compact()
	r.gotData = false
	n, err := r.src.Read(r.in)
	r.addPiece(r.in[:n])
	if err != nil {
		r.endLine()
		r.endEvent()
		r.err = err
	}
	r.fit(n)
	return r.out[:r.ready]
}

// fit doubles in after a piece of n bytes that filled it, and halves it while the
// piece takes less than a quarter of it.
func (r *eventReader) fit(n int) {
	size := len(r.in)
	if n == size {
		size = min(2*size, maxRead)
	}
	for n < size/4 && size > minRead {
		size /= 2
	}
	if size != len(r.in) {
		r.in = make([]byte, size)
	}
}

// compact moves the event being read to the front of out. It frees out if that
// holds more than the next piece is likely to need.
func (r *eventReader) compact() {
	rest := r.out[r.ready:]
	switch {
	case cap(r.out) > 2*max(len(r.in), len(rest)):
		r.out = bytes.Clone(rest)
	case r.ready > 0:
		r.out = r.out[:copy(r.out, rest)]
	}
	r.ready = 0
}

// addPiece adds one piece of the stream, cut anywhere.
func (r *eventReader) addPiece(b []byte) {
	mayMerge := len(b) >= minMerge
	lineEnds := "\n"
	if bytes.IndexByte(b, '\r') >= 0 {
		lineEnds = "\r\n"
	}
	for len(b) > 0 {
		if r.afterCR {
			r.afterCR = false
			if b[0] == '\n' {
				b = b[1:]
				continue
			}
		}
		if mayMerge && r.betweenEvents() {
			if n := r.merge(b); n > 0 {
				b = b[n:]
				continue
			}
		}
		i := bytes.IndexAny(b, lineEnds)
		if i < 0 {
			r.addToLine(b)
			return
		}
		r.addToLine(b[:i])
		r.endLine()
		r.afterCR = b[i] == '\r'
		b = b[i+1:]
	}
}

// addToLine adds a part of a line, without its line end.
func (r *eventReader) addToLine(b []byte) {
	if r.field == fieldUnknown {
		name, value, found := bytes.Cut(b, []byte(":"))
		r.name = append(r.name, name[:min(len(name), maxFieldName-len(r.name))]...)
		if !found {
			return
		}
		r.endName()
		b = value
	}
	switch r.field {
	case fieldData:
		r.addData(b)
	case fieldType:
		r.typ = append(r.typ, b[:min(len(b), maxTypeName-len(r.typ))]...)
	}
}

// endName reads the name before a line's colon.
func (r *eventReader) endName() {
	name := r.name
	if !r.started {
		name = bytes.TrimPrefix(name, byteOrderMark)
	}
	switch string(name) {
	case "data":
		r.field = fieldData
	case "event":
		r.field = fieldType
		r.typ = r.typ[:0]
	default:
		r.field = fieldIgnored
	}
}

// addData adds a part of a data: line's value, without white space before it.
func (r *eventReader) addData(b []byte) {
	if !r.inValue {
		if b = bytes.TrimLeft(b, " \t"); len(b) == 0 {
			return
		}
		r.beginData(b[0])
	}
	r.gotData = true
	scan(&r.json, b)
	r.add(b)
}

// beginData begins a data: line whose value begins with c. If c begins an object
// where JSON allows none, the JSON before it was broken off, and its event ends
// here. Otherwise, on a stream without blank lines, that event would take in all
// later ones.
func (r *eventReader) beginData(c byte) {
	if c == '{' && !r.json.valueFits() {
		r.endEvent()
	}
	r.inValue = true
	r.add([]byte("data: "))
}

// endLine ends a line. The event ends too if its JSON is complete, or can no longer
// become complete because the line ended inside a string.
func (r *eventReader) endLine() {
	switch {
	case r.field == fieldUnknown && (len(r.name) == 0 || !r.started && bytes.Equal(r.name, byteOrderMark)):
		r.endEvent()
		r.typ = r.typ[:0]
	case r.field == fieldData && r.inValue:
		r.add([]byte("\n"))
		if r.json.depth <= 0 || r.json.inString {
			r.endEvent()
		}
	}
	r.started = true
	r.field, r.inValue, r.name = fieldUnknown, false, r.name[:0]
}

// add adds to the event being read, or leaves the event out if it is too long.
func (r *eventReader) add(b []byte) {
	size := len(r.out) - r.ready
	switch {
	case r.left > 0:
		r.left += len(b)
	case size+len(b) > maxEvent:
		r.left = size + len(b)
		r.out = bytes.Clone(r.out[:r.ready])
	default:
		r.out = append(r.out, b...)
	}
}

// endEvent ends the event being read, if there is one.
func (r *eventReader) endEvent() {
	r.json = nesting{}
	if r.left > 0 {
		r.tooLong(r.left)
		r.left = 0
		return
	}
	if len(r.out) == r.ready {
		return
	}
	if typ := bytes.TrimSpace(r.typ); len(typ) > 0 {
		r.out = append(r.out, "event: "...)
		r.out = append(r.out, typ...)
		r.out = append(r.out, '\n')
	}
	r.out = append(r.out, '\n')
	r.ready = len(r.out)
}
