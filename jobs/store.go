package jobs

import (
	"context"
	"errors"
	"time"

	"github.com/anything-mcp/anything-mcp/notte"
)

// Errors of a [Store] and of the [Manager] above it.
var (
	// ErrNotFound is the one answer for a job that never existed, has expired
	// or is someone else's.
	ErrNotFound = errors.New("no such job")
	// ErrEnded says that the job has ended before and nothing was changed.
	ErrEnded = errors.New("the job has ended")
	// ErrLeaseLost says that another process has taken the job over.
	ErrLeaseLost = errors.New("the job's lease is lost")
)

// Store keeps jobs and their logs. Its methods are safe for concurrent use, by
// several processes if it outlives one; package jobstest holds its contract as
// a test that every Store passes. Times are kept to the millisecond at least.
//
// A job is written by one process at a time, the one that holds its lease.
// Each holder's lease has a higher fence than the one before, and what a former
// holder still tries to write is refused with ErrLeaseLost.
type Store interface {
	// Create stores a running job and leases it to claim.Holder, unless the
	// claim lets it be joined to an earlier job or its limits forbid it; see
	// [Claim]. An earlier job is returned with a zero Lease; over a limit the
	// error is a [*LimitError]. Looking, counting and storing are one step:
	// no other Create comes in between, in any process.
	Create(ctx context.Context, job Job, claim Claim) (Job, Lease, error)

	// Get returns a job, or ErrNotFound. Owners are the Manager's business.
	Get(ctx context.Context, id string) (Job, error)

	// List returns jobs that match, newest first: by StartedAt, then by ID.
	// They come without what makes a job large: [Job.Summary].
	List(ctx context.Context, q Query) ([]Job, error)

	// Spending sums up the builds of an owner that Notte took on and that ended
	// at or after since.
	Spending(ctx context.Context, owner string, since time.Time) (Spending, error)

	// Entries returns up to limit entries whose Seq is above after, in order.
	// Entries that were dropped to bound the log are passed over.
	Entries(ctx context.Context, id string, after int64, limit int) ([]Entry, error)

	// Update saves the state of a running job.
	Update(ctx context.Context, lease Lease, job Job) error

	// Append adds entries to the log of a running job. Their Seq values
	// continue those that are there.
	Append(ctx context.Context, lease Lease, entries []Entry) error

	// Finish saves a job's final state with its last entries and ends the
	// lease, all or nothing. The first to finish a job wins; later calls get
	// ErrEnded. When it returns nil the end is as durable as the store is, and
	// the texts of the log's [notte.EventSessionData] entries are erased: the
	// token in a viewer's link must not outlive the session.
	Finish(ctx context.Context, lease Lease, job Job, entries []Entry) error

	// Cancel asks whoever holds a running job to end it: Renew tells them.
	// A job that has ended gives ErrEnded.
	Cancel(ctx context.Context, id string) error

	// Renew extends leases that are still held; lost ones are passed over. It
	// returns the IDs of those among them that are to be cancelled.
	Renew(ctx context.Context, leases []Lease, until time.Time) (cancelled []string, err error)

	// Adopt leases to claim.Holder every running job of the owner that another
	// holds and whose lease ran out before now, so that it can be brought to an
	// end. What claim.Holder holds already is in hand, however late its renewal.
	Adopt(ctx context.Context, owner string, claim Claim, now time.Time) ([]Adopted, error)

	// Forget deletes the jobs that ended before a time, and their logs. What
	// was spent on them remains part of Spending.
	Forget(ctx context.Context, before time.Time) (jobs int, err error)

	// Close releases what the store holds. No other call may follow.
	Close() error
}

// Claim says who wants to hold a job, until when, and on what conditions.
type Claim struct {
	Holder string    // the process
	Until  time.Time // when the lease runs out unless renewed

	// JoinKey marks jobs of one owner that are the same work. If Join is set
	// and the key is not empty, Create returns the newest running job with
	// that key instead; or else, if ReuseSince is not zero, the newest one
	// that succeeded and ended at or after it.
	JoinKey    string
	Join       bool
	ReuseSince time.Time

	Limits Limits // of a build; not looked at when a job is joined
}

// Limits bound what an owner's builds may cost. The zero value allows anything.
type Limits struct {
	MaxRunning int       // builds at once; 0: any number
	BudgetUSD  float64   // for the builds that end at or after Since; 0: any amount
	Since      time.Time // when the budget's day began
}

// Query selects jobs of one owner. Empty fields match everything.
type Query struct {
	Owner      string // required
	Kind       Kind   // required
	State      State
	FunctionID string
	Since      time.Time // started at or after it
	Before     Cursor    // those that come after it in the list's order
	Limit      int       // at most so many; required
}

// Cursor is a place in a list of jobs: behind this job. The zero Cursor is the
// beginning.
type Cursor struct {
	StartedAt time.Time
	ID        string
}

// Spending is what builds have cost.
type Spending struct {
	USD     float64 // the costs that are known
	Builds  int     // how many ended that Notte had taken on
	Unknown int     // how many of them at a cost that is not known
}

// Lease is the right to write one job.
type Lease struct {
	JobID string
	Fence int64
}

// Adopted is a job that was left without a holder, and its new lease.
type Adopted struct {
	Job   Job
	Lease Lease
}

// EraseLinks empties the entries that hold a viewer's link, as
// [Store.Finish] asks for.
func EraseLinks(entries []Entry) {
	for i := range entries {
		if entries[i].Type == notte.EventSessionData {
			entries[i].Text = ""
		}
	}
}
