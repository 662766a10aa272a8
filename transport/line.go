package transport

import (
	"bufio"
	"bytes"
	"errors"
	"io"
	"sync"
	"sync/atomic"
)

// errLineTooLong is returned for a line over the limit; the next call reads
// the line after it.
var errLineTooLong = errors.New("the line is too long")

// lineReader reads lines of at most max bytes.
type lineReader struct {
	r   *bufio.Reader
	max int
}

func newLineReader(r io.Reader, max int) *lineReader {
	return &lineReader{r: bufio.NewReaderSize(r, 64<<10), max: max}
}

// next returns the next line that is not blank, without the white space around
// it, in memory of its own. A last line without a line feed counts. A line that
// is too long is read to its end but not kept. The error at the end of the
// input is the reader's, [io.EOF] as a rule.
func (l *lineReader) next() ([]byte, error) {
	for {
		line, err := l.read()
		if line = bytes.TrimSpace(line); len(line) > 0 || err != nil {
			return line, err
		}
	}
}

// read returns one line. What precedes an error of the reader is returned
// first, on its own: the reader gives its error again.
func (l *lineReader) read() ([]byte, error) {
	var line []byte
	tooLong := false
	for {
		part, err := l.r.ReadSlice('\n')
		if tooLong = tooLong || len(line)+len(part) > l.max+len("\n"); tooLong {
			line = nil
		} else {
			line = append(line, part...)
		}
		switch {
		case errors.Is(err, bufio.ErrBufferFull):
			continue
		case tooLong:
			return nil, errLineTooLong
		case err != nil && len(line) == 0:
			return nil, err
		default:
			return line, nil
		}
	}
}

// lineWriter writes one line per Write, from any goroutine. After a failed
// Write it fails at once and closes broken.
type lineWriter struct {
	broken chan struct{}
	closed atomic.Bool // nothing is begun any more

	mu  sync.Mutex // serialises Write and guards err
	w   io.Writer
	err error
}

func newLineWriter(w io.Writer) *lineWriter {
	return &lineWriter{w: w, broken: make(chan struct{})}
}

func (l *lineWriter) write(line []byte) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.err != nil {
		return l.err
	}
	if l.closed.Load() {
		return errStopped
	}
	if _, err := l.w.Write(line); err != nil {
		l.err = err
		close(l.broken)
	}
	return l.err
}

// notify and answer make a lineWriter the wire of every call.
func (l *lineWriter) notify(line []byte) error { return l.write(line) }

func (l *lineWriter) answer(line []byte, _ int) error { return l.write(line) }
