package jobs

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/anything-mcp/anything-mcp/notte"
	"github.com/anything-mcp/anything-mcp/text"
)

// How long the outcome of a run is looked up once its stream is lost. A run that
// is still active is waited for much longer than one that cannot be found, and
// that one longer than one whose start Notte refused.
const (
	lookupFirst   = 500 * time.Millisecond // then twice as long each time, up to:
	lookupLongest = 15 * time.Second
	lookupActive  = time.Hour
	lookupBlind   = 2 * time.Minute  // without an answer that says active
	lookupRefused = 12 * time.Second // likewise, after a refusal
)

// stopTime bounds the request that stops a run at Notte.
const stopTime = 4 * time.Second

const stoppedBefore = "stopped before it began"

// work creates a run, so that its ID is known before it starts, starts it and
// follows it to its end: by its stream, or by its ID if the stream is lost.
// The start is never repeated, because a function may act on the world.
func (s RunSpec) work(ctx context.Context, r *record, m *Manager) outcome {
	run, err := s.Client.CreateRun(ctx, s.FunctionID)
	switch {
	case err != nil && !errors.Is(err, errors.ErrUnsupported):
		return s.fail(ctx, r, err, false)
	case err == nil || s.refused != nil:
		// A run that may act must be found again after a crash: its ID is stored first.
		created := r.apply(notte.Event{Type: eventRunCreated, Message: run.ID})
		if err := s.announce(ctx, r, created); err != nil {
			return s.fail(ctx, r, err, false)
		}
	}
	stream, err := s.Client.StartRun(ctx, s.FunctionID, run.ID, s.Variables)
	if err != nil {
		if !notte.MayHaveStarted(err) {
			return s.fail(ctx, r, err, false)
		}
		return s.lookUp(ctx, r, m, err)
	}
	for ev, eventErr := range stream.Events() {
		if eventErr != nil {
			err = eventErr
			break
		}
		if ev.Type == notte.EventError {
			err = errors.New(cmp.Or(ev.Error, ev.Detail, ev.Message, "Notte reported an error and did not say which"))
			break
		}
		if res := ev.Result; res != nil && (isFinal(res.Status) || res.Status == "") {
			return outcome{runState(res.Status), &ev}
		}
		r.apply(ev)
	}
	return s.lookUp(ctx, r, m, err)
}

