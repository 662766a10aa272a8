package jobs

import (
	"context"
	"errors"
	"time"

	"github.com/anything-mcp/anything-mcp/notte"
	"github.com/anything-mcp/anything-mcp/text"
)

// errBuildTimeout is the cause of the end of a build that took too long.
var errBuildTimeout = errors.New("the build took too long")

const (
	mayFinish       = "; Notte may still finish the build and bill it"
	cancelledHere   = "cancelled here, by closing the stream" + mayFinish
	cancelledLate   = "cancelled; the process that followed the build has ended or does not answer" + mayFinish
	stoppedHere     = "this server stopped while the build ran" + mayFinish
	processIsGone   = "the process that followed this build has ended; Notte may have finished the build and billed it"
	endedWithoutEnd = "the build's stream ended without saying how the build ended"
)

// buildEnds are the events that end a build, and how.
var buildEnds = map[notte.EventType]State{
	notte.EventDone:      StateDone,
	notte.EventError:     StateError,
	notte.EventTimeout:   StateTimeout,
	notte.EventCancelled: StateCancelled,
}

// work starts a build and follows its stream to the end. The request is never
// repeated, because each may be billed.
func (s BuildSpec) work(ctx context.Context, r *record, m *Manager) outcome {
	within := ctx
	if m.opts.BuildTimeout > 0 {
		var done context.CancelFunc
		within, done = context.WithTimeoutCause(ctx, m.opts.BuildTimeout, errBuildTimeout)
		defer done()
	}
	find := &finder{m: m, r: r}
	stream, err := find.start(within, &s)
	if err != nil {
		return failBuild(within, r, err, m.opts.BuildTimeout)
	}
	r.update(func(j *Job) { j.Build.Started, j.Build.StartedAtNotte = true, stream.AtNotte(j.StartedAt) })
	expectDetached := s.Detach
	for ev, err := range stream.Events() {
		if err != nil {
			return find.afterLoss(ctx, within, stream.Cost(), err)
		}
		if expectDetached && ev.Type != notte.EventThread && ev.Type != notte.EventDetached {
			expectDetached = false
			r.apply(notte.Event{Type: notte.EventStatus, Status: followedStatus})
		}
		switch state, ends := buildEnds[ev.Type]; {
		case ends:
			return find.afterEnd(within, state, &ev)
		case ev.Type == notte.EventDetached:
			return find.afterDetach(ctx, ev)
		case ev.Type == notte.EventFunctionUploaded && ev.FunctionFrom != "":
			find.see(within, ev)
		default:
			r.apply(ev)
		}
	}
	// Unreachable as long as Events keeps its contract.
	return interrupted(endedWithoutEnd)
}

// failBuild returns the end of a build that Notte did not end.
func failBuild(ctx context.Context, r *record, err error, limit time.Duration) outcome {
	started := notte.MayHaveStarted(err)
	r.update(func(j *Job) {
		j.Build.Started = j.Build.Started || started
		j.Build.MayFinish = j.Build.Started
	})
	switch state := stopped(ctx); {
	case state == StateCancelled:
		return cancelBuild(r, cancelledHere)
	case state != "":
		return interrupted(stoppedHere)
	case errors.Is(context.Cause(ctx), errBuildTimeout):
		return outcome{StateTimeout, &notte.Event{
			Type: notte.EventTimeout, Reason: "the build was given up after " + text.Duration(limit) + mayFinish,
		}}
	}
	// Any answer of Notte's ends the build. Without an answer its end is unknown.
	if failed, ok := errors.AsType[*notte.Error](err); ok && failed.StatusCode != 0 || !started {
		return outcome{StateError, &notte.Event{Type: notte.EventError, Error: err.Error()}}
	}
	return interrupted(err.Error())
}

// interrupted is the end of a job whose outcome is unknown.
func interrupted(why string) outcome {
	return outcome{StateInterrupted, &notte.Event{Type: EventInterrupted, Error: why}}
}

// cancelBuild returns the end of a build that was cancelled here.
func cancelBuild(r *record, reason string) outcome {
	r.update(func(j *Job) { j.Build.MayFinish = j.Build.Started })
	return outcome{StateCancelled, &notte.Event{Type: notte.EventCancelled, Reason: reason}}
}

// resumeBuild goes on with a build whose process is gone. Its stream cannot be
// resumed, and a second start would be billed. If its thread is known the build
// probably goes on at Notte: then its function is looked for.
func resumeBuild(ctx context.Context, r *record, m *Manager) outcome {
	switch {
	case stopped(ctx) == StateCancelled:
		return cancelBuild(r, cancelledLate)
	case r.latest().Build.ThreadID == "":
		return interrupted(processIsGone)
	}
	return (&finder{m: m, r: r}).await(ctx, processIsGone)
}
