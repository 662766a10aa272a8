package sqlite

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"strings"
	"time"

	"github.com/anything-mcp/anything-mcp/jobs"
)

// Get returns a job with all that is known of it.
func (s *Store) Get(ctx context.Context, id string) (jobs.Job, error) {
	return one(ctx, s, "read "+id+" from", jobs.ErrNotFound, scanWholeJob,
		"SELECT "+jobColumns+" FROM "+jobTables+" WHERE jobs.id = ?", id)
}

// List returns summaries of jobs, newest first, along an index that holds them
// in that order.
func (s *Store) List(ctx context.Context, q jobs.Query) ([]jobs.Job, error) {
	query, args := listQuery(q)
	return collect(ctx, s, "list jobs from", scanSummary, query, args...)
}

func listQuery(q jobs.Query) (query string, args []any) {
	var where strings.Builder
	where.WriteString("owner = ? AND kind = ? AND batch_id = ''")
	args = []any{q.Owner, string(q.Kind)}
	add := func(condition string, values ...any) {
		where.WriteString(" AND " + condition)
		args = append(args, values...)
	}
	if q.State != "" {
		add("state = ?", string(q.State))
	}
	if q.Ended {
		add("state <> ?", string(jobs.StateRunning))
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

// spendingQuery sums up the whole hours since a time and, from the ledger, the
// rest of the hour before them. Its arguments are spendingArgs.
const spendingQuery = `SELECT total(usd), CAST(total(builds) AS INTEGER), CAST(total(known) AS INTEGER) FROM (
	SELECT usd, builds, known FROM spending WHERE owner = ?1 AND hour >= ?3
	UNION ALL
	SELECT total(cost), count(*), count(cost) FROM ledger WHERE owner = ?1 AND ended_at >= ?2 AND ended_at < ?3 * 3600000)`

func spendingArgs(owner string, since time.Time) []any {
	hour := time.Hour.Milliseconds()
	next := (millis(since) + hour - 1) / hour
	return []any{owner, millis(since), next}
}

// Spending sums up the ledger, which outlives the jobs.
func (s *Store) Spending(ctx context.Context, owner string, since time.Time) (jobs.Spending, error) {
	return one(ctx, s, "sum up the spending in", nil, scanSpending, spendingQuery, spendingArgs(owner, since)...)
}

func scanSpending(rows *sql.Rows) (sum jobs.Spending, err error) {
	var known int
	err = rows.Scan(&sum.USD, &sum.Builds, &known)
	sum.Unknown = sum.Builds - known
	return sum, err
}

// Entries returns a part of a job's log.
func (s *Store) Entries(ctx context.Context, id string, after int64, limit int) ([]jobs.Entry, error) {
	entries, err := collect(ctx, s, "read the log of "+id+" from", scanEntry,
		"SELECT "+entryColumns+" FROM entries WHERE job_id = ? AND seq > ? ORDER BY seq LIMIT ?", id, after, limit)
	if err != nil || len(entries) > 0 {
		return entries, err
	}
	if known, err := s.Positions(ctx, []string{id}); err != nil || len(known) > 0 {
		return nil, err
	}
	return nil, jobs.ErrNotFound
}

// Positions returns how far jobs are, in one query.
func (s *Store) Positions(ctx context.Context, ids []string) ([]jobs.Position, error) {
	if len(ids) == 0 {
		return nil, nil
	}
	list, err := json.Marshal(ids)
	if err != nil {
		return nil, err
	}
	return collect(ctx, s, "look at running jobs in", scanPosition,
		`SELECT id, owner, state, ifnull((SELECT max(seq) FROM entries WHERE job_id = jobs.id), 0)
		FROM jobs WHERE id IN (SELECT value FROM json_each(?))`, string(list))
}

func scanPosition(rows *sql.Rows) (p jobs.Position, err error) {
	return p, rows.Scan(&p.ID, &p.Owner, &p.State, &p.Seq)
}

// collect reads all rows of a query. op says what it is for, for its error.
func collect[T any](ctx context.Context, s *Store, op string, scan func(*sql.Rows) (T, error), query string, args ...any) ([]T, error) {
	db, err := s.open(ctx)
	if err != nil {
		return nil, err
	}
	var list []T
	err = s.lock.try(func() error {
		rows, err := db.readers.QueryContext(ctx, query, args...)
		if err == nil {
			list, err = scanAll(rows, scan)
		}
		return err
	})
	return list, s.explain(op, err)
}

// one reads the only row of a query. If there is no row, its error is none.
func one[T any](ctx context.Context, s *Store, op string, none error, scan func(*sql.Rows) (T, error), query string, args ...any) (found T, err error) {
	list, err := collect(ctx, s, op, scan, query, args...)
	if err == nil && len(list) == 0 {
		err = none
	} else if err == nil {
		found = list[0]
	}
	return found, err
}

// notFound returns the contract's error for a row that is not there.
func notFound(err error) error {
	if errors.Is(err, sql.ErrNoRows) {
		return jobs.ErrNotFound
	}
	return err
}
