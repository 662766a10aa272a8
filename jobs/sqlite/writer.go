package sqlite

import (
	"database/sql"
	"errors"
	"sync"

	codes "modernc.org/sqlite/lib"
)

// writer makes the changes of this process, one transaction at a time. Changes
// that come while one is under way share the next, so that many that must be
// durable cost one flush of the disk. One of the waiting callers has them
// committed, in a goroutine that ends with the transaction: SQLite takes a large
// stack, and a caller that goes on to wait for minutes should keep a small one.
type writer struct {
	db   *sql.DB
	turn chan struct{} // holds a value while a goroutine commits; guards tx
	tx   *tx

	mu    sync.Mutex // guards queue
	queue []*change
}

func newWriter(db *sql.DB, conn *sql.Conn) *writer {
	return &writer{db: db, turn: make(chan struct{}, 1), tx: &tx{conn: conn, stmts: make(map[string]*sql.Stmt)}}
}

// change is one part of a transaction.
type change struct {
	durable bool
	apply   func(*tx) error // must have changed nothing if its error is an answer
	err     error
	done    chan struct{} // closed when err is final
}

// write makes changes and returns when each is committed, or has its error. A
// change may be applied twice, if another one in its transaction failed.
func (w *writer) write(changes []*change) {
	if len(changes) == 0 {
		return
	}
	for _, c := range changes {
		c.done = make(chan struct{})
	}
	w.mu.Lock()
	w.queue = append(w.queue, changes...)
	w.mu.Unlock()
	last := changes[len(changes)-1]
	select {
	case <-last.done: // another caller has committed them
		return
	case w.turn <- struct{}{}:
	}
	go func() {
		w.commit(w.take())
		<-w.turn
	}()
	<-last.done
}

func (w *writer) take() []*change {
	w.mu.Lock()
	defer w.mu.Unlock()
	queue := w.queue
	w.queue = nil
	return queue
}

// commit makes changes in one transaction. If that fails, each is made in its
// own, so that a change fails only for its own errors. The caller has the turn.
func (w *writer) commit(queue []*change) {
	err := w.tx.transact(queue)
	alone := err != nil && len(queue) > 1 && code(err) != codes.SQLITE_BUSY
	for _, c := range queue {
		if alone {
			err = w.tx.transact([]*change{c})
		}
		if err != nil {
			c.err = err
		}
		close(c.done)
	}
}

// close waits for its turn, keeps it, and closes the database.
func (w *writer) close() error {
	w.turn <- struct{}{}
	for _, stmt := range w.tx.stmts {
		_ = stmt.Close() // the file stays open as long as one is
	}
	return errors.Join(w.tx.conn.Close(), w.db.Close())
}
