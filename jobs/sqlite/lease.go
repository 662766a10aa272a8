package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"time"

	"github.com/anything-mcp/anything-mcp/jobs"
)

// Cancel marks a running job: its holder learns of it from Renew.
func (s *Store) Cancel(ctx context.Context, id string) error {
	return s.write(ctx, "cancel "+id+" in", false, func(t *tx) error {
		n, err := t.exec("UPDATE leases SET cancelled = 1 WHERE job_id = ?", id)
		if err != nil || n > 0 {
			return err
		}
		var one int
		if err := t.get("SELECT 1 FROM jobs WHERE id = ?", []any{id}, &one); err != nil {
			return notFound(err)
		}
		return jobs.ErrEnded
	})
}

// Renew extends leases, and returns which are lost and which of their jobs are to
// be cancelled.
func (s *Store) Renew(ctx context.Context, leases []jobs.Lease, until time.Time) (jobs.Renewal, error) {
	var renewal jobs.Renewal
	if len(leases) == 0 {
		return renewal, nil
	}
	err := s.write(ctx, "renew leases in", false, func(t *tx) error {
		renewal = jobs.Renewal{}
		for _, l := range leases {
			var cancelled bool
			err := t.get("UPDATE leases SET expires_at = ? WHERE job_id = ? AND fence = ? RETURNING cancelled",
				[]any{millis(until), l.JobID, l.Fence}, &cancelled)
			switch {
			case errors.Is(err, sql.ErrNoRows):
				renewal.Lost = append(renewal.Lost, l.JobID)
			case err != nil:
				return err
			case cancelled:
				renewal.Cancelled = append(renewal.Cancelled, l.JobID)
			}
		}
		return nil
	})
	return renewal, err
}

// Adopt takes over running jobs whose holders are gone.
func (s *Store) Adopt(ctx context.Context, owner, holder string, until, now time.Time) (adopted []jobs.Adopted, err error) {
	err = s.write(ctx, "take over jobs in", false, func(t *tx) error {
		left, err := query(t, scanWholeJob, `SELECT `+jobColumns+` FROM leases JOIN jobs ON jobs.id = leases.job_id
			LEFT JOIN details ON details.job_id = jobs.id
			WHERE owner = ? AND holder <> ? AND expires_at < ? ORDER BY n`, owner, holder, millis(now))
		if err != nil {
			return err
		}
		adopted = nil
		for _, job := range left {
			a := jobs.Adopted{Job: job, Lease: jobs.Lease{JobID: job.ID}}
			err := t.get("UPDATE leases SET holder = ?, fence = fence + 1, expires_at = ? WHERE job_id = ? RETURNING fence, cancelled",
				[]any{holder, millis(until), job.ID}, &a.Lease.Fence, &a.Cancelled)
			if err != nil {
				return err
			}
			adopted = append(adopted, a)
		}
		return nil
	})
	return adopted, err
}

// forgetBatch is how many jobs are deleted in one transaction, so that no other
// write waits for long.
const forgetBatch = 100

// Forget deletes old jobs with their logs, but leaves the ledger as it is. It also
// deletes what was told of functions that long ago.
func (s *Store) Forget(ctx context.Context, before time.Time) (int, error) {
	if err := s.forgetFunctions(ctx, before); err != nil {
		return 0, err
	}
	for total := 0; ; {
		var n int64
		err := s.write(ctx, "delete old jobs from", false, func(t *tx) (err error) {
			n, err = t.exec(`DELETE FROM jobs WHERE n IN (
				SELECT n FROM jobs WHERE ended_at < ?1 AND batch_id = ''
				UNION ALL
				SELECT n FROM leases JOIN jobs ON jobs.id = leases.job_id WHERE expires_at < ?1 AND batch_id = ''
				LIMIT ?2)`, millis(before), forgetBatch)
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
