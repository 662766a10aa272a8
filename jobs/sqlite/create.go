package sqlite

import (
	"context"
	"database/sql"
	"math"

	"github.com/anything-mcp/anything-mcp/jobs"
)

// costSample is how many of an owner's builds, the latest of known cost, the cost
// of a new one is estimated from. A fixed sample keeps this fast, and recent
// prices predict best.
const costSample = 500

// Create stores a job, joins it to an earlier one or refuses it. It is on the
// disk when Create returns. An earlier job is looked for before anything is
// written, so that it is found although another program keeps the lock.
func (s *Store) Create(ctx context.Context, job jobs.Job, opts jobs.CreateOptions) (stored jobs.Job, lease jobs.Lease, err error) {
	op := "store " + job.ID + " in"
	join, args := joinQuery(job.Owner, opts)
	earlier, err := collect(ctx, s, op, scanWholeJob, join, args...)
	if err != nil {
		return stored, lease, err
	}
	if len(earlier) > 0 {
		return earlier[0], lease, nil
	}
	err = s.write(ctx, op, true, func(t *tx) error {
		earlier, err := query(t, scanWholeJob, join, args...)
		if err != nil {
			return err
		}
		if len(earlier) > 0 {
			stored, lease = earlier[0], jobs.Lease{}
			return nil
		}
		if err := t.checkLimits(job, opts.Limits); err != nil {
			return err
		}
		if s.memory {
			if err := t.makeRoom(); err != nil {
				return err
			}
		}
		stored, lease = job, jobs.Lease{JobID: job.ID, Fence: 1}
		if err := t.insert(job, opts, lease); err != nil {
			return err
		}
		return t.insertItems(job.ID, opts.Items)
	})
	return stored, lease, err
}

// joinQuery finds the job that opts lets be joined: the newest that runs, or else the
// newest that succeeded in time.
func joinQuery(owner string, opts jobs.CreateOptions) (query string, args []any) {
	key, since := "", int64(math.MaxInt64)
	if opts.Join {
		key = opts.JoinKey
	}
	if !opts.ReuseSince.IsZero() {
		since = millis(opts.ReuseSince)
	}
	const same = "SELECT n FROM jobs WHERE owner = ?1 AND join_key = ?2 AND join_key <> '' AND "
	return "SELECT " + jobColumns + " FROM " + jobTables + " WHERE n = coalesce(" +
		"(" + same + "ended_at IS NULL ORDER BY n DESC LIMIT 1)," +
		"(" + same + "ended_at >= ?3 AND succeeded ORDER BY ended_at DESC, n DESC LIMIT 1))", []any{owner, key, since}
}

// checkLimits refuses a build that would break its owner's limits.
func (t *tx) checkLimits(job jobs.Job, limits jobs.Limits) error {
	if job.Build == nil || !limits.Bounded() {
		return nil
	}
	var usage jobs.Usage
	spent, err := query(t, scanSpending, spendingQuery, spendingArgs(job.Owner, limits.Since)...)
	if err == nil {
		usage.Spent = spent[0]
		err = t.get("SELECT count(*) FROM jobs WHERE owner = ? AND kind = ? AND state = ? AND batch_id = ''",
			[]any{job.Owner, string(jobs.KindBuild), string(jobs.StateRunning)}, &usage.Running)
	}
	if err == nil {
		scanCost := func(rows *sql.Rows) (usd float64, err error) { return usd, rows.Scan(&usd) }
		usage.Costs, err = query(t, scanCost,
			"SELECT cost FROM ledger WHERE owner = ? AND cost IS NOT NULL ORDER BY ended_at DESC LIMIT ?", job.Owner, costSample)
	}
	if err != nil {
		return err
	}
	return limits.Check(usage)
}

// insert stores a new job with its lease.
func (t *tx) insert(job jobs.Job, opts jobs.CreateOptions, lease jobs.Lease) error {
	body, err := encodeBody(job)
	if err != nil {
		return err
	}
	batchID := ""
	if job.Run != nil {
		batchID = job.Run.Batch
	}
	return t.all(
		do("INSERT INTO jobs (id, owner, kind, state, join_key, function_id, batch_id, started_at, body) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
			job.ID, job.Owner, string(job.Kind), string(job.State), opts.JoinKey, job.FunctionID(), batchID, millis(job.StartedAt), body),
		putLease(lease, opts),
		putDetails(job),
	)
}

// putLease stores a new lease.
func putLease(lease jobs.Lease, opts jobs.CreateOptions) statement {
	return do("INSERT INTO leases (job_id, holder, fence, expires_at) VALUES (?, ?, ?, ?)",
		lease.JobID, opts.Holder, lease.Fence, millis(opts.Until))
}

// Bounds of a store in memory.
const (
	memoryJobs = 1000 // that have ended
	memoryFull = memoryPages * 3 / 4
)

// makeRoom deletes the oldest ended jobs beyond the bounds of a store in memory.
func (t *tx) makeRoom() error {
	const oldest = "DELETE FROM jobs WHERE n IN (SELECT n FROM jobs WHERE ended_at IS NOT NULL AND batch_id = '' ORDER BY ended_at DESC, n DESC LIMIT -1 OFFSET ?)"
	for keep := memoryJobs; ; keep /= 2 {
		if _, err := t.exec(oldest, keep); err != nil || keep == 0 {
			return err
		}
		var used int
		err := t.get("SELECT page_count - freelist_count FROM pragma_page_count, pragma_freelist_count", nil, &used)
		if err != nil || used < memoryFull {
			return err
		}
	}
}
