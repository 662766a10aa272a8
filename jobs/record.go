package jobs

import (
	"context"
	"strings"
	"sync"
	"time"
	"unicode/utf8"

	"github.com/anything-mcp/anything-mcp/notte"
	"github.com/anything-mcp/anything-mcp/text"
)

// Deltas are gathered into entries of this much text, or of this much time.
const (
	deltaBytes = 16 << 10
	deltaDelay = 200 * time.Millisecond
)

// record is one job of this process: its state, its log, and how far the store
// and the followers are. One goroutine applies events; any number follow.
//
// The store is a follower of the log: it has the entries up to stored. The
// others see the entries up to shown. Both are the same but for a moment: an
// entry that names a thing at Notte, and the final one, is shown only when it is
// stored, or when storing it has failed.
type record struct {
	id, owner string
	joinKey   string
	began     time.Time
	client    *notte.Client
	cancel    context.CancelCauseFunc      // ends the job's work
	mark      func(r *record, urgent bool) // tells the recorder that there is something to save
	created   chan struct{}                // closed once Start has decided what becomes of the job

	mu          sync.Mutex // guards all below
	job         Job        // with every event applied; without its texts
	answer      excerpt
	thinking    excerpt
	messageDone bool // the agent's last message is complete; the next text begins a new one

	log       window
	seq       int64         // of the newest entry
	stored    int64         // the store has the entries up to this one
	shown     int64         // followers see the entries up to this one
	mustStore int64         // the newest entry that must be stored before it is shown
	visible   *Job          // the job as of shown, while an entry must be stored; nil: as it is
	changed   chan struct{} // closed when followers have something new to see; nil while none waits

	delta     strings.Builder // of deltaType, not an entry yet
	deltaType notte.EventType
	deltaDue  *time.Timer // makes it one; nil while there is none
	held      heldBack

	keeping
}

// heldBack is the end of the agent's text, by type, that may be the beginning of
// the API key. It waits for the text after it.
type heldBack map[notte.EventType]string

func newRecord(job Job, key string, client *notte.Client, cancel context.CancelCauseFunc, mark func(*record, bool)) *record {
	return &record{
		id: job.ID, owner: job.Owner, joinKey: key, began: job.StartedAt, client: client, cancel: cancel, mark: mark,
		created:  make(chan struct{}),
		job:      job,
		answer:   excerpt{limit: maxAnswer},
		thinking: excerpt{limit: maxThinking},
	}
}

// apply takes in one event that does not end the job: the state first, then the
// log.
func (r *record) apply(ev notte.Event) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if isDelta(ev.Type) {
		r.reduce(ev)
		r.gather(ev)
		return
	}
	ev = bounded(ev)
	ev.FunctionUpdated = r.job.Build != nil && ev.Type == notte.EventFunctionUploaded && r.job.Build.updates(ev.FunctionID)
	r.flushDelta()
	if names(ev.Type) {
		r.freeze()
	}
	r.reduce(ev)
	r.dirty = true
	if isLogged(ev.Type) {
		r.append(Entry{Event: ev})
	}
	if names(ev.Type) {
		r.mustStore = r.seq
	}
	r.mark(r, names(ev.Type))
}

// applyStored is apply, and waits until the store has the event, or has failed to take
// it, or ctx ends. It is for events that name a thing at Notte.
func (r *record) applyStored(ctx context.Context, ev notte.Event) {
	r.apply(ev)
	r.mu.Lock()
	seq := r.seq
	r.mu.Unlock()
	_, _ = r.next(ctx, seq-1, time.Hour)
}

// update changes the job's state where no event does.
func (r *record) update(change func(*Job)) {
	r.mu.Lock()
	defer r.mu.Unlock()
	change(&r.job)
	r.dirty = true
	r.mark(r, false)
}

// end ends the job: its final entry is the last event.
func (r *record) end(o outcome) {
	r.mu.Lock()
	defer r.mu.Unlock()
	ev := bounded(*o.event)
	r.flushDelta()
	r.flushHeld()
	r.freeze()
	r.reduce(ev)
	if run := r.job.Run; run != nil && ev.Result != nil {
		finishRun(run, ev.Result, ev.Error)
	} else if run != nil {
		setNonEmpty(&run.Error, ev.Error)
	}
	r.job.State, r.job.EndedAt = o.state, time.Now()
	if r.job.Build != nil {
		r.job.Build.ViewerURL = "" // its token would outlive its use
	}
	r.log.eraseLinks()
	r.dirty = true
	r.append(Entry{At: r.job.EndedAt, Event: ev, Final: true})
	r.mustStore = r.seq
	r.mark(r, true)
}

