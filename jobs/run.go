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
)

// How long the outcome of a run is looked for once its stream is lost. A run
// that is still active is waited for much longer than one that cannot be found.
const (
	lookupFirst   = 500 * time.Millisecond // then twice as long each time, up to:
	lookupLongest = 15 * time.Second
	lookupActive  = time.Hour
	lookupBlind   = 2 * time.Minute // without an answer that says active
)

// stopTime bounds the request that ends a run at Notte.
const stopTime = 4 * time.Second

// work creates a run, so that its ID is known before it starts, starts it and
// follows it to its end: by its stream, or by its ID if the stream is lost.
// The start is never repeated: a function may act on the world.
func (s RunSpec) work(t *task) outcome {
	run, err := s.Client.CreateRun(t.ctx, s.FunctionID)
	switch {
	case err == nil:
		t.update(func(j *Job) { j.Run.RunID = run.ID })
	case !errors.Is(err, errors.ErrUnsupported):
		return s.broke(t, err, false)
	}
	stream, err := s.Client.StartRun(t.ctx, s.FunctionID, run.ID, s.Variables)
	if err != nil {
		if !notte.MayHaveStarted(err) {
			return s.broke(t, err, false)
		}
		return s.lookUp(t, err)
	}
	for ev, eventErr := range stream.Events() {
		if eventErr != nil {
			err = eventErr
			break
		}
		t.observe(ev)
		if ev.Type == notte.EventError {
			err = errors.New(cmp.Or(ev.Error, ev.Detail, ev.Message, "Notte reported an error without a word"))
			break
		}
		if res := ev.Result; res != nil && (ended(res.Status) || res.Status == "") {
			return t.runEnded(res.Status, res.Result, res.Failure())
		}
	}
	return s.lookUp(t, err)
}

// resume goes on with a run whose process is gone.
func (s RunSpec) resume(t *task) outcome {
	return s.lookUp(t, errors.New("the process that followed this run has ended, and Notte's record of the run does not tell its outcome"))
}

// ended reports whether a run's status is final. One that we do not know may
// not be.
func ended(status notte.RunStatus) bool {
	return status == notte.RunClosed || status == notte.RunFailed || status == notte.RunStopped
}

// runEnded ends a run as Notte says it ended. A run may be closed and yet have
// failed: failure then says why.
func (t *task) runEnded(status notte.RunStatus, result json.RawMessage, failure string) outcome {
	t.live.update(func(j *Job) {
		j.Run.Result = result
		j.Run.Error = clip(failure)
		j.Run.OK = failure == "" && status != notte.RunFailed && status != notte.RunStopped
		if !j.Run.OK && failure == "" {
			j.Run.Error = fmt.Sprintf("Notte calls the run %s and gives no reason", status)
		}
	})
	switch status {
	case notte.RunFailed:
		return outcome{StateFailed, notte.EventResult}
	case notte.RunStopped:
		return outcome{StateCancelled, notte.EventCancelled}
	}
	return outcome{StateClosed, notte.EventResult}
}

// lookUp finds the outcome of a run that was started and lost sight of, by its
// ID and with patience: it may still be running.
func (s RunSpec) lookUp(t *task, lost error) outcome {
	if lost == nil {
		lost = errors.New("the run's stream ended without its outcome")
	}
	id := t.live.snapshot().Run.RunID
	if id == "" {
		return s.broke(t, lost, true)
	}
	t.log.Info("a run's stream was lost; its outcome is looked up", "run", id, "err", lost)
	start, heard := time.Now(), time.Now()
	for wait := lookupFirst; ; wait = min(2*wait, lookupLongest) {
		run, err := s.Client.GetRun(t.ctx, s.FunctionID, id)
		if err == nil && ended(run.Status) {
			return s.found(t, run)
		}
		now := time.Now()
		if err == nil && run.Status == notte.RunActive {
			heard = now
		}
		if now.Sub(start) > lookupActive || now.Sub(heard) > lookupBlind {
			return s.broke(t, errors.Join(lost, err), true)
		}
		select {
		case <-time.After(wait):
		case <-t.ctx.Done():
			return s.broke(t, context.Cause(t.ctx), true)
		}
	}
}

// found ends a run as its record at Notte tells.
func (s RunSpec) found(t *task, run notte.Run) outcome {
	t.live.update(func(j *Job) {
		setIf(&j.Run.SessionID, run.SessionID)
		if len(j.Run.Logs) == 0 {
			for _, line := range last(run.Logs, maxLogs) {
				j.Run.Logs = append(j.Run.Logs, clip(line))
			}
		}
	})
	return t.runEnded(run.Status, resultJSON(run.Result), run.Failure())
}

// resultJSON gives a recorded result as JSON: as it stands if it is an object
// or a list in JSON, and as a string if it is the Python repr that Notte's
// records hold.
func resultJSON(s string) json.RawMessage {
	if s == "" {
		return nil
	}
	if trimmed := strings.TrimSpace(s); strings.IndexAny(trimmed, "{[") == 0 && json.Valid([]byte(trimmed)) {
		return json.RawMessage(trimmed)
	}
	quoted, err := json.Marshal(s)
	if err != nil {
		return nil
	}
	return quoted
}

// broke ends a run that failed to start or, if it may have started, whose
// outcome is not known.
func (s RunSpec) broke(t *task, err error, started bool) outcome {
	end, told := t.stopped()
	var note string
	switch {
	case !told && started:
		end = outcome{StateInterrupted, eventInterrupted}
		note = err.Error()
	case !told:
		end = outcome{StateFailed, notte.EventResult}
		note = err.Error()
	case !started:
		note = "stopped before it began"
	case end.state == StateCancelled:
		note = s.stopAtNotte(t)
	default:
		note = "this server stopped while the function ran; the run goes on at Notte"
	}
	t.live.update(func(j *Job) { j.Run.Error = clip(note) })
	return end
}

// stopAtNotte ends a cancelled run where it runs and says how that went.
func (s RunSpec) stopAtNotte(t *task) string {
	id := t.live.snapshot().Run.RunID
	if id == "" {
		return "cancelled here; Notte gave the run no ID, so it could not be stopped there and may go on"
	}
	ctx, done := context.WithTimeout(context.WithoutCancel(t.ctx), stopTime)
	defer done()
	if err := s.Client.StopRun(ctx, s.FunctionID, id); err != nil {
		return fmt.Sprintf("cancelled here, but it may go on at Notte: %v", err)
	}
	return "cancelled, and stopped at Notte"
}
