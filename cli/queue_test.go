package cli

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"log"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// stream is a stderr that a test lets stall and fail. It is safe for concurrent use.
type stream struct {
	turn    chan struct{} // holds a value while the stream stalls, and during a Write; guards what follows
	err     error         // of each Write
	written bytes.Buffer
}

func newStream() *stream { return &stream{turn: make(chan struct{}, 1)} }

// stall makes each Write wait until goOn is called.
func (s *stream) stall() { s.turn <- struct{}{} }
func (s *stream) goOn()  { <-s.turn }

func (s *stream) Write(p []byte) (int, error) {
	s.stall()
	defer s.goOn()
	if s.err != nil {
		return 0, s.err
	}
	return s.written.Write(p)
}

func (s *stream) fail(err error) {
	s.stall()
	defer s.goOn()
	s.err = err
}

func (s *stream) String() string {
	s.stall()
	defer s.goOn()
	return s.written.String()
}

// newTestQueue returns a queue to a stream, in which it writes how many lines were
// dropped.
func newTestQueue(patient bool) (*queue, *stream) {
	s := newStream()
	q := &queue{out: s}
	q.configure(patient, func(missed int) { fmt.Fprintf(s, "dropped %d\n", missed) })
	return q, s
}

// await waits until all is written, however slow the machine is.
func (q *queue) await() {
	for !q.flush() {
	}
}

func TestQueueNeverWaits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		q, s := newTestQueue(false)
		start := time.Now()
		s.stall()
		first := "first\n"
		q.WriteString(first)
		synctest.Wait() // a write of it stalls
		line := strings.Repeat("x", 1023) + "\n"
		const sent = 3 * maxQueued / 1024
		for range sent {
			q.WriteString(line)
		}
		q.WriteString("it would fit, but others before it were dropped\n")
		if q.flush() {
			t.Error("flush says that all is written")
		}
		if took := time.Since(start); took != moment {
			t.Errorf("it took %s, want that of one flush", took)
		}
		s.goOn()
		if !q.flush() {
			t.Error("flush says that not all is written")
		}
		q.WriteString("next\n")
		q.flush()
		kept := maxQueued / 1024
		if got, want := s.String(), first+strings.Repeat(line, kept)+fmt.Sprintf("dropped %d\n", sent-kept+1)+"next\n"; got != want {
			t.Errorf("wrote %d bytes that end with %q, want %d that end with %q", len(got), got[max(0, len(got)-50):], len(want), want[len(want)-50:])
		}
	})
}

// A text that is longer than the queue is written all the same.
func TestQueueTakesALongText(t *testing.T) {
	q, s := newTestQueue(false)
	long := strings.Repeat("x", 2*maxQueued)
	q.WriteString(long)
	if q.await(); s.String() != long {
		t.Errorf("wrote %d bytes", len(s.String()))
	}
}

// A terminal command's stderr has what was written when the write returns. When it
// stalls, one write waits for it, and only for a moment.
func TestPatientQueueWaitsOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		q, s := newTestQueue(true)
		start := time.Now()
		waits := func(text string, want time.Duration) {
			t.Helper()
			before := time.Now()
			if q.WriteString(text); time.Since(before) != want {
				t.Errorf("the write of %q took %s, want %s", text, time.Since(before), want)
			}
		}
		waits("one\n", 0)
		if got := s.String(); got != "one\n" {
			t.Errorf("wrote %q", got)
		}
		s.stall()
		waits("two\n", moment)
		waits("three\n", 0)
		waits("four\n", 0)
		s.goOn()
		q.flush()
		waits("five\n", 0)
		if got := s.String(); got != "one\ntwo\nthree\nfour\nfive\n" {
			t.Errorf("wrote %q", got)
		}
		s.stall()
		waits("six\n", moment) // it has recovered, so it is waited for again
		s.goOn()
		q.flush()
		if took := time.Since(start); took != 2*moment {
			t.Errorf("all took %s", took)
		}
	})
}

// A full disk loses lines, not the count of them.
func TestQueueCountsWhatFails(t *testing.T) {
	q, s := newTestQueue(false)
	s.fail(errors.New("no space left on device"))
	for range 3 {
		q.WriteString("lost\n")
		q.await()
	}
	s.fail(nil)
	q.WriteString("kept\n")
	q.WriteString("and this\n")
	q.await()
	if got := strings.Replace(s.String(), "dropped 3\n", "", 1); got != "kept\nand this\n" || got == s.String() {
		t.Errorf("wrote %q", s.String())
	}
}

func TestQueueKeepsTheOrderOfAWriter(t *testing.T) {
	q, s := newTestQueue(false)
	var writers sync.WaitGroup
	for w := range 8 {
		writers.Go(func() {
			for n := range 100 {
				fmt.Fprintf(q, "%d %02d\n", w, n)
			}
		})
	}
	writers.Wait()
	q.await()
	next := map[string]int{}
	for line := range strings.Lines(s.String()) {
		writer, n, _ := strings.Cut(strings.TrimSpace(line), " ")
		if n != fmt.Sprintf("%02d", next[writer]) {
			t.Fatalf("the line %q of writer %s follows %d others of it", line, writer, next[writer])
		}
		next[writer]++
	}
	if len(next) != 8 || strings.Count(s.String(), "\n") != 800 {
		t.Errorf("%d lines of %d writers are written", strings.Count(s.String(), "\n"), len(next))
	}
}

// A level that is not logged never reaches the queue.
func TestLogSkipsLevelsBeforeTheQueue(t *testing.T) {
	p := newProgram(Env{Stderr: io.Discard})
	p.settings.logFormat = "text"
	p.startLog(false)
	stalled := newStream()
	stalled.stall()
	defer stalled.goOn()
	p.stderr.out = stalled
	p.log.Debug("not logged")
	if p.log.Enabled(t.Context(), slog.LevelDebug) || p.stderr.idle != nil {
		t.Error("a record below the level is in the queue")
	}
}

// What libraries write to the standard logger is for developers, and never waits.
func TestStandardLogIsPartOfTheLog(t *testing.T) {
	for level, want := range map[string]int{"debug": 1, "info": 0} {
		s := newStream()
		p := newProgram(Env{Environ: []string{"NOTTE_API_KEY=key-4711"}, Stderr: s})
		p.settings.logFormat, p.settings.logLevel = "json", level
		p.startLog(false)
		s.stall()
		log.Print("http: the response has the key key-4711")
		s.goOn()
		p.stderr.await()
		if got := s.String(); strings.Count(got, `"level":"DEBUG","msg":"http: the response`) != want || strings.Contains(got, "4711") {
			t.Errorf("at %s the log is %q", level, got)
		}
	}
}

// What was dropped is reported in the format of the log.
func TestLogReportsDroppedLines(t *testing.T) {
	for format, want := range map[string]string{"text": "WRN ", "json": `"level":"WARN"`} {
		s := newStream()
		p := newProgram(Env{Stderr: s})
		p.settings.logFormat = format
		p.startLog(false)
		s.stall()
		for n := range 4 * maxQueued / 1000 {
			p.log.Info(strings.Repeat("x", 1000), "n", n)
		}
		s.goOn()
		p.stderr.await()
		var reports []string
		for line := range strings.Lines(s.String()) {
			if strings.Contains(line, "lines were dropped") {
				reports = append(reports, line)
			}
		}
		if len(reports) == 0 || !strings.Contains(reports[0], want) {
			t.Errorf("%s: the log reports %q", format, reports)
		}
	}
}
