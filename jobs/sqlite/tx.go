package sqlite

import (
	"context"
	"database/sql"
	"errors"
)

// tx is the writing connection, in the hands of whoever has the writer's turn.
// Its calls know no context: what a transaction does takes microseconds, and an
// interrupted one would be everyone's trouble who shares it.
type tx struct {
	conn  *sql.Conn
	stmts map[string]*sql.Stmt // by their SQL, prepared once

	level string // of synchronous; empty before the first transaction
	stale bool   // the write-ahead log may hold viewers' links that were erased
}

func newTx(conn *sql.Conn) tx {
	return tx{conn: conn, stmts: make(map[string]*sql.Stmt)}
}

// begin starts a transaction that keeps other processes from writing.
//
// A crash of the process loses nothing that was committed, at any setting. It
// takes a loss of power to lose what is not flushed: for a step of a build that
// is no harm. But the record that a build was started, and its end, have been
// paid for, and must be on the disk before anyone hears of them.
func (t *tx) begin(lasting bool) error {
	level := "NORMAL"
	if lasting {
		level = "FULL"
	}
	if t.level != level {
		if _, err := t.exec("PRAGMA synchronous = " + level); err != nil {
			return err
		}
		t.level = level
	}
	_, err := t.exec("BEGIN IMMEDIATE")
	return err
}

func (t *tx) commit() error {
	_, err := t.exec("COMMIT")
	if err != nil {
		t.rollback()
	}
	return err
}

func (t *tx) rollback() {
	// SQLite itself may have rolled back, and then this fails, rightly.
	_, _ = t.exec("ROLLBACK")
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

// row asks for one row. As with [sql.Row], errors come with Scan.
func (t *tx) row(query string, args ...any) scanner {
	stmt, err := t.prepare(query)
	if err != nil {
		return failedRow{err}
	}
	return stmt.QueryRow(args...)
}

func (t *tx) rows(query string, args ...any) (*sql.Rows, error) {
	stmt, err := t.prepare(query)
	if err != nil {
		return nil, err
	}
	return stmt.Query(args...)
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

// scrub empties the write-ahead log once links have been erased: their old
// pages would stay in it for long. A reader of another process may be in the
// way; then it is for the next time.
func (t *tx) scrub() {
	if !t.stale {
		return
	}
	var busy, frames, moved int
	// Not worth a wait: whoever leads the transaction waits for this.
	_, _ = t.exec("PRAGMA busy_timeout = 50")
	err := t.row("PRAGMA wal_checkpoint(TRUNCATE)").Scan(&busy, &frames, &moved)
	_, _ = t.exec(busyPragma)
	t.stale = err != nil || busy != 0
}

func (t *tx) close() error {
	var errs []error
	for _, stmt := range t.stmts {
		errs = append(errs, stmt.Close())
	}
	return errors.Join(append(errs, t.conn.Close())...)
}

// scanner is one row.
type scanner interface{ Scan(dest ...any) error }

type failedRow struct{ err error }

func (r failedRow) Scan(...any) error { return r.err }