// sameWork reports whether both jobs are the same work of one owner.
func (r *record) sameWork(other *record) bool {
	return r.owner == other.owner && r.joinKey == other.joinKey
}

// hasEnded reports whether the job has ended, be it stored or not.
func (r *record) hasEnded() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.job.State.Ended()
}

// snapshot returns the job as followers see it.
func (r *record) snapshot() Job {
	r.mu.Lock()
	defer r.mu.Unlock()
	var job Job
	if r.visible != nil {
		job = r.visible.clone()
	} else {
		job = r.current()
	}
	job.Volatile = r.volatile()
	return job
}

// latest returns the job with every event applied, for its own goroutine.
func (r *record) latest() Job {
	r.mu.Lock()
	defer r.mu.Unlock()
	job := r.job.clone()
	job.Volatile = r.volatile()
	return job
}

// current returns the job with every event applied. The caller holds mu.
func (r *record) current() Job {
	job := r.job.clone()
	if b := job.Build; b != nil {
		b.Answer, b.Thinking = r.client.Redact(r.answer.String()), r.client.Redact(r.thinking.String())
		b.Dropped = r.answer.dropped + r.thinking.dropped
	}
	return job
}

// freeze keeps what followers see as it is, until what comes next is stored. The
// caller holds mu.
func (r *record) freeze() {
	if r.visible == nil && !r.volatile() {
		job := r.current()
		r.visible = &job
	}
}

// gather merges a delta with those before it. The caller holds mu.
func (r *record) gather(ev notte.Event) {
	if r.deltaType != ev.Type {
		r.flushDelta()
		r.deltaType = ev.Type
	}
	rest := ev.Delta
	for r.delta.Len()+len(rest) >= deltaBytes {
		part := text.Prefix(rest, max(deltaBytes-r.delta.Len(), utf8.UTFMax))
		r.delta.WriteString(part)
		rest = rest[len(part):]
		r.flushDelta()
	}
	if len(rest) >= deltaBytes/16 {
		r.delta.Grow(deltaBytes - r.delta.Len()) // a burst: more will come
	}
	r.delta.WriteString(rest)
	if r.deltaDue == nil && r.delta.Len() > 0 {
		r.deltaDue = time.AfterFunc(deltaDelay, r.flushLate)
	}
}

// flushLate makes an entry of deltas that no other event has followed.
func (r *record) flushLate() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.flushDelta()
}

// flushDelta makes an entry of the gathered deltas, apart from an end that may
// be the beginning of the API key. The caller holds mu.
func (r *record) flushDelta() {
	if r.deltaDue != nil {
		r.deltaDue.Stop()
		r.deltaDue = nil
	}
	if r.delta.Len() == 0 {
		return
	}
	s := r.client.Redact(r.held[r.deltaType] + r.delta.String())
	r.delta.Reset()
	delete(r.held, r.deltaType)
	if n := r.client.Pending(s); n > 0 {
		if r.held == nil {
			r.held = make(heldBack)
		}
		r.held[r.deltaType] = s[len(s)-n:]
		s = s[:len(s)-n]
	}
	r.appendDelta(r.deltaType, s)
}

// minKeyPart is the length, in bytes, from which the beginning of a key is taken
// for one: a text does not end in so much of a key by chance.
const minKeyPart = 8

// flushHeld makes entries of what is held back, at the end of the job. The
// caller holds mu.
func (r *record) flushHeld() {
	for _, kind := range []notte.EventType{notte.EventThinkingDelta, notte.EventTextDelta} {
		s := r.held[kind]
		if len(s) >= minKeyPart {
			s = text.Redacted
		}
		r.appendDelta(kind, s)
	}
	r.held = nil
}

func (r *record) appendDelta(kind notte.EventType, s string) {
	if s != "" {
		r.append(Entry{Event: notte.Event{Type: kind, Delta: s}})
		r.mark(r, false)
	}
}

// append adds an entry to the log. The caller holds mu.
func (r *record) append(e Entry) {
	r.seq++
	e.Seq, e.Result, e.Event.Size = r.seq, nil, 0
	if e.At.IsZero() {
		e.At = time.Now()
	}
	r.log.add(e)
	if r.visible == nil {
		r.show(r.seq)
	}
}

// show lets followers see the entries up to seq. The caller holds mu.
func (r *record) show(seq int64) {
	if seq <= r.shown {
		return
	}
	r.shown = seq
	r.wake()
}

// wake wakes the followers that wait. The caller holds mu.
func (r *record) wake() {
	if r.changed != nil {
		close(r.changed)
		r.changed = nil
	}
}
