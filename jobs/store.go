package jobs

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"strings"
	"time"
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
	// ErrNoItem says that no item of a batch waits.
	ErrNoItem = errors.New("no item of the batch waits")
)

// IsAnswer reports whether an error of a [Store]'s, or nil, is an answer that its
// contract allows, or a context's, and not a failure.
func IsAnswer(err error) bool {
	if _, limit := errors.AsType[*LimitError](err); err == nil || limit {
		return true
	}
	for _, answer := range []error{ErrNotFound, ErrEnded, ErrLeaseLost, ErrNoItem, context.Canceled, context.DeadlineExceeded} {
		if errors.Is(err, answer) {
			return true
		}
	}
	return false
}

// Store keeps jobs and their logs. Its methods are safe for concurrent use, by
// several processes if it outlives one. Package jobstest holds its contract as
// a test that every Store passes. Times are kept to the millisecond at least.
//
// A job is written by one process at a time, the one that holds its lease.
// Each holder's lease has a higher fence than the one before, and what a former
// holder still tries to write is refused with ErrLeaseLost.
type Store interface {
	// Create stores a running job and leases it to opts.Holder, unless it is
	// joined to an earlier job or its limits forbid it; see [CreateOptions].
	// An earlier job is returned with a zero Lease. Over a limit the error is a
	// [*LimitError]. Looking, counting and storing are one step: no other
	// Create comes in between, in any process. When Create returns a lease, the
	// job is as durable as the store is.
	Create(ctx context.Context, job Job, opts CreateOptions) (Job, Lease, error)

	// TakeItem gives the first item of a batch that waits to a run: it stores the
	// run with the item's variables, leased to opts.Holder, and returns it. The item
	// waits no more, unless the run ends as Waiting. All that is one step, and as
	// durable as the store is when TakeItem returns. If no item waits the error is
	// ErrNoItem; if batch is not the lease of the running batch, ErrLeaseLost or
	// ErrEnded.
	TakeItem(ctx context.Context, batch Lease, run Job, opts CreateOptions) (Job, Lease, error)

	// Resume has a batch run again that has ended. Its state and its Batch become
	// those of job, and it is leased to opts.Holder; its log is deleted, and its
	// items stay as they are. A batch that runs is returned with a zero Lease.
	Resume(ctx context.Context, job Job, opts CreateOptions) (Job, Lease, error)

	// Items returns up to limit items of a batch from an index on, in order. Their
	// runs are whole.
	Items(ctx context.Context, id string, from, limit int) ([]Item, error)

	// Save stores changes of many jobs at once, each all or nothing, and
	// returns an error, or nil, for each. A change that is saved again changes
	// nothing. See [Change] for what it may hold.
	Save(ctx context.Context, changes []Change) []error

	// Get returns a job, or ErrNotFound. It does not check owners: the Manager
	// does. The Tally of a batch is counted from its items, here and in all that
	// returns jobs.
	Get(ctx context.Context, id string) (Job, error)

	// Entries returns up to limit entries whose Seq is above after, in order.
	// Entries that were dropped to bound the log are left out.
	Entries(ctx context.Context, id string, after int64, limit int) ([]Entry, error)

	// Positions returns how far the jobs with these IDs are, in any order.
	// Unknown jobs are left out.
	Positions(ctx context.Context, ids []string) ([]Position, error)

	// List returns jobs that match, newest first: by StartedAt, then by ID.
	// They are [Job.Summary] values. The runs of a batch are left out.
	List(ctx context.Context, q Query) ([]Job, error)

	// Spending sums up the builds of an owner that Notte took on and that ended
	// at or after since.
	Spending(ctx context.Context, owner string, since time.Time) (Spending, error)

	// Cancel asks the holder of a running job to end it. The holder learns of it
	// from Renew. For a job that has ended the error is ErrEnded.
	Cancel(ctx context.Context, id string) error

	// Renew extends the leases that are still held, and returns which are not
	// and which jobs are to be cancelled.
	Renew(ctx context.Context, leases []Lease, until time.Time) (Renewal, error)

	// Adopt leases to holder every running job of the owner that another holds
	// and whose lease ran out before now, so that it can be brought to an end.
	// Jobs that holder already holds are skipped, even if their lease has run
	// out.
	Adopt(ctx context.Context, owner, holder string, until, now time.Time) ([]Adopted, error)

	// Forget deletes the jobs that ended before a time, those that no process
	// has held since that time, and the logs of both. Their cost remains part
	// of Spending. The runs of a batch are deleted with it, and count with it.
	Forget(ctx context.Context, before time.Time) (jobs int, err error)

	// Close releases what the store holds. No other call may follow.
	Close() error
}

