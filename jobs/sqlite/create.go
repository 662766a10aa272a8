package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"time"

	"github.com/anything-mcp/anything-mcp/jobs"
)

// reserveSample is how many of an owner's builds, the latest of known cost, a
// new one's reserve is reckoned from: enough for a percentile, whatever the
// ledger's length, and the prices of last year tell little.
const reserveSample = 500

const spendingQuery = `SELECT total(cost), count(*), count(cost) FROM ledger WHERE owner = ? AND ended_at >= ?`

// Create stores a job, joins it to an earlier one or refuses it. It is on the
// disk when Create returns.
func (s *Store) Create(ctx context.Context, job jobs.Job, claim jobs.Claim) (jobs.Job, jobs.Lease, error) {
	var (
		stored jobs.Job
		lease  jobs.Lease
	)
	err := s.write(ctx, "record "+job.ID+" in", true, func(t *tx) (err error) {
		lease = jobs.Lease{}
		stored, err = t.joinable(job.Owner, claim)
		if !errors.Is(err, jobs.ErrNotFound) {
			return err
		}
		if err := t.checkLimits(job, claim.Limits); err != nil {
			return err
		}
		stored, lease = job, jobs.Lease{JobID: job.ID, Fence: 1}
		return t.insert(job, claim, lease)
	})
	if err != nil {
		return jobs.Job{}, jobs.Lease{}, err
	}
	return stored, lease, nil
}

// joinable is the job that a claim joins: the newest that runs, or else the
// newest that succeeded in time, or else ErrNotFound.
func (t *tx) joinable(owner string, claim jobs.Claim) (jobs.Job, error) {
	if !claim.Join || claim.JoinKey == "" {
		return jobs.Job{}, jobs.ErrNotFound
	}
	job, err := scan(t.row(`SELECT `+jobColumns+` FROM `+jobTables+`
		WHERE owner = ? AND join_key = ? AND join_key <> '' AND ended_at IS NULL ORDER BY n DESC LIMIT 1`,
		owner, claim.JoinKey), true)
	if !errors.Is(err, sql.ErrNoRows) || claim.ReuseSince.IsZero() {
		return job, found(err)
	}
	job, err = scan(t.row(`SELECT `+jobColumns+` FROM `+jobTables+`
		WHERE owner = ? AND join_key = ? AND join_key <> '' AND ended_at >= ? AND succeeded ORDER BY ended_at DESC, n DESC LIMIT 1`,
		owner, claim.JoinKey, millis(claim.ReuseSince)), true)
	return job, found(err)
}

// checkLimits refuses a build that would break its owner's limits.
func (t *tx) checkLimits(job jobs.Job, limits jobs.Limits) error {
	if job.Build == nil || limits == (jobs.Limits{}) {
		return nil
	}
	account, err := t.account(job.Owner, limits.Since)
	if err != nil {
		return err
	}
	return limits.Check(account)
}

// account counts an owner's builds.
func (t *tx) account(owner string, since time.Time) (a jobs.Account, err error) {
	if a.Spent, err = spending(t.row(spendingQuery, owner, millis(since))); err != nil {
		return a, err
	}
	running := t.row("SELECT count(*) FROM jobs WHERE owner = ? AND kind = ? AND state = ?",
		owner, string(jobs.KindBuild), string(jobs.StateRunning))
	if err := running.Scan(&a.Running); err != nil {
		return a, err
	}
	rows, err := t.rows("SELECT cost FROM ledger WHERE owner = ? AND cost IS NOT NULL ORDER BY ended_at DESC LIMIT ?",
		owner, reserveSample)
	if err != nil {
		return a, err
	}
	a.Costs, err = drain(rows, func(rows *sql.Rows) (usd float64, err error) { return usd, rows.Scan(&usd) })
	return a, err
}

// spending reads the row of spendingQuery.
func spending(row scanner) (jobs.Spending, error) {
	var (
		sum   jobs.Spending
		known int
	)
	err := row.Scan(&sum.USD, &sum.Builds, &known)
	sum.Unknown = sum.Builds - known
	return sum, err
}

// insert stores a new job with its lease.
func (t *tx) insert(job jobs.Job, claim jobs.Claim, lease jobs.Lease) error {
	body, d, functionID, err := encode(job)
	if err != nil {
		return err
	}
	if _, err := t.exec(`INSERT INTO jobs (id, owner, kind, state, join_key, function_id, started_at, body)
		VALUES (?, ?, ?, ?, ?, ?, ?, ?)`,
		job.ID, job.Owner, string(job.Kind), string(job.State), claim.JoinKey, functionID, millis(job.StartedAt), body); err != nil {
		return err
	}
	if _, err := t.exec("INSERT INTO leases (job_id, holder, fence, expires_at) VALUES (?, ?, ?, ?)",
		job.ID, claim.Holder, lease.Fence, millis(claim.Until)); err != nil {
		return err
	}
	if err := t.putJobLink(job); err != nil {
		return err
	}
	return t.putDetails(job.ID, d)
}

func (t *tx) putDetails(id string, d details) error {
	_, err := t.exec(`INSERT INTO details (job_id, answer, thinking, steps, variables, result, logs) VALUES (?, ?, ?, ?, ?, ?, ?)
		ON CONFLICT DO UPDATE SET answer = excluded.answer, thinking = excluded.thinking, steps = excluded.steps,
		variables = excluded.variables, result = excluded.result, logs = excluded.logs`,
		id, d.answer, d.thinking, d.steps, d.variables, d.result, d.logs)
	return err
}
