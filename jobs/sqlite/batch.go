package sqlite

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/anything-mcp/anything-mcp/jobs"
)

// tally counts the items of a batch, as JSON. Of another job it is NULL.
const tally = `CASE kind WHEN 'batch' THEN (
	SELECT json_object('total', count(*), 'waiting', ifnull(sum(waiting), 0),
		'running', ifnull(sum(NOT waiting AND run.state = 'running'), 0), 'succeeded', ifnull(sum(NOT waiting AND run.succeeded), 0))
	FROM batch_items LEFT JOIN jobs AS run ON run.id = run_id WHERE batch_items.batch_id = jobs.id) END`

// insertItems stores the items of a new batch.
func (t *tx) insertItems(id string, items []json.RawMessage) error {
	for n, item := range items {
		if _, err := t.exec("INSERT INTO batch_items (batch_id, n, variables) VALUES (?, ?, ?)", id, n, []byte(item)); err != nil {
			return err
		}
	}
	return nil
}

// TakeItem gives the first item that waits to a run.
func (s *Store) TakeItem(ctx context.Context, batch jobs.Lease, run jobs.Job, opts jobs.CreateOptions) (jobs.Job, jobs.Lease, error) {
	lease := jobs.Lease{JobID: run.ID, Fence: 1}
	err := s.write(ctx, "take an item of "+batch.JobID+" in", true, func(t *tx) error {
		if _, err := t.checkLease(jobs.Change{Lease: batch}); err != nil {
			return err
		}
		var (
			n         int
			variables []byte
			before    sql.NullString
		)
		err := t.get("SELECT n, variables, run_id FROM batch_items WHERE batch_id = ? AND waiting ORDER BY n LIMIT 1",
			[]any{batch.JobID}, &n, &variables, &before)
		if errors.Is(err, sql.ErrNoRows) {
			return jobs.ErrNoItem
		} else if err != nil {
			return err
		}
		taken := *run.Run
		taken.Variables = variables
		run.Run = &taken
		if err := t.insert(run, opts, lease); err != nil {
			return err
		}
		return t.all(
			do("DELETE FROM jobs WHERE id = ?", before.String),
			do("UPDATE batch_items SET waiting = 0, run_id = ? WHERE batch_id = ? AND n = ?", run.ID, batch.JobID, n),
		)
	})
	if err != nil {
		return jobs.Job{}, jobs.Lease{}, err
	}
	return run, lease, nil
}

// fences is how many holders a batch may have before it is resumed again. The lease is
// gone once a batch has ended, so a new one must have a fence above all before.
const fences = 1 << 32

// Resume has a batch run again.
func (s *Store) Resume(ctx context.Context, job jobs.Job, opts jobs.CreateOptions) (stored jobs.Job, lease jobs.Lease, err error) {
	err = s.write(ctx, "resume "+job.ID+" in", true, func(t *tx) error {
		found, err := query(t, scanWholeJob, "SELECT "+jobColumns+" FROM "+jobTables+" WHERE jobs.id = ? AND kind = 'batch'", job.ID)
		if err == nil && len(found) == 0 {
			err = jobs.ErrNotFound
		}
		if err != nil {
			return err
		}
		if stored, lease = found[0], (jobs.Lease{}); !stored.State.Ended() {
			return nil
		}
		stored, lease = job, jobs.Lease{JobID: job.ID, Fence: 1 + fences*int64(job.Batch.Resumed)}
		body, err := encodeBody(job)
		if err != nil {
			return err
		}
		return t.all(
			do("UPDATE jobs SET state = ?, ended_at = NULL, succeeded = 0, body = ? WHERE id = ?", string(job.State), body, job.ID),
			do("DELETE FROM entries WHERE job_id = ?", job.ID),
			putLease(lease, opts),
		)
	})
	return stored, lease, err
}

// Items returns a part of a batch's items.
func (s *Store) Items(ctx context.Context, id string, from, limit int) ([]jobs.Item, error) {
	type row struct {
		index int
		runID string
	}
	rows, err := collect(ctx, s, "read the items of "+id+" from", func(rows *sql.Rows) (r row, err error) {
		return r, rows.Scan(&r.index, &r.runID)
	}, "SELECT n, iif(waiting, '', ifnull(run_id, '')) FROM batch_items WHERE batch_id = ? AND n >= ? ORDER BY n LIMIT ?", id, from, limit)
	if err != nil {
		return nil, err
	}
	items := make([]jobs.Item, len(rows))
	for i, r := range rows {
		items[i].Index = r.index
		if r.runID == "" {
			continue
		}
		run, err := s.Get(ctx, r.runID)
		if errors.Is(err, jobs.ErrNotFound) {
			continue // it was returned to the batch meanwhile
		} else if err != nil {
			return nil, fmt.Errorf("item %d: %w", r.index, err)
		}
		items[i].Run = &run
	}
	return items, nil
}
