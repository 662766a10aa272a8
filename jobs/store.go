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
// a test that every Store passes.
//
// A job is written by one process at a time, the one that holds its lease.
// Each holder's lease has a higher fence than the one before, and what a former
// holder still tries to write is refused with ErrLeaseLost.
type Store interface {
	// Create stores a running job and leases it to claim.Holder. If
	// claim.JoinKey is not empty and claim.Join is set, and the owner has a
	// running job with that key, nothing is stored: the newest such job is
	// returned with a zero Lease.
	Create(ctx context.Context, job Job, claim Claim) (Job, Lease, error)

	// Get returns a job, or ErrNotFound. Owners are the Manager's business.
	Get(ctx context.Context, id string) (Job, error)

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

	// Renew extends leases that are still held; lost ones are passed over.
	Renew(ctx context.Context, leases []Lease, until time.Time) error

	// Adopt leases to claim.Holder every running job whose lease ran out
	// before now, so that it can be finished by someone.
	Adopt(ctx context.Context, claim Claim, now time.Time) ([]Adopted, error)

	// Close releases what the store holds. No other call may follow.
	Close() error
}

// Claim says who wants to hold a job, and until when.
type Claim struct {
	Holder  string    // the process
	Until   time.Time // when the lease runs out unless renewed
	JoinKey string    // jobs of one owner with the same key are the same work
	Join    bool      // return such a job if one is running
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
