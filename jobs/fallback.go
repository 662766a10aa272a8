package jobs

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"sync/atomic"
	"time"
)

// Fallback is a [Store] that keeps jobs on disk while that works, and in memory
// when it does not: a disk that is full or damaged must not keep anyone from
// working. Jobs that are in memory are Volatile.
//
// While the disk fails, a build that has limits to keep is refused: what was
// spent so far is on the disk, and limits that cannot be checked do not hold.
type Fallback struct {
	disk   Store
	memory *Memory
	log    *slog.Logger
	failed atomic.Bool // the failure has been logged, and no success since
}

// NewFallback returns a Store on disk with memory to fall back on. It closes
// disk when it is closed.
func NewFallback(disk Store, log *slog.Logger) *Fallback {
	return &Fallback{disk: disk, memory: NewMemory(), log: log}
}

// Create falls back when a job cannot be stored; a refusal stands.
func (f *Fallback) Create(ctx context.Context, job Job, claim Claim) (Job, Lease, error) {
	if earlier, ok := f.memory.join(job.Owner, claim); ok {
		return earlier, Lease{}, nil
	}
	stored, lease, err := f.disk.Create(ctx, job, claim)
	switch _, refused := errors.AsType[*LimitError](err); {
	case refused || err == nil:
		f.note(nil)
		return stored, lease, err
	case ctx.Err() != nil: // which tells nothing of the disk
		return stored, lease, err
	}
	f.note(err)
	if job.Build != nil && (claim.Limits.BudgetUSD > 0 || claim.Limits.MaxRunning > 0) {
		return Job{}, Lease{}, fmt.Errorf("the limits on builds cannot be checked: %w", err)
	}
	return f.memory.Create(ctx, job, claim)
}

// note logs the first failure of a series, and its end.
func (f *Fallback) note(err error) {
	switch {
	case err != nil && !f.failed.Swap(true):
		f.log.Error("jobs cannot be stored on disk: they are kept in memory and lost with this process", "err", err)
	case err == nil && f.failed.Swap(false):
		f.log.Info("jobs are stored on disk again")
	}
}

// of is the store that holds a job.
func (f *Fallback) of(id string) Store {
	if f.memory.has(id) {
		return f.memory
	}
	return f.disk
}

// Get returns a job from where it is.
func (f *Fallback) Get(ctx context.Context, id string) (Job, error) { return f.of(id).Get(ctx, id) }

// Entries returns a part of a log from where it is.
func (f *Fallback) Entries(ctx context.Context, id string, after int64, limit int) ([]Entry, error) {
	return f.of(id).Entries(ctx, id, after, limit)
}

// Update saves a job where it is.
func (f *Fallback) Update(ctx context.Context, lease Lease, job Job) error {
	return f.of(lease.JobID).Update(ctx, lease, job)
}

// Append adds to a log where it is.
func (f *Fallback) Append(ctx context.Context, lease Lease, entries []Entry) error {
	return f.of(lease.JobID).Append(ctx, lease, entries)
}

// Finish ends a job where it is.
func (f *Fallback) Finish(ctx context.Context, lease Lease, job Job, entries []Entry) error {
	return f.of(lease.JobID).Finish(ctx, lease, job, entries)
}

// Cancel marks a job where it is.
func (f *Fallback) Cancel(ctx context.Context, id string) error { return f.of(id).Cancel(ctx, id) }

// List merges both lists; without the disk it is the one in memory.
func (f *Fallback) List(ctx context.Context, q Query) ([]Job, error) {
	list, _ := f.memory.List(ctx, q)
	onDisk, err := f.disk.List(ctx, q)
	if err != nil {
		f.note(err)
		return list, nil
	}
	list = append(list, onDisk...)
	slices.SortFunc(list, newestFirst)
	return list[:min(q.Limit, len(list))], nil
}

// Spending adds both sums. Half of it would pass for the whole: without the
// disk it fails.
func (f *Fallback) Spending(ctx context.Context, owner string, since time.Time) (Spending, error) {
	sum, err := f.disk.Spending(ctx, owner, since)
	if err != nil {
		return Spending{}, err
	}
	inMemory, _ := f.memory.Spending(ctx, owner, since)
	return sum.plus(inMemory), nil
}

func (s Spending) plus(t Spending) Spending {
	return Spending{USD: s.USD + t.USD, Builds: s.Builds + t.Builds, Unknown: s.Unknown + t.Unknown}
}

// Renew renews both kinds of lease.
func (f *Fallback) Renew(ctx context.Context, leases []Lease, until time.Time) ([]string, error) {
	var onDisk, inMemory []Lease
	for _, l := range leases {
		if f.memory.has(l.JobID) {
			inMemory = append(inMemory, l)
		} else {
			onDisk = append(onDisk, l)
		}
	}
	cancelled, _ := f.memory.Renew(ctx, inMemory, until)
	if len(onDisk) == 0 {
		return cancelled, nil
	}
	more, err := f.disk.Renew(ctx, onDisk, until)
	return append(cancelled, more...), err
}

// Adopt looks on disk: what is in memory has no holder but this process.
func (f *Fallback) Adopt(ctx context.Context, owner string, claim Claim, now time.Time) ([]Adopted, error) {
	adopted, err := f.disk.Adopt(ctx, owner, claim, now)
	if err != nil && ctx.Err() == nil {
		f.note(err)
		return nil, nil
	}
	return adopted, err
}

// Forget deletes from both.
func (f *Fallback) Forget(ctx context.Context, before time.Time) (int, error) {
	inMemory, _ := f.memory.Forget(ctx, before)
	onDisk, err := f.disk.Forget(ctx, before)
	return inMemory + onDisk, err
}

// Close closes the store on disk.
func (f *Fallback) Close() error { return f.disk.Close() }
