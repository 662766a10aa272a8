// Package jobs runs builds and runs of Notte's as jobs that outlive the calls
// that asked for them: each has an ID, an owner, a log that can be followed
// from any position, and one end.
package jobs

import (
	"encoding/json"
	"time"

	"github.com/anything-mcp/anything-mcp/notte"
)

// Kind says what a job does.
type Kind string

// The kinds of job.
const (
	KindBuild Kind = "build" // asks the Anything API for a function
	KindRun   Kind = "run"   // runs a function
)

// State says where a job stands.
type State string

// The states of a job. All but StateRunning are final.
const (
	StateRunning State = "running"

	StateDone    State = "done"    // build: the agent finished
	StateError   State = "error"   // build: it could not start, or the agent failed
	StateTimeout State = "timeout" // build: the agent ran out of time

	StateClosed State = "closed" // run: it ended; Run.OK tells whether it succeeded
	StateFailed State = "failed" // run: it could not start, or Notte calls it failed

	StateCancelled   State = "cancelled"   // by the owner, or by Notte
	StateInterrupted State = "interrupted" // its end is unknown: the stream was lost, or this process stopped
)

// Ended reports whether the state is final.
func (s State) Ended() bool { return s != StateRunning }

// Job is a job as it stood at one moment. It is a value of its own: nothing in
// it changes later, and nothing in it may be changed.
type Job struct {
	ID        string // unguessable
	Owner     string // whose it is: see [notte.Client.Owner]
	Kind      Kind
	State     State
	StartedAt time.Time
	EndedAt   time.Time // zero while it runs
	Volatile  bool      // kept in memory alone: lost with this process

	Build *Build // of a KindBuild
	Run   *Run   // of a KindRun
}

// Elapsed is the time from the job's start to its end, or to now.
func (j Job) Elapsed(now time.Time) time.Duration {
	if j.State.Ended() {
		now = j.EndedAt
	}
	return max(0, now.Sub(j.StartedAt))
}

// Succeeded reports whether the job ended as its owner hoped.
func (j Job) Succeeded() bool {
	switch j.State {
	case StateDone:
		return true
	case StateClosed:
		return j.Run.OK
	}
	return false
}

// functionID is the function that the job made or runs.
func (j Job) functionID() string {
	if j.Run != nil {
		return j.Run.FunctionID
	}
	return j.Build.FunctionID
}

// Summary is the job without what makes it large: a build's Steps, Answer and
// Thinking, a run's Variables, Result and Logs.
func (j Job) Summary() Job {
	if j.Build != nil {
		b := *j.Build
		b.Steps, b.Answer, b.Thinking = nil, "", ""
		j.Build = &b
	}
	if j.Run != nil {
		r := *j.Run
		r.Variables, r.Result, r.Logs = nil, nil, nil
		j.Run = &r
	}
	return j
}

// Build is what is known of a build. All text in it came from Notte's agent,
// which reads web pages: it is untrusted.
type Build struct {
	Query        string
	Started      bool     // Notte took it on, or may have: it may be billed
	Status       string   // the agent's last word on its lifecycle
	FunctionID   string   // from function_uploaded on, whatever happens after
	FunctionName string   //
	ThreadID     string   //
	ViewerURL    string   // for the user's eyes: it carries a token; empty once the build has ended
	TotalCostUSD *float64 // nil: not known
	Steps        []string // the tools that the agent used, oldest first; the last maxSteps of them
	StepCount    int      // how many it used in all
	Answer       string   // the text of the agent's last message, at most maxAnswer bytes of it
	Thinking     string   // its reasoning, at most maxThinking bytes of it
	Dropped      int64    // bytes of answer and thinking that were not kept
	Error        string
	Detail       string
	Reason       string
}

// Run is what is known of a run of a function.
type Run struct {
	FunctionID string
	Variables  json.RawMessage // as the caller gave them; nil for none
	RunID      string          // Notte's ID; empty if Notte gave none
	SessionID  string
	OK         bool            // once ended: the function did what it should
	Result     json.RawMessage // any JSON; nil for none
	Logs       []string        // the last maxLogs lines
	Error      string
}

// Entry is one line of a job's log: an event that a follower may want to see.
// Deltas that come close after another are one entry.
type Entry struct {
	Seq  int64 // 1 for a job's first entry, rising
	At   time.Time
	Type notte.EventType
	Text string // what the event says: a delta, a tool's name, a log line …

	FunctionID string // of a function_uploaded

	// Final marks the entry that ended the job, which is its last.
	Final bool
}

// Event gives the entry's event with the field of its type set.
func (e Entry) Event() notte.Event {
	ev := notte.Event{Type: e.Type, FunctionID: e.FunctionID, Size: len(e.Text)}
	if field := telling(&ev); field != nil {
		*field = e.Text
	}
	return ev
}

// telling points at the field that says what an event of a logged type is
// about; nil for types that are not logged.
func telling(ev *notte.Event) *string {
	switch ev.Type {
	case notte.EventStatus:
		return &ev.Status
	case notte.EventThinkingDelta, notte.EventTextDelta:
		return &ev.Delta
	case notte.EventToolStart:
		return &ev.Name
	case notte.EventSessionData:
		return &ev.ViewerURL
	case notte.EventFunctionUploaded:
		return &ev.FunctionName
	case notte.EventMessageComplete:
		return &ev.Role
	case notte.EventLog, notte.EventSessionStart:
		return &ev.Message
	}
	return nil
}
