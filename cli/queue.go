package cli

import (
	"io"
	"strings"
	"sync"
	"time"
)

const (
	// maxQueued bounds the texts that wait in a queue, in bytes.
	maxQueued = 256 << 10

	// moment is how long a command waits for a stream that stalls.
	moment = 500 * time.Millisecond
)

// queue writes texts to a stream that may stall for ever: many hosts give a server a
// pipe as stderr and never read it. Texts wait in the queue while a goroutine writes
// those before them. What comes while the queue is full is dropped, and its lines are
// counted. A queue has no errors: a text that cannot be written counts as dropped.
// It is safe for concurrent use.
type queue struct {
	out    io.Writer
	missed int // lines that are dropped and not reported yet; only the goroutine uses it

	mu      sync.Mutex       // guards what follows
	report  func(missed int) // see configure; nil: nothing is reported
	patient bool             // see configure
	stalled bool             // such a wait was in vain, and not all is written since
	texts   []string         // what the goroutine has not taken yet
	size    int              // of texts, in bytes
	dropped int              // lines that came after texts
	idle    chan struct{}    // closed when all is written; nil if all is
}

// Write implements [io.Writer].
func (q *queue) Write(p []byte) (int, error) { return q.WriteString(string(p)) }

// WriteString implements [io.StringWriter].
func (q *queue) WriteString(text string) (int, error) {
	if q.add(text) && !q.flush() {
		q.mu.Lock()
		q.stalled = q.idle != nil
		q.mu.Unlock()
	}
	return len(text), nil
}

// add adds a text or drops it. It reports whether its caller should wait.
func (q *queue) add(text string) (wait bool) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.dropped > 0 || len(q.texts) > 0 && q.size+len(text) > maxQueued {
		q.dropped += strings.Count(text, "\n")
		return false
	}
	q.texts, q.size = append(q.texts, text), q.size+len(text)
	if q.idle == nil {
		q.idle = make(chan struct{})
		go q.drain()
	}
	return q.patient && !q.stalled
}

// drain writes until no text is left.
func (q *queue) drain() {
	for {
		texts, dropped, report := q.take()
		if len(texts) == 0 {
			return
		}
		var err error
		for _, text := range texts {
			if _, err = io.WriteString(q.out, text); err != nil {
				q.missed += strings.Count(text, "\n")
			}
		}
		if q.missed += dropped; err == nil && q.missed > 0 && report != nil {
			report(q.missed)
			q.missed = 0
		}
	}
}

// take empties the queue. If it was empty, all is written.
func (q *queue) take() (texts []string, dropped int, report func(missed int)) {
	q.mu.Lock()
	defer q.mu.Unlock()
	texts, dropped = q.texts, q.dropped
	q.texts, q.size, q.dropped = nil, 0, 0
	if len(texts) == 0 {
		close(q.idle)
		q.idle, q.stalled = nil, false
	}
	return texts, dropped, q.report
}

// configure sets whether WriteString waits a moment until the text is written, and
// what writes to out how many lines were dropped.
func (q *queue) configure(patient bool, report func(missed int)) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.patient, q.report = patient, report
}

// flush waits a moment until all is written, and reports whether it is.
func (q *queue) flush() bool {
	q.mu.Lock()
	idle := q.idle
	q.mu.Unlock()
	if idle == nil {
		return true
	}
	const parts = 5 // so that a pause of the whole process takes only one of them
	for range parts {
		select {
		case <-idle:
			return true
		case <-time.After(moment / parts):
		}
	}
	return false
}
