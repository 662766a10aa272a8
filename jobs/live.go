package jobs

import (
	"context"
	"slices"
	"strings"
	"sync"
	"time"
	"unicode/utf8"

	"github.com/anything-mcp/anything-mcp/notte"
)

// Deltas are gathered into entries of this much text, or of this much time.
const (
	deltaBytes = 2 << 10
	deltaDelay = 200 * time.Millisecond
)

// saveDelay is how long an entry waits for others, to be stored with them: a
// stream that comes in a burst is not to wait for a transaction each time.
// Followers in other processes wait as much longer. With saveMost of them the
// stream waits for the store after all, so that they do not pile up.
const (
	saveDelay = 25 * time.Millisecond
	saveMost  = 64
)

// followBatch is how many entries a follower takes at a time.
const followBatch = 256

// live is a job of this process while it runs: the one place where its state
// changes. One goroutine feeds it; any number look on.
type live struct {
	cancel context.CancelCauseFunc // ends the job's work
	save   func()                  // stores the unsaved entries
	scrub  func(string) string     // takes the owner's key out of a text

	saving sync.Mutex // held while entries go to the store, so that they go in order

	mu       sync.Mutex // guards all below
	lease    Lease
	job      Job // without its texts
	answer   text
	thinking text
	between  bool // the agent's last message is complete: what it writes next is a new one

	log     window
	seq     int64
	ending  func() error  // stores the end, which has not worked yet; nil otherwise
	unsaved []Entry       // the end of log that the store does not have yet
	saveDue *time.Timer   // saves them; nil while there are none
	changed chan struct{} // closed when log grows; nil while nobody waits

	delta     strings.Builder // of deltaType, not an entry yet
	deltaType notte.EventType
	deltaDue  *time.Timer // makes it one; nil while there is none
}

func newLive(job Job, client *notte.Client, cancel context.CancelCauseFunc) *live {
	return &live{
		cancel:   cancel,
		save:     func() {},
		scrub:    client.Redact,
		job:      job,
		answer:   text{limit: maxAnswer},
		thinking: text{limit: maxThinking},
	}
}

// hold notes what the store said when it took the job.
func (l *live) hold(lease Lease, volatile bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.lease, l.job.Volatile = lease, volatile
}

func (l *live) held() Lease {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.lease
}

// snapshot returns the job as it stands.
func (l *live) snapshot() Job {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.snapshotLocked()
}

func (l *live) snapshotLocked() Job {
	job := l.job
	if b := job.Build; b != nil {
		copied := *b
		copied.Steps = slices.Clone(b.Steps)
		copied.Answer, copied.Thinking = l.scrub(l.answer.String()), l.scrub(l.thinking.String())
		copied.Dropped = l.answer.dropped + l.thinking.dropped
		job.Build = &copied
	}
	if r := job.Run; r != nil {
		copied := *r
		copied.Logs = slices.Clone(r.Logs)
		job.Run = &copied
	}
	return job
}

// update changes the job's state under its lock.
func (l *live) update(change func(*Job)) {
	l.mu.Lock()
	defer l.mu.Unlock()
	change(&l.job)
}

// observe takes in one event, the job's state first, then its log, and
// reports how many entries are to be saved.
func (l *live) observe(ev notte.Event) int {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.reduce(ev)
	if ev.Type == notte.EventTextDelta || ev.Type == notte.EventThinkingDelta {
		l.gather(ev)
	} else if field := telling(&ev); field != nil {
		l.flushDelta()
		l.append(Entry{Type: ev.Type, Text: clip(*field), FunctionID: clip(ev.FunctionID)})
	}
	return len(l.unsaved)
}

// with is the job as it will be once it has observed ev, which is no delta.
func (l *live) with(ev notte.Event) Job {
	l.mu.Lock()
	defer l.mu.Unlock()
	job := l.snapshotLocked()
	l.reduceInto(&job, ev)
	return job
}

