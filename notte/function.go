package notte

import (
	"encoding/json"
	"time"
)

// Function is a deployed automation. Its source's download link is a secret
// and is not read.
type Function struct {
	ID            string
	Name          string
	Description   string
	Variables     []Variable
	LatestVersion string
	Status        string
	CreatedAt     time.Time // zero when Notte did not say
	UpdatedAt     time.Time
}

// Variable is an input of a [Function].
type Variable struct {
	Name    string
	Type    string          // empty when Notte did not say
	Default json.RawMessage // nil when there is none
}

// Page is one page of a list. Pages count from 1.
type Page[T any] struct {
	Items       []T
	Page        int
	PageSize    int
	HasNext     bool
	HasPrevious bool
}

// FunctionPage is one page of the caller's functions.
type FunctionPage = Page[Function]

// RunPage is one page of a function's runs, newest first.
type RunPage = Page[Run]

// RunStatus is Notte's word for where a run stands.
type RunStatus string

// The states of a run. Closed does not mean that the function succeeded: see
// [RunResult.Failure].
const (
	RunCreated RunStatus = "created"
	RunActive  RunStatus = "active"
	RunClosed  RunStatus = "closed"
	RunFailed  RunStatus = "failed"
	RunStopped RunStatus = "stopped" // by a DELETE
)

// RunResult is the outcome of a run, as its start or its stream tells it.
type RunResult struct {
	FunctionID string
	RunID      string
	SessionID  string
	Status     RunStatus
	Result     json.RawMessage // any JSON; nil when there is none
}

// Run is what Notte keeps of a run.
type Run struct {
	FunctionID string
	ID         string
	SessionID  string
	Status     RunStatus
	Result     string // a Python repr rather than JSON, by all accounts
	Logs       []string
	CreatedAt  time.Time
	UpdatedAt  time.Time
}
