// Package jobs runs builds, function runs and batches of them as durable jobs that
// callers can leave, join and follow. Each has an ID, an owner, a log that can be
// followed from any position, and one end. A batch that can be resumed has further
// ends.
package jobs

import (
	"encoding/json"
	"slices"
	"time"

	"github.com/anything-mcp/anything-mcp/notte"
)

// Kind says what a job does.
type Kind string

// The kinds of job.
const (
	KindBuild Kind = "build" // asks the Anything API for a function
	KindRun   Kind = "run"   // runs a function
	KindBatch Kind = "batch" // runs a function for each item of a list
)

// State says where a job stands.
type State string

// The states of a job. All but StateRunning are final.
const (
	StateRunning State = "running"

	StateDone    State = "done"    // build: the agent finished
	StateError   State = "error"   // build: it could not start, or the agent failed
	StateTimeout State = "timeout" // build: the agent ran out of time

	StateClosed State = "closed" // run: it ended; Run.OK says whether it succeeded. Batch: all items have run
	StateFailed State = "failed" // run: it could not start, or Notte calls it failed. Batch: it started no more, for Batch.Error

	StateCancelled   State = "cancelled"   // by the owner, or by Notte
	StateInterrupted State = "interrupted" // its end is unknown: the stream was lost, or this process stopped
)

// Ended reports whether the state is final.
func (s State) Ended() bool { return s != StateRunning }

// Job is a job as it stood at one moment. It is a value of its own: nothing in
// it changes later, and callers must not change what it points to.
type Job struct {
	ID        string // unguessable
	Owner     string // see [notte.Client.Owner]
	Kind      Kind
	State     State
	StartedAt time.Time
	EndedAt   time.Time // zero while it runs
	Volatile  bool      // kept in memory alone for now: lost if this process dies

	Build *Build // of a KindBuild
	Run   *Run   // of a KindRun
	Batch *Batch // of a KindBatch
}

// Elapsed returns the time from the job's start to its end, or to now.
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
		if j.Run != nil {
			return j.Run.OK
		}
	}
	return j.Batch != nil && j.State.Ended() && j.Batch.Tally.Succeeded == j.Batch.Tally.Total
}

// OutcomeUnknown reports whether the job is a build that has ended here, but that
// Notte may have gone on with, or may still finish.
func (j Job) OutcomeUnknown() bool {
	return j.Build != nil && j.State.Ended() && (j.State == StateInterrupted || j.Build.MayFinish)
}

// FunctionID returns the function that the job made or runs.
func (j Job) FunctionID() string {
	switch {
	case j.Run != nil:
		return j.Run.FunctionID
	case j.Batch != nil:
		return j.Batch.FunctionID
	}
	return j.Build.FunctionID
}

// Summary returns the job without what makes it large: a build's Steps, Answer
// and Thinking, a run's Variables, Result and Logs.
func (j Job) Summary() Job {
	j = j.clone()
	if b := j.Build; b != nil {
		b.Steps, b.Answer, b.Thinking = nil, "", ""
	}
	if r := j.Run; r != nil {
		r.Variables, r.Result, r.Logs = nil, nil, nil
	}
	return j
}

// clone returns a copy of j that shares nothing with it that can change.
func (j Job) clone() Job {
	if j.Build != nil {
		b := *j.Build
		b.Steps = slices.Clone(b.Steps)
		j.Build = &b
	}
	if j.Run != nil {
		r := *j.Run
		r.Logs = slices.Clone(r.Logs)
		j.Run = &r
	}
	if j.Batch != nil {
		j.Batch = new(*j.Batch)
	}
	return j
}

