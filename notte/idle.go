package notte

import (
	"errors"
	"io"
	"sync/atomic"
	"time"
)

// How long a stream may bring no event before it counts as lost, unless a [Config]
// says otherwise. An agent that works sends one every few seconds. Notte's own page
// for v2 waits twice as long as the one for v1. A stream counts as v1 until its
// headers or an event show its language.
const (
	DefaultIdleTimeout   = 5 * time.Minute
	DefaultIdleTimeoutV2 = 10 * time.Minute

	// endedTimeout is how long a v2 stream is read after it has said that the
	// build is over.
	endedTimeout = 30 * time.Second
)

// ErrIdle is wrapped by the error of a stream that brought no event for the
// configured time. Comments and other lines without data do not count as events.
// The bytes of an event that is still arriving do.
var ErrIdle = errors.New("no event came for too long")

// errClosed is wrapped by the error of a stream that [Stream.Close] ended.
var errClosed = errors.New("the stream was closed")

// watchedBody is an answer's body that ends with ErrIdle if its Reads take
// idleTimeout without a sign of life. The time between two Reads does not count.
type watchedBody struct {
	io.ReadCloser
	idleTimeout time.Duration // none if not positive
	timer       *time.Timer   // runs while a Read waits
	left        time.Duration // what the Reads since the last sign of life have left of idleTimeout
	anyByte     bool          // each byte is a sign of life
	idle        atomic.Bool
	closed      atomic.Bool
	err         error // why reading failed
}

// watch returns body as a watchedBody. When idleTimeout is over it calls giveUp,
// which must make a waiting Read return.
func watch(body io.ReadCloser, idleTimeout time.Duration, giveUp func()) *watchedBody {
	w := &watchedBody{ReadCloser: body, idleTimeout: idleTimeout, left: idleTimeout}
	if idleTimeout > 0 {
		w.timer = time.AfterFunc(idleTimeout, func() {
			w.idle.Store(true)
			giveUp()
			body.Close()
		})
		w.timer.Stop()
	}
	return w
}

func (w *watchedBody) Read(p []byte) (int, error) {
	if w.timer == nil {
		return w.ReadCloser.Read(p)
	}
	begin := time.Now()
	w.timer.Reset(w.left)
	n, err := w.ReadCloser.Read(p)
	w.timer.Stop()
	if w.left -= time.Since(begin); n > 0 && w.anyByte {
		w.alive()
	}
	return n, err
}

// limit sets the idle time, which starts again. It has no effect on a body without
// one. It must not be called during a Read.
func (w *watchedBody) limit(idleTimeout time.Duration) {
	if w.timer != nil && idleTimeout != w.idleTimeout {
		w.idleTimeout, w.left = idleTimeout, idleTimeout
	}
}

// alive records a sign of life: the idle time starts again.
func (w *watchedBody) alive() { w.left = w.idleTimeout }

// setErr records the error that ended reading, unless it is io.EOF.
func (w *watchedBody) setErr(err error) {
	if err != io.EOF {
		w.err = err
	}
}

// Close closes the body. A Read that waits returns.
func (w *watchedBody) Close() error {
	w.closed.Store(true)
	return w.ReadCloser.Close()
}

// failure returns why the body ended before its end, or nil if it did not.
func (w *watchedBody) failure() error {
	switch {
	case w.idle.Load():
		return ErrIdle
	case w.closed.Load():
		return errClosed
	}
	return w.err
}
