package jobs

import (
	"context"
	"errors"
	"log/slog"
	"sync/atomic"

	"github.com/anything-mcp/anything-mcp/notte"
)

// task is a job at work: what its goroutine has in hand.
type task struct {
	ctx   context.Context // ends with errCancelled or errStopped as its cause
	live  *live
	store Store
	log   *slog.Logger

	troubled atomic.Bool // the store has failed the job before
}

// outcome is how a job ended. What there is to say about it is in the job.
type outcome struct {
	state State
	event notte.EventType // of the final entry
}

// eventInterrupted is the final entry of a job whose end is unknown. Notte has
// no such event: it is we who lost sight of it.
const eventInterrupted notte.EventType = "interrupted"

// observe takes in an event and stores what it added.
func (t *task) observe(ev notte.Event) {
	unsaved := t.live.observe(ev)
	switch ev.Type {
	case notte.EventSessionData, notte.EventFunctionUploaded, notte.EventSessionStart:
		// These name things at Notte that must be found again after a crash.
		t.saveState()
	}
	if unsaved {
		t.saveLog()
	}
}

// saveLog stores the entries that are not stored yet.
func (t *task) saveLog() {
	t.live.saving.Lock()
	defer t.live.saving.Unlock()
	if lease, entries := t.live.takeUnsaved(); len(entries) > 0 {
		t.check(t.store.Append(context.WithoutCancel(t.ctx), lease, entries))
	}
}

// update changes the job's state and stores it.
func (t *task) update(change func(*Job)) {
	t.live.update(change)
	t.saveState()
}

func (t *task) saveState() {
	t.check(t.store.Update(context.WithoutCancel(t.ctx), t.live.held(), t.live.snapshot()))
}

// check logs, once, what the store could not do. The job goes on: what it is
// for is at Notte, and whoever waits here gets it from memory.
func (t *task) check(err error) {
	if err != nil && !t.troubled.Swap(true) {
		t.live.update(func(j *Job) { j.Volatile = true })
		t.log.Warn("a running job could not be stored", "job", t.live.held().JobID, "err", err)
	}
}

// stopped tells whether the job ended because it was told to, and how.
func (t *task) stopped() (outcome, bool) {
	switch cause := context.Cause(t.ctx); {
	case errors.Is(cause, errCancelled):
		return outcome{StateCancelled, notte.EventCancelled}, true
	case cause != nil:
		return outcome{StateInterrupted, eventInterrupted}, true
	}
	return outcome{}, false
}
