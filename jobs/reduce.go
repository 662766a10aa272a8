package jobs

import (
	"cmp"
	"fmt"
	"time"

	"github.com/anything-mcp/anything-mcp/notte"
	"github.com/anything-mcp/anything-mcp/text"
)

// eventRunCreated names a run at Notte before it starts. Notte has no such event.
const eventRunCreated notte.EventType = "run_created"

// isDelta reports whether events of a type are parts of the agent's text.
func isDelta(t notte.EventType) bool {
	return t == notte.EventTextDelta || t == notte.EventThinkingDelta
}

// isLogged reports whether events of a type become entries of the log. An event
// that ends a job always does.
func isLogged(t notte.EventType) bool {
	switch t {
	case notte.EventStatus, notte.EventToolStart, notte.EventMessageComplete, notte.EventLog:
		return true
	}
	return isDelta(t) || names(t)
}

// names reports whether events of a type name a thing at Notte that must be
// found again after a crash. Such an event is shown only once it is stored.
func names(t notte.EventType) bool {
	switch t {
	case notte.EventThread, notte.EventSessionData, notte.EventFunctionUploaded, notte.EventSessionStart, eventRunCreated:
		return true
	}
	return false
}

// bounded returns ev with its texts clipped. The result shares no memory with
// ev, apart from a run's result.
func bounded(ev notte.Event) notte.Event {
	for _, field := range []*string{
		&ev.Status, &ev.Name, &ev.Role, &ev.ViewerURL, &ev.FunctionID, &ev.FunctionName, &ev.CreatedAt,
		&ev.ThreadID, &ev.ThreadURL, &ev.FunctionFrom, &ev.FunctionVersion, &ev.Warning, &ev.Error, &ev.Detail, &ev.Reason, &ev.Message,
	} {
		*field = clip(*field)
	}
	return ev
}

// reduce folds a bounded event into the job's state. The caller holds r.mu.
func (r *record) reduce(ev notte.Event) {
	switch {
	case r.job.Build != nil:
		r.reduceBuild(r.job.Build, ev)
	case r.job.Run != nil:
		reduceRun(r.job.Run, ev)
	}
}

func (r *record) reduceBuild(b *Build, ev notte.Event) {
	switch ev.Type {
	case notte.EventStatus, notte.EventToolStart, notte.EventFunctionUploaded:
		b.Latest = ev.Type
	}
	switch ev.Type {
	case notte.EventStatus:
		b.Status = ev.Status
	case notte.EventThinkingDelta:
		r.thinking.write(ev.Delta)
	case notte.EventTextDelta:
		// The answer is the agent's last message. What it said before is in
		// the log.
		if r.messageDone {
			r.answer.reset()
			r.messageDone = false
		}
		r.answer.write(ev.Delta)
	case notte.EventMessageComplete:
		r.messageDone = true
	case notte.EventToolStart:
		b.Steps = keepLast(append(b.Steps, text.Clip(ev.Name, maxStep)), maxSteps)
		b.StepCount++
	case notte.EventSessionData:
		setNonEmpty(&b.ViewerURL, ev.ViewerURL)
	default: // thread, function_uploaded, and what ends a build
		if ev.FunctionID != "" {
			reduceFunction(b, ev)
		}
		setNonEmpty(&b.ThreadID, ev.ThreadID)
		setNonEmpty(&b.ThreadURL, ev.ThreadURL)
		setNonEmpty(&b.Warning, ev.Warning)
		setNonEmpty(&b.Error, ev.Error)
		setNonEmpty(&b.Detail, ev.Detail)
		setNonEmpty(&b.Reason, ev.Reason)
		if ev.TotalCostUSD != nil {
			b.TotalCostUSD = new(*ev.TotalCostUSD)
		}
	}
}

// reduceFunction takes over the function that an event names. One that comes
// without a source is of v1, which needs no confirmation.
func reduceFunction(b *Build, ev notte.Event) {
	if ev.FunctionID != b.FunctionID {
		b.FunctionName, b.FunctionVersion = "", ""
	}
	b.FunctionID, b.FunctionFrom = ev.FunctionID, cmp.Or(ev.FunctionFrom, FromStream)
	setNonEmpty(&b.FunctionName, ev.FunctionName)
	setNonEmpty(&b.FunctionVersion, ev.FunctionVersion)
}

func reduceRun(r *Run, ev notte.Event) {
	switch ev.Type {
	case eventRunCreated:
		r.RunID, r.Asked = ev.Message, true
	case notte.EventSessionStart:
		setNonEmpty(&r.SessionID, ev.Message)
	case notte.EventLog:
		r.Logs = keepLast(append(r.Logs, ev.Message), maxLogs)
	case notte.EventResult:
		if ev.Result != nil {
			setNonEmpty(&r.RunID, clip(ev.Result.RunID))
			setNonEmpty(&r.SessionID, clip(ev.Result.SessionID))
		}
	}
}

// finish ends the job with its last event. The caller holds r.mu.
func (r *record) finish(ev notte.Event, state State, now time.Time) {
	r.job.State, r.job.EndedAt = state, now
	if b := r.job.Build; b != nil {
		b.ViewerURL = "" // its token would outlive its use
		r.log.eraseLinks()
		return
	}
	if b := r.job.Batch; b != nil {
		b.Error = ev.Error
		return
	}
	if ev.Result == nil {
		setNonEmpty(&r.job.Run.Error, ev.Error)
		return
	}
	finishRun(r.job.Run, ev.Result, ev.Error)
}

// finishRun stores the outcome of a run. A run may be closed and yet have
// failed: failure then says why, and so does the result.
func finishRun(r *Run, result *notte.RunResult, failure string) {
	failure = cmp.Or(failure, result.Failure())
	r.Result = result.Result
	r.Error = clip(failure)
	r.OK = failure == "" && result.Status != notte.RunFailed && result.Status != notte.RunStopped
	if !r.OK && failure == "" {
		r.Error = fmt.Sprintf("Notte reports the run as %s and gives no reason", result.Status)
	}
}

// setNonEmpty sets field unless value is empty.
func setNonEmpty(field *string, value string) {
	if value != "" {
		*field = value
	}
}
