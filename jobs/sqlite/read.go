package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"strings"
	"time"

	"github.com/anything-mcp/anything-mcp/jobs"
	"github.com/anything-mcp/anything-mcp/notte"
)

// Get returns a job with all that is known of it.
func (s *Store) Get(ctx context.Context, id string) (jobs.Job, error) {
	db, err := s.open(ctx)
	if err != nil {
		return jobs.Job{}, err
	}
	row := db.readers.QueryRowContext(ctx, "SELECT "+jobColumns+" FROM "+jobTables+" WHERE jobs.id = ?", id)
	job, err := scan(row, true)
	return job, explain("read "+id+" from", s.path, found(err))
}

// found is the contract's error for a row that is not there.
func found(err error) error {
	if errors.Is(err, sql.ErrNoRows) {
		return jobs.ErrNotFound
	}
	return err
}

// List returns summaries of jobs, newest first, along an index that holds them
// in that order.
func (s *Store) List(ctx context.Context, q jobs.Query) ([]jobs.Job, error) {
	db, err := s.open(ctx)
	if err != nil {
		return nil, err
	}
	query, args := listQuery(q)
	list, err := collect(db, ctx, query, args, func(rows *sql.Rows) (jobs.Job, error) { return scan(rows, false) })
	return list, explain("list jobs from", s.path, err)
}

func listQuery(q jobs.Query) (query string, args []any) {
	var where strings.Builder
	where.WriteString("owner = ? AND kind = ?")
	args = []any{q.Owner, string(q.Kind)}
	add := func(condition string, values ...any) {
		where.WriteString(" AND " + condition)
		args = append(args, values...)
	}
	if q.State != "" {
		add("state = ?", string(q.State))
	}
	if q.FunctionID != "" {
		add("function_id = ?", q.FunctionID)
	}
	if !q.Since.IsZero() {
		add("started_at >= ?", millis(q.Since))
	}
	if q.Before != (jobs.Cursor{}) {
		add("(started_at, id) < (?, ?)", millis(q.Before.StartedAt), q.Before.ID)
	}
	return "SELECT " + summaryColumns + " FROM jobs WHERE " + where.String() +
		" ORDER BY started_at DESC, id DESC LIMIT ?", append(args, q.Limit)
}

// Spending sums up the ledger, which outlives the jobs.
func (s *Store) Spending(ctx context.Context, owner string, since time.Time) (jobs.Spending, error) {
	db, err := s.open(ctx)
	if err != nil {
		return jobs.Spending{}, err
	}
	sum, err := spending(db.readers.QueryRowContext(ctx, spendingQuery, owner, millis(since)))
	return sum, explain("sum up the spending in", s.path, err)
}

// Entries returns a part of a job's log.
func (s *Store) Entries(ctx context.Context, id string, after int64, limit int) ([]jobs.Entry, error) {
	db, err := s.open(ctx)
	if err != nil {
		return nil, err
	}
	entries, err := collect(db, ctx, `SELECT seq, at, type, text, function_id, final,
		CASE type WHEN ? THEN
			(SELECT text FROM links WHERE links.job_id = entries.job_id AND links.seq = entries.seq) END
		FROM entries WHERE job_id = ? AND seq > ? ORDER BY seq LIMIT ?`, []any{string(notte.EventSessionData), id, after, limit}, scanEntry)
	if err == nil && len(entries) == 0 {
		var one int
		err = found(db.readers.QueryRowContext(ctx, "SELECT 1 FROM jobs WHERE id = ?", id).Scan(&one))
	}
	return entries, explain("read the log of "+id+" from", s.path, err)
}

func scanEntry(rows *sql.Rows) (jobs.Entry, error) {
	var (
		e    jobs.Entry
		at   int64
		link []byte
	)
	err := rows.Scan(&e.Seq, &at, &e.Type, &e.Text, &e.FunctionID, &e.Final, &link)
	e.At = time.UnixMilli(at)
	if link != nil {
		e.Text = unpad(link)
	}
	return e, err
}

// collect reads all rows of a query.
func collect[T any](db *database, ctx context.Context, query string, args []any, scan func(*sql.Rows) (T, error)) ([]T, error) {
	rows, err := db.readers.QueryContext(ctx, query, args...)
	if err != nil {
		return nil, err
	}
	return drain(rows, scan)
}

// drain reads all of rows and closes them.
func drain[T any](rows *sql.Rows, scan func(*sql.Rows) (T, error)) ([]T, error) {
	defer rows.Close()
	var list []T
	for rows.Next() {
		item, err := scan(rows)
		if err != nil {
			return nil, err
		}
		list = append(list, item)
	}
	return list, rows.Err()
}
