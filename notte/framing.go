package notte

import (
	"bytes"
	"io"
)

const (
	// maxEvent bounds an event in bytes: 16 MiB and a little for what
	// stands around its content.
	maxEvent = 16<<20 + 4<<10

	// A framer reads in pieces that grow from minRead to maxRead while they
	// come full: a thousand quiet builds need little, a fast one gets more.
	minRead, maxRead = 512, 64 << 10

	// largeEvent is the size from which an event's buffers are given back
	// once it is through.
	largeEvent = 256 << 10

	maxTypeName = 128 // bytes of an event: field; a longer one is cut
)

// field is what the line being read holds.
type field uint8

const (
	fieldUnknown field = iota // its name is not over yet
	fieldData
	fieldType
	fieldIgnored // a comment, id:, retry: or something new
)

// framer reads an event stream as servers write it and gives it out as go-sse
// wants it: whole events of data: lines and at most one event: line, LF after
// each line, a blank line after each event. It takes any of the three line
// ends, a byte order mark, a missing last line end, and pieces of any size.
//
// It ends an event as soon as a data: line completes a JSON value, since some
// servers send no blank lines and others send them late; so several data: lines
// that hold one JSON value each are several events, and those of a value
// printed over several lines stay one. An event over maxEvent is left out.
//
// Every byte is looked at once, and what is given out ends at an event's end
// wherever the asked-for size allows: go-sse's scanner starts an unfinished
// event over at each Read.
//
// Read's only error is io.EOF. It also comes, once, after a large event, to
// make go-sse let go of its buffer: read on with a new scanner until done.
type framer struct {
	src     io.Reader
	tooLong func(size int) // told of each event left out

	in         []byte // what src is read into
	out        []byte // out[pos:ready] are whole events, out[ready:] is the one being read
	pos, ready int
	err        error // src's, io.EOF included
	large      bool  // a large event was given out

	started bool // the byte order mark's place is past
	afterCR bool // an LF now is the second half of a CRLF
	field   field
	name    []byte  // what of the field's name has come
	inLine  bool    // the data: line holds more than white space
	json    nesting // where in its JSON the event is
	typ     []byte  // the event: field, valid until a blank line
	left    int     // bytes of the event being left out; 0 when it is kept
}

func newFramer(src io.Reader, tooLong func(size int)) *framer {
	return &framer{src: src, tooLong: tooLong, in: make([]byte, minRead)}
}

// done reports whether everything has been given out.
func (f *framer) done() bool { return f.err != nil && f.pos == f.ready }

// Read gives out whole events as far as p holds them, as soon as there are any.
func (f *framer) Read(p []byte) (int, error) {
	for f.pos == f.ready {
		f.compact()
		if f.large || f.err != nil {
			f.large = false
			return 0, io.EOF
		}
		f.fill()
	}
	n := copy(p, f.out[f.pos:f.ready])
	f.pos += n
	return n, nil
}

// compact moves the event being read to the front. What it moves has come with
// the piece that completed the event before, so that no byte is moved twice.
func (f *framer) compact() {
	rest := f.out[f.ready:]
	switch {
	case f.ready == 0:
		return
	case f.large:
		f.out = append([]byte(nil), rest...)
	default:
		f.out = f.out[:copy(f.out, rest)]
	}
	f.pos, f.ready = 0, 0
}

// fill reads one piece. The end of src, whatever its reason, ends the line and
// the event that it stands in: only what was promised after it is lost.
func (f *framer) fill() {
	n, err := f.src.Read(f.in)
	f.feed(f.in[:n])
	if err != nil {
		f.endLine()
		f.endEvent()
		f.err = err
		f.in = nil
		return
	}
	if n == len(f.in) && n < maxRead {
		f.in = make([]byte, 2*n)
	}
}

func (f *framer) feed(b []byte) {
	for len(b) > 0 {
		if f.afterCR {
			f.afterCR = false
			if b[0] == '\n' {
				b = b[1:]
				continue
			}
		}
		n := f.take(b)
		if n < len(b) && isLineEnd(b[n]) {
			f.endLine()
			f.afterCR = b[n] == '\r'
			n++
		}
		b = b[n:]
	}
}

// take takes in what of b belongs to one part of a line, its name or its value,
// and returns its length. The line end is not part of it.
func (f *framer) take(b []byte) int {
	switch f.field {
	case fieldUnknown:
		return f.takeName(b)
	case fieldData:
		return f.takeData(b)
	case fieldType:
		n := lineLength(b)
		f.typ = append(f.typ, b[:min(n, maxTypeName-len(f.typ))]...)
		return n
	default:
		return lineLength(b)
	}
}

