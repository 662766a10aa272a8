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
// The store is a follower of the log: it has the entries up to stored. The other
// followers see the entries up to shown, whether they are stored or not. Only an entry
// that names a thing at Notte, and the final one, are shown later: when they are stored,
// or when storing them has failed.
type record struct {
	id, owner string
	joinKey   string
	began     time.Time
	client    *notte.Client
	cancel    context.CancelCauseFunc // ends the job's work
	mark      func(urgent bool)       // notes that there is something to save

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
	changed   chan struct{} // closed when followers have something new to see; nil while no follower waits

	delta     strings.Builder // of deltaType, not an entry yet
	deltaType notte.EventType
	deltaDue  *time.Timer // makes it one; nil while there is none

	keeping
}

// newRecord returns the record of a job, and the context of its work.
func (m *Manager) newRecord(job Job, joinKey string, client *notte.Client) (*record, context.Context) {
	ctx, cancel := context.WithCancelCause(m.ctx)
	return &record{
		id: job.ID, owner: job.Owner, joinKey: joinKey, began: job.StartedAt, client: client, cancel: cancel, mark: m.recorder.mark,
		job: job, answer: excerpt{limit: maxAnswer}, thinking: excerpt{limit: maxThinking},
		keeping: keeping{holder: m.holder, inMemory: m.opts.InMemory},
	}, ctx
}

// apply takes in one event that does not end the job, and returns the position of the
// newest entry.
func (r *record) apply(ev notte.Event) int64 {
	r.mu.Lock()
	defer r.mu.Unlock()
	if isDelta(ev.Type) {
		r.reduce(ev)
		r.gather(ev)
	} else {
		r.take(ev, StateRunning)
	}
	return r.seq
}

// end ends the job: its final entry is the last event.
func (r *record) end(o outcome) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.take(*o.event, o.state)
}

// take takes in one event after which the job has a state: the job first, then the log.
// The caller holds mu.
func (r *record) take(ev notte.Event, state State) {
	ev = bounded(ev)
	ev.FunctionUpdated = r.job.Build != nil && ev.Type == notte.EventFunctionUploaded && r.job.Build.updates(ev.FunctionID)
	ends := state.Ended()
	must := ends || names(ev.Type)
	r.flushDelta()
	if ends {
		r.flushHeld()
	}
	if must {
		r.freeze()
	}
	r.reduce(ev)
	now := time.Now()
	if ends {
		r.finish(ev, state, now)
	}
	r.dirty = true
	if ends || isLogged(ev.Type) {
		e := Entry{At: now, Event: ev, Final: ends}
		if r.job.Batch != nil {
			e.Tally = r.job.Batch.Tally
		}
		r.append(e)
	}
	if must {
		r.mustStore = r.seq
	}
	r.mark(must)
}

// setTally sets the tally of a batch.
func (r *record) setTally(t Tally) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.job.Batch.Tally = t
	r.append(Entry{At: time.Now(), Event: notte.Event{Type: EventTally}, Tally: t})
	r.mark(false)
}

// update changes the job's state where no event does.
func (r *record) update(change func(*Job)) {
	r.mu.Lock()
	defer r.mu.Unlock()
	change(&r.job)
	r.dirty = true
	r.mark(false)
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

// latest returns the job with every event applied, but without its texts.
func (r *record) latest() Job {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.job.clone()
}

// current returns the job with every event applied. The caller holds mu.
func (r *record) current() Job {
	job := r.job.clone()
	if b := job.Build; b != nil {
		b.Answer, b.Thinking = r.client.Redact(r.answer.String()), r.client.Redact(r.thinking.String())
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
	e := r.excerptOf(r.deltaType)
	s := r.client.Redact(e.held + r.delta.String())
	r.delta.Reset()
	n := len(s) - r.client.Pending(s)
	e.held = s[n:]
	r.appendDelta(r.deltaType, s[:n])
}

// excerptOf returns what is kept of the texts of a type.
func (r *record) excerptOf(t notte.EventType) *excerpt {
	if t == notte.EventThinkingDelta {
		return &r.thinking
	}
	return &r.answer
}

// minKeyPart is the length, in bytes, from which the beginning of a key is taken
// for one: a text does not end in so much of a key by chance.
const minKeyPart = 8

// flushHeld makes entries of what is held back, at the end of the job. The
// caller holds mu.
func (r *record) flushHeld() {
	for _, kind := range []notte.EventType{notte.EventThinkingDelta, notte.EventTextDelta} {
		s := r.excerptOf(kind).held
		if len(s) >= minKeyPart {
			s = text.Redacted
		}
		r.appendDelta(kind, s)
	}
}

func (r *record) appendDelta(kind notte.EventType, s string) {
	if s != "" {
		r.append(Entry{At: time.Now(), Event: notte.Event{Type: kind, Delta: s}})
		r.mark(false)
	}
}

// append adds an entry to the log. The caller holds mu.
func (r *record) append(e Entry) {
	r.seq++
	e.Seq, e.Result, e.Event.Size = r.seq, nil, 0
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
