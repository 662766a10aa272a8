package jobs

import (
	"errors"

	"github.com/anything-mcp/anything-mcp/notte"
)

// work starts a build and follows its stream to the end. The one request is
// never repeated: each may be billed.
func (s BuildSpec) work(t *task) outcome {
	stream, err := s.Client.StartBuild(t.ctx, s.Query)
	if err != nil {
		return t.buildBroke(err)
	}
	t.live.update(func(j *Job) { j.Build.Started = true })
	for ev, err := range stream.Events() {
		if err != nil {
			return t.buildBroke(err)
		}
		t.observe(ev)
		switch ev.Type {
		case notte.EventDone:
			return outcome{StateDone, ev.Type}
		case notte.EventError:
			return outcome{StateError, ev.Type}
		case notte.EventTimeout:
			return outcome{StateTimeout, ev.Type}
		case notte.EventCancelled:
			return outcome{StateCancelled, ev.Type}
		}
	}
	// Unreachable while Events keeps its word; a lost end is still an end.
	return t.buildBroke(errors.New("the build's stream ended without a word"))
}

// buildBroke ends a build that Notte did not end.
func (t *task) buildBroke(err error) outcome {
	end, told := t.stopped()
	started := notte.MayHaveStarted(err)
	t.live.update(func(j *Job) {
		j.Build.Started = j.Build.Started || started
		switch {
		case !told:
			j.Build.Error = clip(err.Error())
		case end.state == StateCancelled:
			j.Build.Reason = "cancelled here, by closing the stream; Notte may finish the build and bill it all the same"
		default:
			j.Build.Error = "this server stopped while the build ran; Notte may finish the build and bill it all the same"
		}
	})
	if told {
		return end
	}
	// An answer of Notte's own, whatever it says, is an end; silence is not.
	if failed, ok := errors.AsType[*notte.Error](err); ok && failed.StatusCode != 0 || !started {
		return outcome{StateError, notte.EventError}
	}
	return outcome{StateInterrupted, eventInterrupted}
}

// resumeBuild ends a build whose process is gone: a stream cannot be taken up
// again, and a second start would be billed.
func resumeBuild(t *task) outcome {
	t.live.update(func(j *Job) {
		j.Build.Error = "the process that followed this build has ended; Notte may have finished the build and billed it all the same"
	})
	return outcome{StateInterrupted, eventInterrupted}
}