func (f *framer) takeName(b []byte) int {
	if len(f.name) == 0 && bytes.HasPrefix(b, []byte("data:")) {
		f.started = true
		f.field = fieldData
		return len("data:")
	}
	for i, c := range b {
		switch {
		case isLineEnd(c):
			return i
		case c == ':':
			f.endName()
			return i + 1
		case len(f.name) == len("event"):
			f.field = fieldIgnored
			return i + 1
		}
		f.name = append(f.name, c)
		if !f.started && string(f.name) == "\uFEFF" {
			f.started = true
			f.name = f.name[:0]
		}
	}
	return len(b)
}

func (f *framer) endName() {
	switch string(f.name) {
	case "data":
		f.field = fieldData
	case "event":
		f.field = fieldType
		f.typ = f.typ[:0]
	default:
		f.field = fieldIgnored
	}
}

func (f *framer) takeData(b []byte) int {
	if !f.inLine {
		if b[0] == ' ' || b[0] == '\t' || isLineEnd(b[0]) {
			if isLineEnd(b[0]) {
				return 0
			}
			return 1
		}
		f.beginData(b[0])
	}
	n := f.json.scan(b)
	f.keep(b[:n])
	return n
}

// beginData begins a data: line whose value begins with c. An object where none
// can stand shows that the JSON before it was broken off: the event ends there,
// or it would swallow all that follow on a stream without blank lines.
func (f *framer) beginData(c byte) {
	if c == '{' && !f.json.valueFits() {
		f.endEvent()
	}
	f.inLine = true
	f.keep([]byte("data: "))
}

// endLine ends a line. A JSON text that is complete ends its event, and so does
// one that can no longer become complete, as strings do not go over line ends.
func (f *framer) endLine() {
	switch {
	case f.field == fieldUnknown && len(f.name) == 0:
		f.endEvent()
		f.typ = f.typ[:0]
	case f.field == fieldData && f.inLine:
		f.keep([]byte("\n"))
		if f.json.depth <= 0 || f.json.inString {
			f.endEvent()
		}
	}
	f.started = true
	f.field, f.inLine, f.name = fieldUnknown, false, f.name[:0]
}

// keep adds to the event being read, or gives the event up when it is too long.
func (f *framer) keep(b []byte) {
	size := len(f.out) - f.ready
	switch {
	case f.left > 0:
		f.left += len(b)
	case size+len(b) > maxEvent:
		f.left = size + len(b)
		f.out = append([]byte(nil), f.out[:f.ready]...)
	default:
		f.out = append(f.out, b...)
	}
}

// endEvent ends the event being read, if there is one.
func (f *framer) endEvent() {
	f.json = nesting{}
	if f.left > 0 {
		f.tooLong(f.left)
		f.left = 0
		return
	}
	size := len(f.out) - f.ready
	if size == 0 {
		return
	}
	if typ := bytes.TrimSpace(f.typ); len(typ) > 0 {
		f.out = append(f.out, "event: "...)
		f.out = append(f.out, typ...)
		f.out = append(f.out, '\n')
	}
	f.out = append(f.out, '\n')
	f.ready = len(f.out)
	f.large = f.large || size > largeEvent
}

func isLineEnd(c byte) bool { return c == '\n' || c == '\r' }

// lineLength is the length of b up to its first line end.
func lineLength(b []byte) int {
	for i, c := range b {
		if isLineEnd(c) {
			return i
		}
	}
	return len(b)
}

// nesting follows how deep in objects and arrays a JSON text is. Its zero value
// is the beginning of a text. It takes any bytes: what is not JSON comes out
// somewhere, and is found out by who reads it.
type nesting struct {
	depth    int
	inString bool
	escaped  bool // the last byte in the string was a backslash
	last     byte // the last byte outside of strings that is not white space
}

// valueFits reports whether a value may stand where the text is.
func (n *nesting) valueFits() bool {
	return !n.inString && (n.last == 0 || n.last == '[' || n.last == ',' || n.last == ':')
}

// scan follows b up to its first line end and returns the length up to there.
func (n *nesting) scan(b []byte) int {
	for i := 0; i < len(b); i++ {
		if n.inString && !n.escaped {
			i += plainLength(b[i:])
			if i == len(b) {
				break
			}
		}
		c := b[i]
		if isLineEnd(c) {
			return i
		}
		if n.inString {
			switch {
			case n.escaped:
				n.escaped = false
			case c == '\\':
				n.escaped = true
			case c == '"':
				n.inString = false
			}
			continue
		}
		switch c {
		case ' ', '\t':
			continue
		case '"':
			n.inString = true
		case '{', '[':
			n.depth++
		case '}', ']':
			n.depth--
		}
		n.last = c
	}
	return len(b)
}

// plainLength is the length of b up to the first byte that may mean something
// in a JSON string: a quote, a backslash or a line end.
func plainLength(b []byte) int {
	for i, c := range b {
		if c <= '"' && c != ' ' || c == '\\' {
			return i
		}
	}
	return len(b)
}
