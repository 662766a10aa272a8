package notte

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"iter"
	"strings"
	"sync/atomic"
	"time"

	sse "github.com/tmaxmax/go-sse"

	"github.com/anything-mcp/anything-mcp/text"
)

// Stream is a build or a run as it happens. One goroutine may range over its
// Events. Close may be called from any goroutine at any time. A Stream must be
// closed unless it is ranged over.
type Stream struct {
	client              *Client
	ctx                 context.Context         // the caller's
	cancel              context.CancelCauseFunc // ends the request
	op                  string                  // "follow the build"
	host                string
	detached            bool           // the answer says that the build goes on without this client
	events              bool           // the body is a stream of events; otherwise it is a run's result
	threadID, threadURL string         // as the answer named them before its events
	clock               *time.Duration // how far Notte's clock is ahead of ours; nil: not known
	decoder             decoder
	body                *watchedBody
	reader              io.Reader               // body, or what has been looked at and then body
	noResult            func(body []byte) error // returns why a run's answer in JSON is no result; nil for events
	used                atomic.Bool
	skipped             int // events that were not understood or too long
}

// Events yields the stream's events as they come, up to and with its terminal
// event, and closes the stream. What follows a terminal event is not read.
// Deltas that arrive together may come as one, up to 4 KiB long, with their
// texts joined.
//
// The stream may be in v1 or v2, and change from one to the other. In v1 each event
// is one of Notte's. In v2 the events are made from chunks:
//   - A message_complete follows the text of each step. The agent's answer is the
//     text after the last message_complete that text followed. If a step is tried
//     again, a message_complete and an empty text_delta replace its text.
//   - Each function that the stream names is a function_uploaded: see
//     [Event.FunctionFrom]. The terminal event has no function.
//   - The terminal event comes when the stream has ended, even after an error,
//     because a function may follow the error. It comes only after "[DONE]", or
//     after a "finish", "abort" or "error" without later work of the agent.
//
// Data that is not an event is skipped and logged. An error comes last, with a zero
// Event. If the stream ended before a terminal event, the error wraps
// io.ErrUnexpectedEOF and the reason, if known, such as [ErrIdle]. If the caller's
// context ended, the error wraps the context's cause.
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
		more := s.read(func(ev Event) bool {
			if !s.decoder.run {
				ev.Result = nil
			}
			return yield(ev, nil) && !ev.Terminal()
		})
		if more {
			yield(Event{}, s.lost())
		}
	}
}

// read calls yield with every event of the answer until it returns false, and
// reports whether the answer ended before that.
func (s *Stream) read(yield func(Event) bool) bool {
	if s.threadID != "" && !s.yieldThread(EventThread, yield) {
		return false
	}
	switch {
	case s.detached:
		return s.yieldThread(EventDetached, yield)
	case !s.events:
		return s.readResult(yield)
	}
	return s.readEvents(yield) && (s.ctx.Err() != nil || s.body.closed.Load() || s.decoder.end(yield))
}

// yieldThread yields an event with the thread that the answer named before its
// events. It is not inlined, to keep the stack of the waiting goroutine small: see parse.
//
//go:noinline
func (s *Stream) yieldThread(t EventType, yield func(Event) bool) bool {
	return yield(Event{Type: t, ThreadID: s.threadID, ThreadURL: s.threadURL})
}

// AtNotte returns a time of our clock by Notte's, to about a second. It is zero if the
// answer did not say what time it was there.
func (s *Stream) AtNotte(t time.Time) time.Time {
	if s.clock == nil {
		return time.Time{}
	}
	return t.Add(*s.clock)
}

// Cost returns what a v2 stream has told of the build's cost so far, in US dollars, or
// nil. It is needed if the stream is lost, because otherwise the terminal event has the
// cost. Only the goroutine that ranges over Events may call it.
func (s *Stream) Cost() *float64 { return s.decoder.turn.cost }

// Close ends the stream. A loop over its events ends with an error.
func (s *Stream) Close() error {
	s.cancel(errClosed)
	return s.body.Close()
}

// readEvents calls yield with every event of the body until it returns false, and
// reports whether the body ended before that.
func (s *Stream) readEvents(yield func(Event) bool) bool {
	reader := newEventReader(s.reader, s.skipLong)
	for reader.err == nil {
		piece := reader.next()
		if reader.gotData {
			s.body.alive()
		}
		if len(piece) == 0 {
			continue
		}
		if !s.parse(piece, yield) {
			return false
		}
		s.body.limit(s.idleTimeout())
	}
	s.body.setErr(reader.err)
	return true
}