// CreateOptions says who wants to hold a new job, until when, and on what
// conditions it is created.
type CreateOptions struct {
	Holder string    // the process
	Until  time.Time // when the lease runs out unless renewed

	// JoinKey marks jobs of one owner that are the same work. If Join is set
	// and the key is not empty, Create returns the newest running job with
	// that key instead; or else, if ReuseSince is not zero, the newest one
	// that succeeded and ended at or after it.
	JoinKey    string
	Join       bool
	ReuseSince time.Time

	Limits Limits // of a build; not checked when a job is joined

	Items []json.RawMessage // of a batch: the variables of each
}

// Limits bound what an owner's builds may cost. The zero value allows anything.
type Limits struct {
	MaxRunning int       // builds at once; 0: any number
	BudgetUSD  float64   // for the builds that end at or after Since; 0: any amount
	Since      time.Time // when the budget's day began
}

// Bounded reports whether there is a limit to check.
func (l Limits) Bounded() bool { return l.MaxRunning > 0 || l.BudgetUSD > 0 }

// Change is what is new of one job. Its holder saves it, with two exceptions
// that let a known outcome survive: see below.
//
// Entries are added to the log; those that are there already are left as they
// are. Entries before Oldest are dropped, so that the log is bounded. Job, unless
// nil, is the job's new state. Answer, Thinking, Variables and Result are stored
// with the end of a job, and left as they are before it. The end of a job ends its
// lease and erases its links (the ViewerURL of its entries). If Notte took the build
// on, its cost is added to Spending. If it was the run of an item and is
// Waiting, the item waits again. When Save returns nil for an end, or for a Change with
// Sync set, it is as durable as the store is.
//
// With Create, a job that the store does not have is created first, whatever its
// limits, with the lease of the change: it has begun already, because the store could
// not be asked before.
//
// The first to end a job wins, and later changes get ErrEnded. One end replaces
// another, once: if the stored job ended as [StateInterrupted], an end in any
// other state replaces it, with its cost and its entries, whoever holds or held
// the lease. How the job ended was not known before, and now it is.
type Change struct {
	Lease   Lease
	Job     *Job
	Entries []Entry
	Oldest  int64
	Sync    bool
	Create  *CreateOptions // nil: the store has the job
}

// Lease is the right to write one job. The zero Lease is no lease.
type Lease struct {
	JobID string
	Fence int64
}

// Renewal is what became of leases that were to be renewed: the IDs of their
// jobs.
type Renewal struct {
	Cancelled []string // renewed, and to be cancelled
	Lost      []string // another process has taken the job over, or it has ended
}

// Adopted is a job that was left without a holder, and its new lease.
type Adopted struct {
	Job       Job
	Lease     Lease
	Cancelled bool // its holder was asked to end it
}

// Position is how far a job is.
type Position struct {
	ID    string
	Owner string
	State State
	Seq   int64 // of the newest entry; 0 for none
}

// Query selects jobs of one owner. Empty fields match everything.
type Query struct {
	Owner      string // required
	Kind       Kind   // required
	State      State
	Ended      bool // only those that have ended
	FunctionID string
	Since      time.Time // started at or after it
	Before     Cursor    // those that come after it in the list's order
	Limit      int       // at most so many; required
}

// matches reports whether a job belongs into the list, apart from its limit.
func (q Query) matches(j Job) bool {
	switch {
	case j.Owner != q.Owner, j.Kind != q.Kind, j.Run != nil && j.Run.Batch != "",
		q.State != "" && j.State != q.State,
		q.Ended && !j.State.Ended(),
		q.FunctionID != "" && j.FunctionID() != q.FunctionID,
		j.StartedAt.Before(q.Since):
		return false
	case q.Before == Cursor{}:
		return true
	}
	return newestFirst(Job{StartedAt: q.Before.StartedAt, ID: q.Before.ID}, j) < 0
}

// newestFirst compares jobs in the order of lists.
func newestFirst(a, b Job) int {
	return cmp.Or(b.StartedAt.Compare(a.StartedAt), strings.Compare(b.ID, a.ID))
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

// Add counts a build that ended. usd is nil if its cost is not known.
func (s *Spending) Add(usd *float64) {
	s.Builds++
	if usd == nil {
		s.Unknown++
	} else {
		s.USD += *usd
	}
}
