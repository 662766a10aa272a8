package jobs

import (
	"context"
	"time"

	"github.com/anything-mcp/anything-mcp/notte"
)

const (
	followedStatus = "this service does not detach builds, so the build is followed"
	detachedStatus = "detached: Notte goes on by itself and reports no steps"
	findStatus     = "the agent has finished; looking for the function that it made"
	lostStatus     = "the stream was lost; looking for the function that the build makes"
	lostWarning    = "the build's stream was lost, so what came after the function is not known"
	lostCost       = ", and the cost may be higher than the last one that Notte reported"
	notFound       = "no function of this build has appeared in the account; Notte may still be at work, or the build may have failed"
)

// afterEnd returns the end of a build whose stream has ended it. A v2 stream may
// end before its function is known.
func (f *finder) afterEnd(ctx context.Context, state State, ev *notte.Event) outcome {
	build := f.r.latest().Build
	if build.ThreadID == "" && len(f.sightings) == 0 || build.FunctionID != "" || ev.FunctionID != "" {
		return outcome{state, ev}
	}
	patience := time.Duration(0)
	if state == StateDone {
		patience = findPatience
		f.r.apply(notte.Event{Type: notte.EventStatus, Status: findStatus})
	}
	f.find(ctx, patience)
	return outcome{state, ev}
}

// afterLoss returns the end of a build whose stream broke with err, after it had
// reported cost. within is the context of the stream, below the job's.
func (f *finder) afterLoss(ctx, within context.Context, cost *float64, err error) outcome {
	build, state := f.r.latest().Build, stopped(ctx)
	if build.ThreadID == "" || within.Err() != nil && state != StateInterrupted {
		return failBuild(within, f.r, err, f.m.opts.BuildTimeout)
	}
	f.r.update(func(j *Job) { j.Build.TotalCostUSD = cost })
	if state == "" && build.FunctionID == "" {
		f.r.apply(notte.Event{Type: notte.EventStatus, Status: lostStatus})
	}
	return f.await(ctx, err.Error())
}

// afterDetach returns the end of a build that goes on at Notte by itself.
func (f *finder) afterDetach(ctx context.Context, ev notte.Event) outcome {
	ev.Type = notte.EventThread
	f.r.update(func(j *Job) { j.Build.Detached = true })
	f.r.apply(ev)
	f.r.apply(notte.Event{Type: notte.EventStatus, Status: detachedStatus})
	return f.await(ctx, notFound)
}

// await looks for the function of a build that goes on at Notte without its
// stream, until it appears or the time for that is over. If this process stops
// meanwhile, another goes on. If the end stays unknown, why says why.
func (f *finder) await(ctx context.Context, why string) outcome {
	found := ctx.Err() == nil && f.find(ctx, time.Until(f.r.began.Add(f.m.opts.DetachedTimeout)))
	build := f.r.latest().Build
	switch state := stopped(ctx); {
	case found && build.Detached:
		return outcome{StateDone, &notte.Event{Type: notte.EventDone}}
	case found && build.TotalCostUSD != nil:
		return outcome{StateDone, &notte.Event{Type: notte.EventDone, Warning: lostWarning + lostCost}}
	case found:
		return outcome{StateDone, &notte.Event{Type: notte.EventDone, Warning: lostWarning}}
	case state == StateCancelled:
		return cancelBuild(f.r, cancelledHere)
	case state != "" && !f.m.opts.InMemory:
		return outcome{state: StateRunning} // another process goes on
	case state != "":
		return interrupted(stoppedHere)
	}
	return interrupted(why)
}

// start starts the build. It is not inlined, so that the goroutine that then
// follows the stream keeps a small stack.
//
//go:noinline
func (f *finder) start(ctx context.Context, s *BuildSpec) (*notte.Stream, error) {
	req := notte.BuildRequest{Query: s.Query, Detach: s.Detach}
	if s.Continue != nil {
		req.ThreadID = s.Continue.Build.ThreadID
		f.remember(ctx, s.Continue)
	}
	return s.Client.StartBuild(ctx, req)
}

// remember notes the function of the build that this one continues, as it is
// before this one begins.
func (f *finder) remember(ctx context.Context, parent *Job) {
	id := parent.Build.FunctionID
	if id == "" {
		return
	}
	ctx, done := context.WithTimeout(ctx, findRequest)
	defer done()
	before := &FunctionState{FunctionID: id, Version: parent.Build.FunctionVersion}
	if now, err := f.r.client.GetFunction(ctx, id); err == nil {
		before.Version, before.UpdatedAt = now.LatestVersion, now.UpdatedAt
	}
	f.r.update(func(j *Job) { j.Build.Before = before })
}
