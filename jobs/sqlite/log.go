package sqlite

import (
	"database/sql"
	"encoding/json"
	"errors"

	"github.com/anything-mcp/anything-mcp/jobs"
)

// entrySize is about what an entry takes besides its event, in bytes.
const entrySize = 80

// logSize is the size of a job's log, which is stored with its lease.
type logSize struct{ entries, bytes int }

// over reports whether a log exceeds so many quarters of its bounds.
func (l logSize) over(quarters int) bool {
	return l.entries > jobs.MaxLogEntries*quarters/4 || l.bytes > jobs.MaxLogBytes*quarters/4
}

// addEntries adds the entries that are not there yet to the log of a job, and
// bounds the log.
func (t *tx) addEntries(id string, entries []jobs.Entry) error {
	if len(entries) == 0 {
		return nil
	}
	var last int64
	if err := t.get("SELECT ifnull(max(seq), 0) FROM entries WHERE job_id = ?", []any{id}, &last); err != nil {
		return err
	}
	var added logSize
	for _, e := range entries {
		if e.Seq <= last {
			continue
		}
		event, err := json.Marshal(e.Event)
		if err != nil {
			return err
		}
		if _, err := t.exec("INSERT INTO entries (job_id, seq, at, type, text, function_id, final, event) VALUES (?, ?, ?, ?, '', '', ?, ?)",
			id, e.Seq, millis(e.At), string(e.Type), e.Final, string(event)); err != nil {
			return err
		}
		added.entries++
		added.bytes += entrySize + len(event)
	}
	return t.grow(id, added)
}

// grow adds to the size of the job's log, and drops the oldest entries if it is
// over its bounds. A job that has ended has no lease, and its log is left as it
// is.
func (t *tx) grow(id string, added logSize) error {
	var size logSize
	err := t.get("UPDATE leases SET log_entries = log_entries + ?, log_bytes = log_bytes + ? WHERE job_id = ? RETURNING log_entries, log_bytes",
		[]any{added.entries, added.bytes, id}, &size.entries, &size.bytes)
	if errors.Is(err, sql.ErrNoRows) {
		return nil
	}
	if err != nil || !size.over(4) {
		return err
	}
	return t.shrink(id, size)
}

// shrink drops the oldest entries until a quarter of the bounds is free, or one
// entry is left, so that it need not be done again soon.
func (t *tx) shrink(id string, size logSize) error {
	rows, err := t.rows("SELECT seq, octet_length(event) FROM entries WHERE job_id = ? ORDER BY seq", id)
	if err != nil {
		return err
	}
	defer rows.Close()
	var last int64
	for size.entries > 1 && size.over(3) && rows.Next() {
		var bytes int
		if err := rows.Scan(&last, &bytes); err != nil {
			return err
		}
		size.entries--
		size.bytes -= entrySize + bytes
	}
	if err := errors.Join(rows.Err(), rows.Close()); err != nil {
		return err
	}
	if _, err := t.exec("DELETE FROM entries WHERE job_id = ? AND seq <= ?", id, last); err != nil {
		return err
	}
	_, err = t.exec("UPDATE leases SET log_entries = ?, log_bytes = ? WHERE job_id = ?", size.entries, size.bytes, id)
	return err
}
