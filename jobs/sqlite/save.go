package sqlite

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"

	"github.com/anything-mcp/anything-mcp/jobs"
	"github.com/anything-mcp/anything-mcp/notte"
)

// Save stores changes of many jobs, in one transaction unless that fails.
func (s *Store) Save(ctx context.Context, changes []jobs.Change) []error {
	parts := make([]*change, len(changes))
	for i, c := range changes {
		parts[i] = &change{
			durable: c.Sync || c.Job != nil && c.Job.State.Ended(),
			apply:   func(t *tx) error { return t.save(c) },
		}
	}
	s.writeAll(ctx, "save jobs in", parts...)
	errs := make([]error, len(changes))
	for i, part := range parts {
		errs[i] = part.err
	}
	return errs
}

// save stores one change. With an error of the contract it has changed nothing.
func (t *tx) save(c jobs.Change) error {
	id := c.Lease.JobID
	replaces, err := t.checkLease(c)
	if errors.Is(err, jobs.ErrNotFound) && c.Create != nil && c.Job != nil {
		err = t.insert(*c.Job, *c.Create, c.Lease)
	}
	if err == nil && replaces {
		err = t.all(do("DELETE FROM entries WHERE job_id = ? AND final", id), do("DELETE FROM ledger WHERE job_id = ?", id))
	}
	if err == nil && len(c.Entries) > 0 {
		err = t.addEntries(id, c.Entries, c.Oldest)
	}
	switch {
	case err != nil, c.Job == nil:
		return err
	case c.Job.State.Ended():
		return t.end(*c.Job)
	}
	return t.putState(*c.Job)
}

// checkLease checks that a change may be made, and reports whether it replaces
// the end of a job that was interrupted.
func (t *tx) checkLease(c jobs.Change) (replaces bool, err error) {
	var (
		state jobs.State
		fence sql.NullInt64
	)
	err = t.get("SELECT state, fence FROM jobs LEFT JOIN leases ON leases.job_id = jobs.id WHERE jobs.id = ?",
		[]any{c.Lease.JobID}, &state, &fence)
	switch {
	case err != nil:
		return false, notFound(err)
	case state == jobs.StateInterrupted && c.Job != nil && c.Job.State.Ended() && c.Job.State != state:
		return true, nil
	case !fence.Valid:
		return false, jobs.ErrEnded
	case fence.Int64 != c.Lease.Fence:
		return false, jobs.ErrLeaseLost
	}
	return false, nil
}

// addEntries adds the entries that are not there yet to the log of a job, and drops
// those before oldest.
func (t *tx) addEntries(id string, entries []jobs.Entry, oldest int64) error {
	var last int64
	if err := t.get("SELECT ifnull(max(seq), 0) FROM entries WHERE job_id = ?", []any{id}, &last); err != nil {
		return err
	}
	for _, e := range entries {
		if e.Seq <= last {
			continue
		}
		event, err := json.Marshal(keptEvent{&e.Event, e.Tally})
		if err != nil {
			return err
		}
		if _, err := t.exec("INSERT INTO entries (job_id, seq, at, type, text, function_id, final, event) VALUES (?, ?, ?, ?, '', '', ?, ?)",
			id, e.Seq, millis(e.At), string(e.Type), e.Final, string(event)); err != nil {
			return err
		}
	}
	_, err := t.exec("DELETE FROM entries WHERE job_id = ? AND seq < ?", id, oldest)
	return err
}

// putState stores the state of a running job.
func (t *tx) putState(job jobs.Job) error {
	body, err := encodeBody(job)
	if err != nil {
		return err
	}
	steps, logs := lists(job)
	return t.all(
		do("UPDATE jobs SET function_id = ?, body = ? WHERE id = ?", job.FunctionID(), body, job.ID),
		do("UPDATE details SET steps = ?, logs = ? WHERE job_id = ?", steps, logs, job.ID),
	)
}

// end stores the final state of a job, ends its lease, erases its links and
// enters the cost of a build in the ledger.
func (t *tx) end(job jobs.Job) error {
	body, err := encodeBody(job)
	if err != nil {
		return err
	}
	statements := []statement{
		do("UPDATE jobs SET state = ?, function_id = ?, ended_at = ?, succeeded = ?, body = ? WHERE id = ?",
			string(job.State), job.FunctionID(), millis(job.EndedAt), job.Succeeded(), body, job.ID),
		putDetails(job),
		do("UPDATE entries SET event = json_remove(event, '$.viewer_url') WHERE job_id = ? AND type = ?",
			job.ID, string(notte.EventSessionData)),
		do("DELETE FROM leases WHERE job_id = ?", job.ID),
	}
	if b := job.Build; b != nil && b.Started {
		statements = append(statements, do("INSERT INTO ledger (job_id, owner, ended_at, cost) VALUES (?, ?, ?, ?)",
			job.ID, job.Owner, millis(job.EndedAt), b.TotalCostUSD))
	}
	if r := job.Run; r != nil && r.Waiting {
		statements = append(statements, do("UPDATE batch_items SET waiting = 1 WHERE run_id = ?", job.ID))
	}
	return t.all(statements...)
}
