package sqlite

import (
	"database/sql"
	"errors"

	"github.com/anything-mcp/anything-mcp/jobs"
)

// Bounds of a job's log, those of a log in memory.
const (
	logEntries = 4096
	logBytes   = 512 << 10
	entryBytes = 80 // about what an entry takes besides its text
)

// log is the measure of a job's log, kept with its lease.
type log struct{ entries, bytes int }

func (l *log) count(size int) { l.entries, l.bytes = l.entries+1, l.bytes+entryBytes+size }

// full reports whether a log exceeds so many quarters of its bounds.
func (l log) full(quarters int) bool {
	return l.entries > logEntries*quarters/4 || l.bytes > logBytes*quarters/4
}

// add adds entries to the log of a job that the lease may write, and bounds it.
func (t *tx) add(lease jobs.Lease, entries []jobs.Entry) error {
	var more log
	for _, e := range entries {
		more.count(textSize(e))
	}
	l, err := t.grow(lease, more)
	if err != nil {
		return err
	}
	for _, e := range entries {
		text, err := t.takeLink(lease.JobID, e)
		if err != nil {
			return err
		}
		if _, err := t.exec("INSERT INTO entries (job_id, seq, at, type, text, function_id, final) VALUES (?, ?, ?, ?, ?, ?, ?)",
			lease.JobID, e.Seq, millis(e.At), string(e.Type), text, e.FunctionID, e.Final); err != nil {
			return err
		}
	}
	if !l.full(4) {
		return nil
	}
	return t.shrink(lease.JobID, l)
}

// grow checks the lease and adds to the measure of the job's log, in one
// statement, because this is what is done most.
func (t *tx) grow(lease jobs.Lease, more log) (l log, err error) {
	err = t.row(`UPDATE leases SET log_entries = log_entries + ?, log_bytes = log_bytes + ?
		WHERE job_id = ? AND fence = ? RETURNING log_entries, log_bytes`,
		more.entries, more.bytes, lease.JobID, lease.Fence).Scan(&l.entries, &l.bytes)
	if errors.Is(err, sql.ErrNoRows) {
		err = t.held(lease) // says why
	}
	return l, err
}

// shrink drops the oldest entries until a quarter of the bounds is free, or one
// entry is left: the next time is far off then.
func (t *tx) shrink(id string, l log) error {
	rows, err := t.rows("SELECT seq, octet_length(text) FROM entries WHERE job_id = ? ORDER BY seq", id)
	if err != nil {
		return err
	}
	defer rows.Close()
	var last int64
	for l.entries > 1 && l.full(3) && rows.Next() {
		var size int
		if err := rows.Scan(&last, &size); err != nil {
			return err
		}
		l.entries--
		l.bytes -= entryBytes + size
	}
	if err := errors.Join(rows.Err(), rows.Close()); err != nil {
		return err
	}
	if _, err := t.exec("DELETE FROM entries WHERE job_id = ? AND seq <= ?", id, last); err != nil {
		return err
	}
	if _, err := t.exec("DELETE FROM links WHERE job_id = ? AND seq BETWEEN 1 AND ?", id, last); err != nil {
		return err
	}
	_, err = t.exec("UPDATE leases SET log_entries = ?, log_bytes = ? WHERE job_id = ?", l.entries, l.bytes, id)
	return err
}