// Build is what is known of a build. All text in it came from Notte's agent,
// which reads web pages: it is untrusted. The JSON is what a [Store] keeps of a
// build besides its columns: a tag must not change.
type Build struct {
	Query          string          `json:"query"`
	Started        bool            `json:"started,omitempty"`         // Notte took it on, or may have: it may be billed
	StartedAtNotte time.Time       `json:"started_at_notte,omitzero"` // StartedAt by its clock; zero: not known
	Status         string          `json:"status,omitempty"`          // the agent's last word on its lifecycle
	Latest         notte.EventType `json:"latest,omitempty"`          // what came last of status, tool_start and function_uploaded: what it does now
	FunctionID     string          `json:"-"`                         // known from function_uploaded on, however the build ends
	FunctionName   string          `json:"function_name,omitempty"`
	ThreadID       string          `json:"thread_id,omitempty"`  // known from the start under v2, from the end under v1
	ThreadURL      string          `json:"thread_url,omitempty"` // the page of the thread, if Notte sent it
	ViewerURL      string          `json:"viewer_url,omitempty"` // for the user's eyes, because it carries a token; a Store keeps it sealed; empty once the build has ended
	TotalCostUSD   *float64        `json:"total_cost_usd,omitempty"`
	Steps          []string        `json:"-"`                    // the tools that the agent used, oldest first; the last maxSteps of them
	StepCount      int             `json:"step_count,omitempty"` // how many it used in all
	Answer         string          `json:"-"`                    // the text of the agent's last message, at most maxAnswer bytes of it
	Thinking       string          `json:"-"`                    // its reasoning, at most maxThinking bytes of it
	Error          string          `json:"error,omitempty"`
	Detail         string          `json:"detail,omitempty"`
	Reason         string          `json:"reason,omitempty"`
	Warning        string          `json:"warning,omitempty"` // what is doubtful about a build that is done

	FunctionFrom    string         `json:"function_from,omitempty"` // FromStream, FromUnconfirmed or FromCatalogue
	FunctionVersion string         `json:"function_version,omitempty"`
	Candidates      []Candidate    `json:"candidates,omitempty"` // functions that it may have made, if none is known
	Continues       string         `json:"continues,omitempty"`  // the build whose thread it goes on with
	Before          *FunctionState `json:"before,omitempty"`     // the function of that build before this one began
	Detached        bool           `json:"detached,omitempty"`   // it goes on at Notte, and reports no steps
	MayFinish       bool           `json:"may_finish,omitempty"` // it ended here alone: see [Job.OutcomeUnknown]
}

// Updated reports whether the build has changed the function of the build that it
// continues, instead of making one.
func (b *Build) Updated() bool { return b.FunctionID != "" && b.updates(b.FunctionID) }

// updates reports whether a function was there before the build began.
func (b *Build) updates(functionID string) bool {
	return b.Before != nil && b.Before.FunctionID == functionID
}

// Candidate is a function that a build may have made.
type Candidate struct {
	FunctionID string    `json:"function_id"`
	Name       string    `json:"name,omitempty"`
	CreatedAt  time.Time `json:"created_at,omitzero"`
}

// Run is what is known of a run of a function. The JSON is what a [Store] keeps
// of a run besides its columns: a tag must not change.
type Run struct {
	FunctionID string          `json:"-"`
	Variables  json.RawMessage `json:"-"`                // as the caller gave them; nil for none
	RunID      string          `json:"run_id,omitempty"` // Notte's ID; empty if Notte gave none
	SessionID  string          `json:"session_id,omitempty"`
	OK         bool            `json:"ok,omitempty"`          // once ended: the function did what it should
	Gone       bool            `json:"gone,omitempty"`        // Notte has no such function, or no longer
	NeverBegan bool            `json:"never_began,omitempty"` // once ended: the function did nothing
	Result     json.RawMessage `json:"-"`                     // any JSON; nil for none
	Logs       []string        `json:"-"`                     // the last maxLogs lines
	Error      string          `json:"error,omitempty"`

	Batch   string `json:"batch,omitempty"`   // the batch whose item it is; empty: of none
	Asked   bool   `json:"asked,omitempty"`   // Notte may have been asked to start it; known of a batch's run
	Waiting bool   `json:"waiting,omitempty"` // once ended: it never began, and its item waits again
}

// Entry is one event of a job's log. Deltas that come close after another are
// one entry. Only events that a follower may want to see are logged, with their
// texts bounded and without a run's result.
type Entry struct {
	Seq int64 // 1 for a job's first entry, rising
	At  time.Time
	notte.Event

	Tally Tally // of a batch, as of this entry

	// Final marks the entry that ended the job, which is its last.
	Final bool
}

// EventInterrupted is the final event of a job whose end is unknown. Notte has
// no such event.
const EventInterrupted notte.EventType = "interrupted"
