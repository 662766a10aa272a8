package notte

import (
	"context"
	"errors"
	"fmt"
	"io"
	"iter"
	"log/slog"
	"strings"
	"sync/atomic"
	"time"

	sse "github.com/tmaxmax/go-sse"

	"github.com/anything-mcp/anything-mcp/text"
)

// ErrIdle is the cause of a stream's end when nothing came for the configured
// time, not even a comment.
var ErrIdle = errors.New("nothing came for too long")

// errClosed is the cause of a stream's end when [Stream.Close] was called.
var errClosed = errors.New("the stream was closed")

// Stream is a build or a run as it happens. One goroutine may range over its
// Events; Close may be called from any, at any time. A Stream that is not ranged
// over has to be closed.
type Stream struct {
	op       string // "follow the build"
	host     string
	run      bool // of a run, not of a build
	json     bool // the body is a run result as JSON, not a stream of events
	redactor text.Redactor
	message  func(string) string
	log      *slog.Logger

	ctx    context.Context // the caller's
	body   *watchedBody
	events io.Reader               // body, unpacked
	cancel context.CancelCauseFunc // of the request's own context
	used   atomic.Bool

	skipped int // events that were not understood or too long
}

// Events yields the stream's events as they come, up to and with its terminal
// event, and closes the stream. What follows a terminal event is not read.
//
// Lines that are no event are skipped; the logger is told. An error comes last,
// with a zero Event: it wraps io.ErrUnexpectedEOF when the stream ended before a
// terminal event, along with the reason if there is one ([ErrIdle], a reset), or
// the context's cause when the caller's context ended.
//
// Events may be ranged over once.
func (s *Stream) Events() iter.Seq2[Event, error] {
	return func(yield func(Event, error) bool) {
		if s.used.Swap(true) {
			yield(Event{}, fmt.Errorf("could not %s: its events have been read already", s.op))
			return
		}
		defer s.Close()
		defer s.reportSkipped()
		events := s.streamed
		if s.json {
			events = s.answered
		}
		if more := events(func(ev Event) bool { return yield(ev, nil) && !ev.Terminal() }); more {
			yield(Event{}, s.lost())
		}
	}
}

// Close ends the stream. A loop over its events ends with an error.
func (s *Stream) Close() error {
	s.cancel(errClosed)
	return s.body.Close()
}

// streamed calls yield with every event of the body until it returns false, and
// reports whether the body ended before that.
func (s *Stream) streamed(yield func(Event) bool) bool {
	frames := newFramer(s.events, s.tooLong)
	for !frames.done() {
		for raw, err := range sse.Read(frames, &sse.ReadConfig{MaxEventSize: maxEvent + 1<<10}) {
			if err != nil {
				s.skip("an event that the parser refused", 0)
				break
			}
			if !s.decode(raw, yield) {
				return false
			}
		}
	}
	s.body.note(frames.err)
	return true
}

// decode yields what is in one event: itself, or, where its data is no JSON as
// a whole, the events that its lines are.
func (s *Stream) decode(raw sse.Event, yield func(Event) bool) bool {
	data := s.redactor.Redact(raw.Data)
	ev, err := decodeEvent(raw.Type, data)
	if err == nil {
		return s.pass(ev, yield)
	}
	if !strings.Contains(data, "\n") {
		s.skip(err.Error(), len(data))
		return true
	}
	for line := range strings.SplitSeq(data, "\n") {
		if ev, err := decodeEvent(raw.Type, line); err != nil {
			s.skip(err.Error(), len(line))
		} else if !s.pass(ev, yield) {
			return false
		}
	}
	return true
}

func (s *Stream) pass(ev Event, yield func(Event) bool) bool {
	if !s.run {
		ev.Result = nil
	}
	return yield(ev)
}

