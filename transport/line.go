package transport

import (
	"bufio"
	"errors"
	"io"
	"sync/atomic"
)

// errLineTooLong is returned for a line over the limit. The next call reads the
// line after it.
var errLineTooLong = errors.New("the line is too long")

// lineReader reads lines of at most max bytes.
type lineReader struct {
	r   *bufio.Reader
	max int
}

func newLineReader(r io.Reader, max int) *lineReader {
	return &lineReader{r: bufio.NewReaderSize(r, 64<<10), max: max}
}

// next returns the next line that is not blank, trimmed by trimMessage. The caller
// owns the line. A last line without a line feed counts. next skips a line that is
// too long and returns errLineTooLong. At the end of the input, next returns the
// reader's error, in most cases [io.EOF].
func (l *lineReader) next() ([]byte, error) {
	for {
		line, err := l.read()
		if line = trimMessage(line); len(line) > 0 || err != nil {
			return line, err
		}
	}
}

// read returns one line. If the reader fails within a line, read returns the part
// before the error and no error; the next call returns the error.
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

// maxQueue bounds the answers that wait for a client that does not read.
const maxQueue = 256

// lineWriter writes one line per Write, from any goroutine. It is the wire of
// every call. After a Write has failed it fails at once and closes broken.
type lineWriter struct {
	broken chan struct{}
	closed atomic.Bool // no further Write begins
	queue  chan []byte // answers, which are written before all later lines

	// turn holds one value while a goroutine writes, and guards what follows. It is a
	// channel because testing/synctest does not see that a goroutine waits for a mutex.
	turn chan struct{}
	w    io.Writer
	err  error
}

func newLineWriter(w io.Writer) *lineWriter {
	return &lineWriter{
		broken: make(chan struct{}), queue: make(chan []byte, maxQueue), turn: make(chan struct{}, 1), w: w,
	}
}

// notify implements [wire].
func (l *lineWriter) notify(line []byte, over *atomic.Bool) error {
	l.lock()
	defer l.unlock()
	if over.Load() {
		return ErrCallOver
	}
	return l.write(line)
}

// answer implements [wire]. It does not wait for the client to read, unless maxQueue
// answers wait already, so that messages are read while a write stalls.
func (l *lineWriter) answer(line []byte, _ int) {
	l.queue <- line
	go l.flush()
}

// close implements [wire]. The client's other calls go on.
func (l *lineWriter) close() {}

// flush returns when all queued answers are written.
func (l *lineWriter) flush() {
	l.lock()
	l.unlock()
}

// lock waits for the turn to write, and writes the queued answers.
func (l *lineWriter) lock() {
	l.turn <- struct{}{}
	for {
		select {
		case line := <-l.queue:
			_ = l.write(line) // an error closes broken, which ends the server
		default:
			return
		}
	}
}

func (l *lineWriter) unlock() { <-l.turn }

// write writes one line. The caller holds the turn.
func (l *lineWriter) write(line []byte) error {
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
