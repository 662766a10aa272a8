package sandbox

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"time"
)

// Step is one action of a scripted answer. Steps have no state, so one script
// may serve any number of requests at once.
//
// An answer begins with its first byte or flush, with status 200 and content
// type text/event-stream unless an earlier step set others. It ends after its
// last step. Event and Raw flush what they write, except inside a Batch.
type Step struct {
	play func(*Stream) error
}

// Event writes v as JSON in one event: "data: ", v, and a blank line. It panics
// if v cannot be encoded.
func Event(v any) Step {
	frame := eventFrame(v)
	return Step{func(st *Stream) error { return st.send(frame) }}
}

// Raw writes these bytes as they are.
func Raw(bytes string) Step {
	b := []byte(bytes)
	return Step{func(st *Stream) error { return st.send(b) }}
}

// Flush sends the headers and all that was written so far.
func Flush() Step { return Step{(*Stream).Flush} }

// Delay pauses for d. The Server's speed does not scale it.
func Delay(d time.Duration) Step {
	return Step{func(st *Stream) error { return sleep(st.ctx, d) }}
}

// Wait pauses until ch is closed or has a value. Wait(nil) as the first step
// accepts a request and never answers it.
func Wait(ch <-chan struct{}) Step {
	return Step{func(st *Stream) error { return await(st.ctx, 0, ch) }}
}

// Stall flushes and then keeps the stream open, without sending anything, until
// the client leaves or the Server is closed.
func Stall() Step { return Repeat(1, Flush(), Wait(nil)) }

// Cut ends the answer without an error. As the only step it is an empty stream.
func Cut() Step {
	return Step{func(st *Stream) error {
		st.begin()
		return errCut
	}}
}

// Reset closes the connection. Bytes that were not flushed are lost. As the
// first step it sends no answer at all.
func Reset() Step {
	return Step{func(*Stream) error { panic(http.ErrAbortHandler) }}
}

// Header sets a header of the answer. It has no effect after the first byte.
func Header(key, value string) Step {
	return Step{func(st *Stream) error {
		st.w.Header().Set(key, value)
		return nil
	}}
}

// ContentType is Header("Content-Type", value).
func ContentType(value string) Step { return Header("Content-Type", value) }

// Status begins the answer with this code, content type (none if empty) and
// body. A Header step before it sets more headers, such as Retry-After.
func Status(code int, contentType, body string) Step {
	b := []byte(body)
	return Step{func(st *Stream) error {
		if st.begun {
			return fmt.Errorf("sandbox: Status(%d) in an answer that has begun", code)
		}
		st.begun = true
		if contentType == "" {
			st.w.Header()["Content-Type"] = nil // nil keeps net/http from guessing one
		} else {
			st.w.Header().Set("Content-Type", contentType)
		}
		st.w.WriteHeader(code)
		_, err := st.w.Write(b)
		return err
	}}
}

// Repeat plays the steps n times.
func Repeat(n int, steps ...Step) Step {
	return Step{func(st *Stream) error {
		for range n {
			if err := st.playAll(steps); err != nil {
				return err
			}
		}
		return nil
	}}
}

// Batch plays the steps and flushes once after the last. Benchmarks use it so
// that they do not measure one network write for each event.
func Batch(steps ...Step) Step {
	return Step{func(st *Stream) error {
		st.batches++
		err := st.playAll(steps)
		st.batches--
		if err != nil {
			return err
		}
		return st.flushed()
	}}
}

// Func calls f, which may write to the answer. An error of f ends the answer.
func Func(f func(*Stream) error) Step { return Step{f} }

// Demo plays the answer that the Server gives without a script: the simulated
// build, the stream or result of a run, or the answer of the route.
func Demo() Step {
	return Step{func(st *Stream) error { return st.demo(st) }}
}

// Stream is an answer that is being written. A [Func] step receives it.
type Stream struct {
	w       http.ResponseWriter
	ctl     *http.ResponseController
	ctx     context.Context
	server  *Server
	demo    func(*Stream) error
	begun   bool
	batches int      // number of enclosing Batches
	threads []string // IDs of the threads that this answer keeps busy
}

// Context returns a context that ends when the client leaves or the Server is
// closed.
func (st *Stream) Context() context.Context { return st.ctx }

// Event writes v as JSON in one event, and flushes it except in a Batch.
func (st *Stream) Event(v any) error { return st.send(eventFrame(v)) }

// Write writes p unchanged and does not flush it.
func (st *Stream) Write(p []byte) (int, error) {
	st.begin()
	return st.w.Write(p)
}

// Flush sends the headers and all that was written so far.
func (st *Stream) Flush() error {
	st.begin()
	err := st.ctl.Flush()
	if errors.Is(err, http.ErrNotSupported) {
		return nil // a ResponseWriter that does not buffer
	}
	return err
}

// send writes p, and flushes it except in a Batch.
func (st *Stream) send(p []byte) error {
	if _, err := st.Write(p); err != nil {
		return err
	}
	return st.flushed()
}

func (st *Stream) flushed() error {
	if st.batches > 0 {
		return nil
	}
	return st.Flush()
}

// begin writes status and headers to the buffer, once.
func (st *Stream) begin() {
	if st.begun {
		return
	}
	st.begun = true
	h := st.w.Header()
	if h.Get("Content-Type") == "" {
		h.Set("Content-Type", "text/event-stream")
	}
	h.Set("Cache-Control", "no-cache")
	st.w.WriteHeader(http.StatusOK)
}

// answer writes v as JSON, which is the whole answer.
func (st *Stream) answer(status int, v any) error {
	if st.begun {
		return errors.New("sandbox: the script has already begun this answer")
	}
	st.begun = true
	writeJSON(st.w, status, v)
	return nil
}

func (st *Stream) playAll(steps []Step) error {
	for _, step := range steps {
		if err := step.play(st); err != nil {
			return err
		}
	}
	return nil
}

var errCut = errors.New("sandbox: the script ends here")

// play answers r with the steps. It returns the error that ended them early. A
// Cut is no error.
func (s *Server) play(w http.ResponseWriter, r *http.Request, steps []Step, demo func(*Stream) error) error {
	st := &Stream{w: w, ctl: http.NewResponseController(w), ctx: r.Context(), server: s, demo: demo}
	defer st.release()
	if err := st.playAll(steps); err != nil && !errors.Is(err, errCut) {
		return err
	}
	return nil
}

// eventFrame returns v as one event of a stream. It panics if v cannot be encoded.
func eventFrame(v any) []byte {
	frame := append([]byte("data: "), mustEncode(v)...)
	return append(frame, "\n\n"...)
}
