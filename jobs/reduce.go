package jobs

import (
	"github.com/anything-mcp/anything-mcp/notte"
)

// reduce folds an event into the job's state. Callers hold l.mu.
func (l *live) reduce(ev notte.Event) { l.reduceInto(&l.job, ev) }

// reduceInto folds an event into the state of a job; deltas go to l's texts.
func (l *live) reduceInto(job *Job, ev notte.Event) {
	switch {
	case job.Build != nil:
		l.reduceBuild(job.Build, ev)
	case job.Run != nil:
		reduceRun(job.Run, ev)
	}
}

func (l *live) reduceBuild(b *Build, ev notte.Event) {
	switch ev.Type {
	case notte.EventStatus:
		b.Status = clip(ev.Status)
	case notte.EventThinkingDelta:
		l.thinking.write(ev.Delta)
	case notte.EventTextDelta:
		// The answer is the agent's last message: what it said on its way
		// there is in the log.
		if l.between {
			l.answer.reset()
			l.between = false
		}
		l.answer.write(ev.Delta)
	case notte.EventMessageComplete:
		l.between = true
	case notte.EventToolStart:
		b.Steps = last(append(b.Steps, clip(ev.Name)), maxSteps)
		b.StepCount++
	case notte.EventSessionData:
		setIf(&b.ViewerURL, ev.ViewerURL)
	case notte.EventFunctionUploaded:
		setIf(&b.FunctionID, ev.FunctionID)
		setIf(&b.FunctionName, ev.FunctionName)
	case notte.EventDone, notte.EventError, notte.EventTimeout, notte.EventCancelled:
		setIf(&b.FunctionID, ev.FunctionID)
		setIf(&b.ThreadID, ev.ThreadID)
		setIf(&b.Error, ev.Error)
		setIf(&b.Detail, ev.Detail)
		setIf(&b.Reason, ev.Reason)
		if ev.TotalCostUSD != nil {
			b.TotalCostUSD = new(*ev.TotalCostUSD)
		}
	}
}

func reduceRun(r *Run, ev notte.Event) {
	switch ev.Type {
	case notte.EventSessionStart:
		setIf(&r.SessionID, ev.Message)
	case notte.EventLog:
		r.Logs = last(append(r.Logs, clip(ev.Message)), maxLogs)
	case notte.EventResult:
		if ev.Result != nil {
			setIf(&r.RunID, ev.Result.RunID)
			setIf(&r.SessionID, ev.Result.SessionID)
		}
	}
}

// setIf keeps what is known when an event says nothing.
func setIf(field *string, value string) {
	if value != "" {
		*field = clip(value)
	}
}