// answered yields the result that a run's start was answered with.
func (s *Stream) answered(yield func(Event) bool) bool {
	body, err := io.ReadAll(io.LimitReader(s.events, maxAnswer+1))
	if err != nil {
		s.body.note(err)
		return true
	}
	if len(body) > maxAnswer {
		s.tooLong(len(body))
		return true
	}
	answer, ok := readJSON(s.redactor.Redact(string(body)))
	if !ok || !answer.IsObject() || firstText(answer, "status", "function_run_id", "workflow_run_id", "session_id") == "" && !answer.Get("result").Exists() {
		s.skip("not a run result", len(body))
		return true
	}
	yield(Event{Type: EventResult, Result: parseRunResult(answer), Size: len(body)})
	return false
}

// lost is the error of a stream that ended without a terminal event.
func (s *Stream) lost() error {
	if s.ctx.Err() != nil {
		return fmt.Errorf("could not %s to its end: stopped: %w", s.op, context.Cause(s.ctx))
	}
	e := &lostError{cause: s.body.failure()}
	var why string
	switch {
	case errors.Is(e.cause, ErrIdle):
		why = fmt.Sprintf("nothing came from %s for %s", s.host, s.body.patience)
	case errors.Is(e.cause, errClosed):
		why = "the stream was closed"
	case e.cause != nil:
		why = fmt.Sprintf("the connection to %s broke (%s)", s.host, s.message(e.cause.Error()))
	default:
		why = s.host + " ended the stream"
	}
	if s.skipped > 0 {
		why += fmt.Sprintf(", with %d parts that could not be read,", s.skipped)
	}
	e.text = s.redactor.Redact(fmt.Sprintf("could not %s to its end: %s before the outcome was told. What was told until then holds; the rest may go on at Notte.", s.op, why))
	return e
}

// lostError is a stream's end without a terminal event.
type lostError struct {
	text  string
	cause error // nil when the stream just ended
}

func (e *lostError) Error() string { return e.text }

func (e *lostError) Unwrap() []error {
	if e.cause == nil {
		return []error{io.ErrUnexpectedEOF}
	}
	return []error{io.ErrUnexpectedEOF, e.cause}
}

func (s *Stream) tooLong(size int) { s.skip("longer than is read", size) }

// skip counts what is not understood, and warns of the first: a stream of noise
// is not to fill the log.
func (s *Stream) skip(why string, size int) {
	if s.skipped++; s.skipped == 1 {
		s.log.Warn("skipped part of a stream", "op", s.op, "why", why, "bytes", size)
	}
}

func (s *Stream) reportSkipped() {
	if s.skipped > 1 {
		s.log.Warn("skipped parts of a stream", "op", s.op, "parts", s.skipped)
	}
}

// watchedBody is an answer's body whose silence is bounded: a Read that takes
// longer than patience fails with ErrIdle. Only the wait for bytes counts, not
// the time that a slow reader takes between two Reads.
type watchedBody struct {
	io.ReadCloser
	patience time.Duration // none if not positive
	timer    *time.Timer   // armed while a Read waits
	idle     atomic.Bool
	closed   atomic.Bool
	err      error // what reading failed with, but io.EOF
}

// watch bounds the silence of body. giveUp is called when it lasts too long, and
// has to make a waiting Read return.
func watch(body io.ReadCloser, patience time.Duration, giveUp func()) *watchedBody {
	w := &watchedBody{ReadCloser: body, patience: patience}
	if patience > 0 {
		w.timer = time.AfterFunc(patience, func() {
			w.idle.Store(true)
			giveUp()
			body.Close()
		})
		w.timer.Stop()
	}
	return w
}

func (w *watchedBody) Read(p []byte) (int, error) {
	if w.timer != nil {
		w.timer.Reset(w.patience)
		defer w.timer.Stop()
	}
	return w.ReadCloser.Read(p)
}

// note keeps what reading ended with.
func (w *watchedBody) note(err error) {
	if err != io.EOF {
		w.err = err
	}
}

// Close closes the body, and stops the watch over a Read that waits.
func (w *watchedBody) Close() error {
	w.closed.Store(true)
	return w.ReadCloser.Close()
}

// failure is why the body ended before its end, or nil if it did not.
func (w *watchedBody) failure() error {
	switch {
	case w.idle.Load():
		return ErrIdle
	case w.closed.Load():
		return errClosed
	}
	return w.err
}
