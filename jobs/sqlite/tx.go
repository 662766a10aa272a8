package sqlite

import (
	"context"
	"database/sql"
	"fmt"
	"slices"

	"github.com/anything-mcp/anything-mcp/jobs"
)

// tx is the write connection. Only the goroutine that holds writer.turn may use
// it. Its methods take no context, because canceling one caller must not
// leave others in doubt of what was stored.
type tx struct {
	conn  *sql.Conn
	stmts map[string]*sql.Stmt // by their SQL, prepared once

	synchronous string // the setting of that name; empty before the first transaction
	lock        patience
}

// transact makes changes in one transaction, and leaves the answer to each with it. With
// a failure nothing is changed. A panic is returned as an error, so that it does not
// leave the transaction open.
func (t *tx) transact(queue []*change) (err error) {
	durable := slices.ContainsFunc(queue, func(c *change) bool { return c.durable })
	if err := t.begin(durable); err != nil {
		return err
	}
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("a panic: %v", p)
		}
		if err != nil {
			// This fails if SQLite has rolled back already.
			_, _ = t.exec("ROLLBACK")
		}
	}()
	for _, c := range queue {
		if c.err = c.apply(t); !jobs.IsAnswer(c.err) {
			return c.err
		}
	}
	_, err = t.exec("COMMIT")
	return err
}

// begin starts a transaction that keeps other processes from writing.
//
// A crash of the process loses nothing that was committed, at any setting. A loss of
// power may lose what was not flushed. That is acceptable for a step of a build. The
// start and the end of a build are billed, so they are flushed before they are
// shown.
func (t *tx) begin(durable bool) error {
	setting := "NORMAL"
	if durable {
		setting = "FULL"
	}
	if t.synchronous != setting {
		if _, err := t.exec("PRAGMA synchronous = " + setting); err != nil {
			return err
		}
		t.synchronous = setting
	}
	return t.lock.try(func() error {
		_, err := t.exec("BEGIN IMMEDIATE")
		return err
	})
}

// exec runs a statement and returns how many rows it changed.
func (t *tx) exec(query string, args ...any) (int64, error) {
	stmt, err := t.prepare(query)
	if err != nil {
		return 0, err
	}
	res, err := stmt.Exec(args...)
	if err != nil {
		return 0, err
	}
	return res.RowsAffected()
}

// statement is one statement with its arguments.
type statement struct {
	query string
	args  []any
}

func do(query string, args ...any) statement { return statement{query, args} }

// all runs statements, up to the first that fails.
func (t *tx) all(statements ...statement) error {
	for _, s := range statements {
		if _, err := t.exec(s.query, s.args...); err != nil {
			return err
		}
	}
	return nil
}

// query runs a query and reads all its rows.
func query[T any](t *tx, scan func(*sql.Rows) (T, error), query string, args ...any) ([]T, error) {
	stmt, err := t.prepare(query)
	if err != nil {
		return nil, err
	}
	rows, err := stmt.Query(args...)
	if err != nil {
		return nil, err
	}
	return scanAll(rows, scan)
}

// get runs a query for one row and scans it into dest.
func (t *tx) get(query string, args []any, dest ...any) error {
	stmt, err := t.prepare(query)
	if err != nil {
		return err
	}
	return stmt.QueryRow(args...).Scan(dest...)
}

func (t *tx) prepare(query string) (*sql.Stmt, error) {
	if stmt, ok := t.stmts[query]; ok {
		return stmt, nil
	}
	stmt, err := t.conn.PrepareContext(context.Background(), query)
	if err == nil {
		t.stmts[query] = stmt
	}
	return stmt, err
}
