package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"sync"

	codes "modernc.org/sqlite/lib"
)

// writer makes the changes of this process, one transaction at a time. Changes
// that come while one is under way are made together in the next: each costs a
// fraction of a transaction then, and many that must last cost one flush of the
// disk. Nobody's goroutine does this but the callers': one of those that wait
// leads the next transaction.
type writer struct {
	db   *sql.DB
	turn chan struct{} // holds a value while someone leads; guards tx and closed
	tx   tx

	closed bool

	mu    sync.Mutex // guards queue
	queue []*change
}

// change is one caller's part of a transaction.
type change struct {
	ctx     context.Context
	lasting bool
	apply   func(*tx) error
	done    chan struct{} // closed once err is final
	err     error
}

// newWriter takes over db, and closes it when it is closed, unless it fails.
func newWriter(ctx context.Context, db *sql.DB) (*writer, error) {
	conn, err := db.Conn(ctx)
	if err != nil {
		return nil, err
	}
	if err := migrate(ctx, conn, migrations()); err != nil {
		return nil, errors.Join(err, conn.Close())
	}
	if err := enterWAL(ctx, conn); err != nil {
		return nil, errors.Join(err, conn.Close())
	}
	return &writer{db: db, turn: make(chan struct{}, 1), tx: newTx(conn)}, nil
}

// do makes a change and returns once it is committed, or why it is not. A
// context that ends before the change's turn prevents it; after that it has no
// say, so that nobody is left in doubt of what was stored.
//
// The change may be made twice, if what it was made with failed. When it returns
// an error that is [expected] it must not have changed anything.
func (w *writer) do(ctx context.Context, lasting bool, apply func(*tx) error) error {
	c := &change{ctx: ctx, lasting: lasting, apply: apply, done: make(chan struct{})}
	w.mu.Lock()
	w.queue = append(w.queue, c)
	w.mu.Unlock()
	select {
	case <-c.done:
		return c.err
	case w.turn <- struct{}{}:
		defer func() { <-w.turn }()
	}
	w.commit(w.take())
	<-c.done // by now, or by whoever led before
	return c.err
}

func (w *writer) take() []*change {
	w.mu.Lock()
	defer w.mu.Unlock()
	queue := w.queue
	w.queue = nil
	return queue
}

// commit makes changes in one transaction. When one fails, each is made in its
// own: nobody's trouble is another's. The caller has the turn.
func (w *writer) commit(queue []*change) {
	err := w.transact(queue)
	alone := err != nil && len(queue) > 1 && code(err) != codes.SQLITE_BUSY
	for _, c := range queue {
		if alone {
			err = w.transact([]*change{c})
		}
		if err != nil {
			c.err = err
		}
		close(c.done)
	}
	if w.idle() {
		w.tx.scrub()
	}
}

// idle reports whether nobody waits for the next transaction.
func (w *writer) idle() bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return len(w.queue) == 0
}

// transact makes changes in one transaction. Expected errors are left with the
// changes; with any other nothing is changed.
func (w *writer) transact(queue []*change) error {
	if w.closed {
		return errClosed
	}
	if len(queue) == 0 {
		return nil
	}
	lasting := false
	for _, c := range queue {
		c.err = nil
		lasting = lasting || c.lasting
	}
	if err := w.tx.begin(lasting); err != nil {
		return err
	}
	for _, c := range queue {
		if c.err = c.ctx.Err(); c.err == nil {
			c.err = c.apply(&w.tx)
		}
		if c.err != nil && !expected(c.err) {
			w.tx.rollback()
			return c.err
		}
	}
	return w.tx.commit()
}

// close waits for its turn and closes the database.
func (w *writer) close() error {
	w.turn <- struct{}{}
	defer func() { <-w.turn }()
	w.closed = true
	w.tx.scrub()
	return errors.Join(w.tx.close(), w.db.Close())
}
