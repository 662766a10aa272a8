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

// observe takes in an event, which is stored soon after. What names a thing at
// Notte that must be found again after a crash is stored first, and only then
// shown.
func (t *task) observe(ev notte.Event) {
	names := ev.Type == notte.EventSessionData || ev.Type == notte.EventFunctionUploaded || ev.Type == notte.EventSessionStart
	if names {
		t.saveState(t.live.with(ev))
	}
	if unsaved := t.live.observe(ev); names || unsaved >= saveMost {
		t.saveLog()
	}
}

// saveLog stores the entries that are not stored yet. Those for which that
// fails wait for the next time.
func (t *task) saveLog() {
	t.live.saving.Lock()
	defer t.live.saving.Unlock()
	lease, entries := t.live.takeUnsaved()
	if len(entries) == 0 {
		return
	}
	if err := t.store.Append(context.WithoutCancel(t.ctx), lease, entries); err != nil {
		t.live.putBack(entries)
		t.check(err)
	}
}

// update changes the job's state, in the store first.
func (t *task) update(change func(*Job)) {
	job := t.live.snapshot()
	change(&job)
	t.saveState(job)
	t.live.update(change)
}

func (t *task) saveState(job Job) {
	t.check(t.store.Update(context.WithoutCancel(t.ctx), t.live.held(), job))
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