// parse yields the events in a piece of the stream that ends with an event. Each
// piece gets a parser of its own, which takes more than 4 KiB, so that a quiet
// stream holds none. It is not inlined, because that would grow the stack of the
// goroutine that waits for the next piece.
//
//go:noinline
func (s *Stream) parse(piece []byte, yield func(Event) bool) bool {
	config := &sse.ReadConfig{MaxEventSize: maxEvent + 1<<10}
	for raw, err := range sse.Read(bytes.NewReader(piece), config) {
		if err != nil {
			s.skip("an event that the parser refused", 0)
			break
		}
		if !s.decode(raw, yield) {
			return false
		}
	}
	return true
}

// decode yields the events in one event of the stream. If its data as a whole is
// not JSON, each of its lines may be an event.
func (s *Stream) decode(raw sse.Event, yield func(Event) bool) bool {
	data := s.client.Redact(raw.Data)
	more, err := s.decoder.decode(raw.Type, data, yield)
	if err == nil {
		return more
	}
	if !strings.Contains(data, "\n") {
		s.skip(err.Error(), len(data))
		return true
	}
	for line := range strings.SplitSeq(data, "\n") {
		if more, err := s.decoder.decode(raw.Type, line, yield); err != nil {
			s.skip(err.Error(), len(line))
		} else if !more {
			return false
		}
	}
	return true
}

// idleTimeout returns how long the next event may be awaited.
func (s *Stream) idleTimeout() time.Duration {
	idle := s.client.idle
	if idle == 0 {
		idle = DefaultIdleTimeout
		if s.decoder.language == languageV2 {
			idle = DefaultIdleTimeoutV2
		}
	}
	if s.decoder.turn.ending.over() {
		idle = min(idle, endedTimeout)
	}
	return idle
}

// readResult calls yield with the result that a run's start was answered with, and
// reports whether there was none.
func (s *Stream) readResult(yield func(Event) bool) bool {
	body, err := io.ReadAll(io.LimitReader(s.reader, maxAnswer+1))
	if err != nil {
		s.body.setErr(err)
		return true
	}
	if len(body) > maxAnswer {
		s.skipLong(len(body))
		return true
	}
	answer, ok := readJSON(s.client.Redact(string(body)))
	f := fieldsOf(answer)
	if !ok || f.text("status", "function_run_id", "workflow_run_id", "session_id") == "" && !f["result"].Exists() {
		s.skip("not a run result", len(body))
		s.body.setErr(s.noResult(body))
		return true
	}
	yield(Event{Type: EventResult, Result: parseRunResult(f), Size: len(body)})
	return false
}

// lost returns the error of a stream that ended without a terminal event.
func (s *Stream) lost() error {
	if s.ctx.Err() != nil {
		return fmt.Errorf("could not %s to its end: stopped: %w", s.op, context.Cause(s.ctx))
	}
	e := &lostError{cause: s.body.failure()}
	if refused, ok := errors.AsType[*Error](e.cause); ok {
		e.text = refused.Error()
		return e
	}
	var why string
	switch {
	case errors.Is(e.cause, ErrIdle):
		why = fmt.Sprintf("no event came from %s for %s", s.host, text.Duration(s.body.idleTimeout))
	case errors.Is(e.cause, errClosed):
		why = "the stream was closed"
	case s.decoder.turn.interrupted():
		why = "Notte interrupted the work"
	case e.cause != nil:
		why = fmt.Sprintf("the connection to %s broke (%s)", s.host, s.client.message(e.cause.Error()))
	default:
		why = s.host + " ended the stream"
	}
	if e := s.decoder.turn.ending; e.bad == EventError && e.why != "" {
		why += fmt.Sprintf(", after an error (%s),", s.client.message(e.why))
	}
	if s.skipped > 0 {
		why += fmt.Sprintf(", with %d parts that could not be read,", s.skipped)
	}
	e.text = fmt.Sprintf("could not %s to its end: %s before Notte told the outcome. What was received until then is valid, and the work may go on at Notte.", s.op, why)
	return e
}

// lostError is a stream's end without a terminal event.
type lostError struct {
	text  string
	cause error // nil if the stream just ended
}

func (e *lostError) Error() string { return e.text }

func (e *lostError) Unwrap() []error {
	if e.cause == nil {
		return []error{io.ErrUnexpectedEOF}
	}
	return []error{io.ErrUnexpectedEOF, e.cause}
}

func (s *Stream) skipLong(size int) { s.skip("longer than is read", size) }

// skip counts a part that was not understood, and logs the first one only, so that
// a broken stream does not fill the log. Content is never logged.
func (s *Stream) skip(why string, size int) {
	if s.skipped++; s.skipped == 1 {
		s.client.log.Warn("a part of a stream was skipped", "op", s.op, "why", why, "bytes", size)
	}
}

func (s *Stream) reportSkipped() {
	if s.skipped > 1 {
		s.client.log.Warn("parts of a stream were skipped", "op", s.op, "parts", s.skipped)
	}
}