// announce waits until the entry that names a run at Notte is stored, or cannot be
// stored. The item of a batch is run again if its run never began, so its run begins
// only once it is stored that it may have.
func (s RunSpec) announce(ctx context.Context, r *record, created int64) error {
	for {
		_, err := r.next(ctx, created-1, time.Hour)
		if s.refused == nil {
			return nil
		}
		if ok, lost := r.isStored(created); ok || lost != nil {
			return lost
		} else if err != nil {
			return err
		}
		select {
		case <-time.After(retryEvery):
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
}

// errNeverAsked is why the run of an item never began whose process is gone.
var errNeverAsked = errors.New("the process ended before it started this run")

// resume goes on with a run whose process is gone.
func (s RunSpec) resume(ctx context.Context, r *record, m *Manager) outcome {
	if run := r.latest().Run; run.Batch != "" && (!run.Asked || s.neverStarted(ctx, r, run.RunID)) {
		return s.fail(ctx, r, errNeverAsked, false)
	}
	return s.lookUp(ctx, r, m, errors.New("the process that followed this run has ended, and Notte's record of the run does not say how it ended"))
}

// neverStarted reports whether the run of an item, whose process is gone, was created at
// Notte and not started, and makes sure that it stays so: it stops the run there.
func (s RunSpec) neverStarted(ctx context.Context, r *record, id string) bool {
	if id == "" {
		return false
	}
	// A request to start it may still be under way.
	select {
	case <-time.After(lookupRefused - time.Since(r.began)):
	case <-ctx.Done():
		return false
	}
	run, err := s.Client.GetRun(ctx, s.FunctionID, id)
	return err == nil && run.Status == notte.RunCreated && s.Client.StopRun(ctx, s.FunctionID, id) == nil
}

// isFinal reports whether a run's status is final. An unknown one may not be.
func isFinal(status notte.RunStatus) bool {
	return status == notte.RunClosed || status == notte.RunFailed || status == notte.RunStopped
}

// runState returns the state of a job whose run has ended as Notte says.
func runState(status notte.RunStatus) State {
	switch status {
	case notte.RunFailed:
		return StateFailed
	case notte.RunStopped:
		return StateCancelled
	}
	return StateClosed
}

// lookUp finds the outcome of a run that was started and lost, by its ID and
// with patience, because it may still be running.
func (s RunSpec) lookUp(ctx context.Context, r *record, m *Manager, lost error) outcome {
	if lost == nil {
		lost = errors.New("the run's stream ended without its outcome")
	}
	id := r.snapshot().Run.RunID
	if id == "" {
		return s.fail(ctx, r, lost, true)
	}
	m.log.Debug("a run's stream was lost, so its outcome is looked up", "run", id, "err", lost)
	blind := lookupBlind
	refused, wasRefused := errors.AsType[*notte.Error](lost)
	if wasRefused = wasRefused && refused.StatusCode != 0; wasRefused {
		blind = lookupRefused
	}
	start, heard := time.Now(), time.Now()
	for wait := lookupFirst; ; wait = min(2*wait, lookupLongest) {
		run, err := s.Client.GetRun(ctx, s.FunctionID, id)
		if err == nil && isFinal(run.Status) {
			return s.found(r, run)
		}
		now := time.Now()
		if err == nil && run.Status == notte.RunActive {
			heard, blind, wasRefused = now, lookupBlind, false
		}
		if now.Sub(start) > lookupActive || now.Sub(heard) > blind {
			// Refused, and never begun as far as Notte's record says.
			if begun := !wasRefused || err != nil || run.Status != notte.RunCreated; begun {
				return s.fail(ctx, r, errors.Join(lost, err), true)
			}
			return s.fail(ctx, r, notte.NotCarriedOut(lost), false)
		}
		select {
		case <-time.After(min(wait, blind/4)):
		case <-ctx.Done():
			return s.fail(ctx, r, context.Cause(ctx), true)
		}
	}
}

// found returns the end of a run as its record at Notte says.
func (s RunSpec) found(r *record, run notte.Run) outcome {
	r.update(func(j *Job) {
		setNonEmpty(&j.Run.SessionID, clip(run.SessionID))
		if len(j.Run.Logs) == 0 {
			for _, line := range keepLast(run.Logs, maxLogs) {
				j.Run.Logs = append(j.Run.Logs, clip(line))
			}
		}
	})
	result := &notte.RunResult{Status: run.Status, Result: resultJSON(run.Result)}
	ev := &notte.Event{Type: notte.EventResult, Result: result, Error: run.Failure()}
	return outcome{runState(run.Status), ev}
}

// resultJSON returns a recorded result as JSON: unchanged if it is an object or a
// list in JSON, and as a string if it is the Python repr that Notte's records
// hold.
func resultJSON(s string) json.RawMessage {
	if s == "" {
		return nil
	}
	if trimmed := strings.TrimSpace(s); strings.IndexAny(trimmed, "{[") == 0 && json.Valid([]byte(trimmed)) {
		return json.RawMessage(trimmed)
	}
	quoted, _ := text.JSON(s) // a string can always be encoded
	return quoted
}

// fail returns the end of a run that failed to start or, if it may have started,
// whose outcome is not known. A run that can be found again by its ID has not ended
// when this process stops: another goes on.
func (s RunSpec) fail(ctx context.Context, r *record, err error, started bool) outcome {
	again := !started && (s.refused == nil || stopped(ctx) != "" || s.refused(err))
	r.update(func(j *Job) {
		j.Run.NeverBegan = !started
		j.Run.Gone = !started && notte.IsNotFound(err)
		j.Run.Waiting = again && j.Run.Batch != ""
	})
	switch state := stopped(ctx); {
	case state == StateCancelled && !started:
		return outcome{state, &notte.Event{Type: notte.EventCancelled, Error: stoppedBefore}}
	case state == StateCancelled:
		return outcome{state, &notte.Event{Type: notte.EventCancelled, Error: s.stopAtNotte(ctx, r)}}
	case state != "" && !started:
		return interrupted(stoppedBefore)
	case state != "" && r.latest().Run.RunID != "" && !r.inMemory:
		return outcome{state: StateRunning}
	case state != "":
		return interrupted("this server stopped while the function ran; the run goes on at Notte")
	case started:
		return interrupted(err.Error())
	}
	return outcome{StateFailed, &notte.Event{Type: notte.EventResult, Error: err.Error()}}
}

// stopAtNotte stops a cancelled run at Notte and says how that went.
func (s RunSpec) stopAtNotte(ctx context.Context, r *record) string {
	id := r.snapshot().Run.RunID
	if id == "" {
		return "cancelled here; Notte gave the run no ID, so it could not be stopped there and may go on"
	}
	ctx, done := context.WithTimeout(context.WithoutCancel(ctx), stopTime)
	defer done()
	if err := s.Client.StopRun(ctx, s.FunctionID, id); err != nil {
		return fmt.Sprintf("cancelled here, but it may go on at Notte: %v", err)
	}
	return "cancelled, and stopped at Notte"
}
