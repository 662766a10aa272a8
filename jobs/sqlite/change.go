package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"time"

	"github.com/anything-mcp/anything-mcp/jobs"
)

// held checks that a lease may write its job.
func (t *tx) held(lease jobs.Lease) error {
	var fence sql.NullInt64
	err := t.row("SELECT fence FROM jobs LEFT JOIN leases ON leases.job_id = jobs.id WHERE jobs.id = ?", lease.JobID).Scan(&fence)
	switch {
	case err != nil:
		return found(err)
	case !fence.Valid:
		return jobs.ErrEnded
	case fence.Int64 != lease.Fence:
		return jobs.ErrLeaseLost
	}
	return nil
}

// Update saves the state of a running job.
func (s *Store) Update(ctx context.Context, lease jobs.Lease, job jobs.Job) error {
	return s.write(ctx, "save "+lease.JobID+" in", false, func(t *tx) error {
		if err := t.held(lease); err != nil {
			return err
		}
		body, d, functionID, err := encode(job)
		if err != nil {
			return err
		}
		if _, err := t.exec("UPDATE jobs SET function_id = ?, body = ? WHERE id = ?", functionID, body, lease.JobID); err != nil {
			return err
		}
		if err := t.putJobLink(job); err != nil {
			return err
		}
		return t.putDetails(lease.JobID, d)
	})
}

// Append adds entries to the log of a running job. The oldest make room for
// them in a log that is full.
func (s *Store) Append(ctx context.Context, lease jobs.Lease, entries []jobs.Entry) error {
	return s.write(ctx, "add to the log of "+lease.JobID+" in", false, func(t *tx) error {
		return t.add(lease, entries)
	})
}

// Finish stores a job's end, erases the viewer's links and enters the cost of a
// build in the ledger. It is on the disk when Finish returns.
func (s *Store) Finish(ctx context.Context, lease jobs.Lease, job jobs.Job, entries []jobs.Entry) error {
	return s.write(ctx, "store the end of "+lease.JobID+" in", true, func(t *tx) error {
		if err := t.add(lease, entries); err != nil {
			return err
		}
		return t.end(lease.JobID, job)
	})
}

// end stores the final state of a job and ends its lease.
func (t *tx) end(id string, job jobs.Job) error {
	body, d, functionID, err := encode(job)
	if err != nil {
		return err
	}
	if _, err := t.exec("UPDATE jobs SET state = ?, function_id = ?, ended_at = ?, succeeded = ?, body = ? WHERE id = ?",
		string(job.State), functionID, millis(job.EndedAt), job.Succeeded(), body, id); err != nil {
		return err
	}
	if err := t.putDetails(id, d); err != nil {
		return err
	}
	if err := t.eraseLinks(id); err != nil {
		return err
	}
	if _, err := t.exec("DELETE FROM leases WHERE job_id = ?", id); err != nil {
		return err
	}
	if job.Build == nil || !job.Build.Started {
		return nil
	}
	_, err = t.exec("INSERT INTO ledger (job_id, owner, ended_at, cost) VALUES (?, ?, ?, ?)",
		id, job.Owner, millis(job.EndedAt), job.Build.TotalCostUSD)
	return err
}

// Cancel marks a running job: its holder learns of it from Renew.
func (s *Store) Cancel(ctx context.Context, id string) error {
	return s.write(ctx, "cancel "+id+" in", false, func(t *tx) error {
		n, err := t.exec("UPDATE leases SET cancelled = 1 WHERE job_id = ?", id)
		if err != nil || n > 0 {
			return err
		}
		var one int
		if err := t.row("SELECT 1 FROM jobs WHERE id = ?", id).Scan(&one); err != nil {
			return found(err)
		}
		return jobs.ErrEnded
	})
}

// Renew extends leases and tells which of their jobs are to be cancelled.
func (s *Store) Renew(ctx context.Context, leases []jobs.Lease, until time.Time) ([]string, error) {
	if len(leases) == 0 {
		return nil, nil
	}
	var cancelled []string
	err := s.write(ctx, "renew leases in", false, func(t *tx) error {
		cancelled = nil
		for _, l := range leases {
			var is bool
			err := t.row("UPDATE leases SET expires_at = ? WHERE job_id = ? AND fence = ? RETURNING cancelled",
				millis(until), l.JobID, l.Fence).Scan(&is)
			if err != nil && !errors.Is(err, sql.ErrNoRows) {
				return err
			}
			if is {
				cancelled = append(cancelled, l.JobID)
			}
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return cancelled, nil
}

// Adopt takes over running jobs whose holders are gone.
func (s *Store) Adopt(ctx context.Context, owner string, claim jobs.Claim, now time.Time) ([]jobs.Adopted, error) {
	var adopted []jobs.Adopted
	err := s.write(ctx, "take over jobs in", false, func(t *tx) error {
		rows, err := t.rows(`SELECT `+jobColumns+` FROM leases JOIN jobs ON jobs.id = leases.job_id
			LEFT JOIN details ON details.job_id = jobs.id
			WHERE owner = ? AND holder <> ? AND expires_at < ? ORDER BY n`, owner, claim.Holder, millis(now))
		if err != nil {
			return err
		}
		left, err := drain(rows, func(rows *sql.Rows) (jobs.Job, error) { return scan(rows, true) })
		if err != nil {
			return err
		}
		adopted = nil
		for _, job := range left {
			lease := jobs.Lease{JobID: job.ID}
			err := t.row("UPDATE leases SET holder = ?, fence = fence + 1, expires_at = ? WHERE job_id = ? RETURNING fence",
				claim.Holder, millis(claim.Until), job.ID).Scan(&lease.Fence)
			if err != nil {
				return err
			}
			adopted = append(adopted, jobs.Adopted{Job: job, Lease: lease})
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return adopted, nil
}

// forgetBatch is how many jobs are deleted in one transaction, so that no other
// write waits for long.
const forgetBatch = 100

// Forget deletes old jobs with their logs, but not from the ledger.
func (s *Store) Forget(ctx context.Context, before time.Time) (int, error) {
	for total := 0; ; {
		var n int64
		err := s.write(ctx, "delete old jobs from", false, func(t *tx) (err error) {
			n, err = t.exec("DELETE FROM jobs WHERE n IN (SELECT n FROM jobs WHERE ended_at < ? LIMIT ?)",
				millis(before), forgetBatch)
			return err
		})
		if err != nil {
			return total, err
		}
		total += int(n)
		if n < forgetBatch {
			return total, nil
		}
	}
}
