// Package progress turns the events of a build or a run into few and fit MCP
// progress updates: coalesced, paced, and worded for a person.
package progress

import (
	"context"
	"sync"
	"time"

	"github.com/anything-mcp/anything-mcp/notte"
)

// The pace of a call's updates, each counted from the end of the last Send.
const (
	// MinInterval lies between two updates: at most four a second.
	MinInterval = 250 * time.Millisecond

	// SnippetInterval lies between an update and a snippet of the agent's text
	// after it. It is the longer one so that a step seldom has to wait because
	// a snippet has just gone out.
	SnippetInterval = time.Second

	// QuietInterval is how long a call goes without an update before it gives
	// a sign of life.
	QuietInterval = 10 * time.Second

	// ResultGap lies between the last update and the call's result. Clients
	// that read both at once handle the result first, and take progress after
	// it for a protocol error; 20 ms were enough for every client measured.
	ResultGap = 25 * time.Millisecond
)

// MaxMessage is the length of the longest message, in characters (runes).
const MaxMessage = 200

// Kind is what a call waits for.
type Kind string

// The kinds of work.
const (
	Build Kind = "build"
	Run   Kind = "run"
)

// An Option adapts a [Reporter] to its call.
type Option func(*Reporter)

// For says what the call waits for: a [Build], unless told otherwise.
func For(k Kind) Option { return func(r *Reporter) { r.kind = k } }

// StartedAt says when the job began, from which its age is told: a call may
// join it or pick it up late. Without it, or with a zero time, that is now.
func StartedAt(t time.Time) Option {
	return func(r *Reporter) {
		if !t.IsZero() {
			r.started = t
		}
	}
}

// Reporter reports the progress of one call. It tells each step (see [Line])
// at once or, when steps come faster than [MinInterval], the newest of them;
// what the agent thinks and writes only shows as a snippet when no step waits;
// a quiet job gives a sign of life. A nil Reporter is one that reports nothing.
// Its methods are safe for concurrent use.
type Reporter struct {
	sink    Sink
	kind    Kind
	started time.Time

	ctx context.Context // the call's

	mu           sync.Mutex    // guards the fields below
	timer        *time.Timer   // runs tell when a line may be due; no goroutine waits meanwhile
	sending      chan struct{} // closed when the Send under way has returned; nil when there is none
	over         bool          // nothing more is to be sent
	step         string        // waits to be sent, or ""
	lastStep     string        // the newest step, sent or not
	text         tail          // what the agent thinks or writes
	textNew      bool          // text has grown since it was last told
	textNewSince time.Time
	lastSent     time.Time // when an update was last written; zero for never
}

// NewReporter starts reporting to sink until Close is called, ctx ends, a
// terminal event comes or a Send fails. The first update goes out at once, and
// even if the end comes at once too. With a nil sink the client wants no
// progress, and the Reporter is nil.
func NewReporter(ctx context.Context, sink Sink, opts ...Option) *Reporter {
	if sink == nil {
		return nil
	}
	r := &Reporter{
		sink:    sink,
		kind:    Build,
		started: time.Now(),
		ctx:     ctx,
	}
	for _, opt := range opts {
		opt(r)
	}
	r.sending = make(chan struct{})
	r.timer = time.AfterFunc(QuietInterval, r.tell)
	go r.begin()
	return r
}

// Observe takes note of an event. It never waits for the sink, keeps nothing
// of ev but a line or the end of its text, and does nothing after the
// reporting has ended.
func (r *Reporter) Observe(ev notte.Event) {
	if r == nil {
		return
	}
	switch {
	case ev.Type == notte.EventThinkingDelta, ev.Type == notte.EventTextDelta:
		r.observeDelta(ev.Type, ev.Delta)
	case ev.Type == notte.EventMessageComplete:
		r.mu.Lock()
		r.text.ended = true
		r.mu.Unlock()
	case ev.Terminal():
		r.stop()
	default:
		if line, ok := Line(ev); ok {
			r.observeStep(ev.Type, line)
		}
	}
}