// gather merges a delta with those before it.
func (l *live) gather(ev notte.Event) {
	if l.deltaType != ev.Type {
		l.flushDelta()
		l.deltaType = ev.Type
	}
	rest := ev.Delta
	for l.delta.Len()+len(rest) >= deltaBytes {
		n := fit(rest, max(deltaBytes-l.delta.Len(), utf8.UTFMax))
		l.delta.WriteString(rest[:n])
		rest = rest[n:]
		l.flushDelta()
	}
	l.delta.WriteString(rest)
	if l.deltaDue == nil && l.delta.Len() > 0 {
		l.deltaDue = time.AfterFunc(deltaDelay, l.flushLate)
	}
}

// flushLate makes an entry of deltas that no event has followed.
func (l *live) flushLate() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.flushDelta()
}

// flushDelta makes an entry of the gathered deltas. Callers hold l.mu.
func (l *live) flushDelta() {
	if l.deltaDue != nil {
		l.deltaDue.Stop()
		l.deltaDue = nil
	}
	if l.delta.Len() > 0 {
		l.append(Entry{Type: l.deltaType, Text: l.scrub(strings.ToValidUTF8(l.delta.String(), ""))})
		l.delta.Reset()
	}
}

// append adds an entry and wakes the followers. Callers hold l.mu.
func (l *live) append(e Entry) {
	l.seq++
	e.Seq, e.At = l.seq, time.Now()
	l.log.add(e)
	l.unsaved = append(l.unsaved, e)
	if l.saveDue == nil {
		l.saveDue = time.AfterFunc(saveDelay, l.save)
	}
	l.wake()
}

// wake lets waiting followers look again. Callers hold l.mu.
func (l *live) wake() {
	if l.changed != nil {
		close(l.changed)
		l.changed = nil
	}
}

// takeUnsaved returns the entries that the store has yet to get, and the lease
// to store them under.
func (l *live) takeUnsaved() (Lease, []Entry) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.lease, l.takeUnsavedLocked()
}

func (l *live) takeUnsavedLocked() []Entry {
	if l.saveDue != nil {
		l.saveDue.Stop()
		l.saveDue = nil
	}
	entries := l.unsaved
	l.unsaved = nil
	return entries
}

// putBack returns entries that could not be stored, the oldest of which are
// given up when there are too many.
func (l *live) putBack(entries []Entry) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.unsaved = last(append(entries, l.unsaved...), windowEntries)
}

// end returns the job in its final state and what is left of its log, for the
// store to keep. Here the job runs on until publish: nobody learns of an end
// before it is stored.
func (l *live) end(end outcome) (Job, []Entry) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.flushDelta()
	job := l.snapshotLocked()
	job.State, job.EndedAt = end.state, time.Now()
	if job.Build != nil {
		job.Build.ViewerURL = "" // its token outlives its use
	}
	entries := append(l.takeUnsavedLocked(), Entry{Seq: l.seq + 1, At: job.EndedAt, Type: end.event, Final: true})
	return job, entries
}

// keep marks an ended job whose end is not stored.
func (l *live) keep(ending func() error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.job.Volatile, l.ending = true, ending
}

// unstored is what stores the end of a job that keep marked, or nil.
func (l *live) unstored() func() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.ending
}

// publish shows the end to everyone who follows.
func (l *live) publish(job Job, final Entry) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.job.State, l.job.EndedAt = job.State, job.EndedAt
	if l.job.Build != nil {
		l.job.Build.ViewerURL = ""
	}
	EraseLinks(l.log.entries)
	l.seq = final.Seq
	l.log.add(final)
	l.wake()
}

// next waits for entries above after and returns some, or the reason why ctx
// ended first.
func (l *live) next(ctx context.Context, after int64) ([]Entry, error) {
	for {
		l.mu.Lock()
		batch := slices.Clone(l.log.above(after, followBatch))
		if len(batch) == 0 && l.job.State.Ended() {
			// The follower's position is past the end.
			batch = []Entry{{Seq: after, At: l.job.EndedAt, Final: true}}
		}
		if len(batch) > 0 {
			l.mu.Unlock()
			return batch, nil
		}
		if l.changed == nil {
			l.changed = make(chan struct{})
		}
		changed := l.changed
		l.mu.Unlock()
		select {
		case <-changed:
		case <-ctx.Done():
			return nil, context.Cause(ctx)
		}
	}
}