func (r *Reporter) observeDelta(kind notte.EventType, delta string) {
	if delta == "" {
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.over {
		return
	}
	r.text.add(kind, delta)
	if !r.textNew {
		r.textNew, r.textNewSince = true, time.Now()
		r.notify()
	}
}

// observeStep displaces the step or snippet that waits.
func (r *Reporter) observeStep(kind notte.EventType, line string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.over {
		return
	}
	r.step, r.textNew = line, false
	if kind != notte.EventSessionData { // a sign of life has no room for its URL
		r.lastStep = line
	}
	if kind == notte.EventToolStart {
		r.text.ended = true
	}
	r.notify()
}

// Close ends the reporting. It waits for a Send under way as long as the
// context of NewReporter lives (after that for [ResultGap], should the sink
// ignore its context), and then until the last update was written ResultGap
// ago: the call may be answered when Close returns, and nothing is sent after
// it. Closing again waits likewise.
func (r *Reporter) Close() {
	if r == nil {
		return
	}
	r.stop()
	r.mu.Lock()
	sending := r.sending
	r.mu.Unlock()
	if sending != nil {
		select {
		case <-sending:
		case <-r.ctx.Done():
			select {
			case <-sending:
			case <-time.After(ResultGap):
			}
		}
	}
	r.mu.Lock()
	last := r.lastSent
	r.mu.Unlock()
	time.Sleep(ResultGap - time.Since(last))
}

// stop has nothing more sent, but for what is being sent.
func (r *Reporter) stop() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.over = true
	r.notify()
}

// notify has tell look for a line that is due. The caller holds mu.
func (r *Reporter) notify() {
	if r.sending == nil {
		r.timer.Reset(0)
	}
}

// begin sends the first update, which Close waits for like for any other.
func (r *Reporter) begin() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.send(startLine(r.kind, time.Since(r.started)))
	r.tellDue()
}

// tell is what the timer runs.
func (r *Reporter) tell() {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.sending == nil {
		r.tellDue()
	}
}

// tellDue sends what is due and sets the timer for what will be. The caller
// holds mu.
func (r *Reporter) tellDue() {
	for {
		line, wait, ok := r.due(time.Now())
		if !ok || r.ctx.Err() != nil {
			r.timer.Stop()
			return
		}
		if line == "" {
			r.timer.Reset(wait)
			return
		}
		r.sending = make(chan struct{})
		r.send(line)
	}
}

// send sends an update and ends what stands in sending. The caller holds mu,
// which is let go meanwhile.
func (r *Reporter) send(line string) {
	r.mu.Unlock()
	err := r.ctx.Err()
	if err == nil {
		err = r.sink.Send(r.ctx, line)
	}
	r.mu.Lock()
	close(r.sending)
	r.sending, r.over = nil, r.over || err != nil
	if err == nil {
		r.lastSent = time.Now()
	}
}

// due takes the line to be sent now, or says how long to wait for one that no
// news comes before. It is false when the reporting is over.
func (r *Reporter) due(now time.Time) (line string, wait time.Duration, ok bool) {
	if r.over {
		return "", 0, false
	}
	quiet := now.Sub(r.lastSent)
	if r.step != "" {
		if wait = MinInterval - quiet; wait > 0 {
			return "", wait, true
		}
		line, r.step = r.step, ""
		return line, 0, true
	}
	if r.textNew {
		// A text's first word alone says nothing: give it time to grow.
		wait = max(SnippetInterval-quiet, MinInterval-now.Sub(r.textNewSince))
		if wait > 0 {
			return "", wait, true
		}
		r.textNew = false
		if line = r.text.line(); line != "" {
			return line, 0, true
		}
	}
	if wait = QuietInterval - quiet; wait > 0 {
		return "", wait, true
	}
	return quietLine(r.kind, now.Sub(r.started), r.lastStep), 0, true
}
