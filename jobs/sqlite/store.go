// Package sqlite is the [jobs.Store] on disk: one SQLite database that several
// processes share and that outlives them all.
package sqlite

import (
	"context"
	"errors"
	"path/filepath"
	"sync"

	"github.com/anything-mcp/anything-mcp/jobs"
)

// fileName is the database's name in its directory.
const fileName = "jobs.db"

var errClosed = errors.New("the store is closed")

// Store is a [jobs.Store] in a directory. It costs nothing until it is used:
// the first call of a method opens the database, and makes it if need be. When
// that fails the next call tries again, so that a disk which is full or a file
// which is in the way can be seen to while the process runs.
//
// Its errors are those of the contract, a context's, or an [*Error].
type Store struct {
	path string

	opening sync.Mutex // guards all below, and is held while the database is opened
	db      *database  // nil until it is open
	closed  bool
}

var _ jobs.Store = (*Store)(nil)

// New returns the store in dir, which need not exist yet. Nothing is read or
// written before it is used.
func New(dir string) *Store {
	return &Store{path: filepath.Join(dir, fileName)}
}

// Open opens the database unless it is open, for a caller who wants to know now
// whether it can be.
func (s *Store) Open(ctx context.Context) error {
	_, err := s.open(ctx)
	return err
}

func (s *Store) open(ctx context.Context) (*database, error) {
	s.opening.Lock()
	defer s.opening.Unlock()
	if s.closed {
		return nil, &Error{Op: "use", Path: s.path, Err: errClosed}
	}
	if s.db != nil {
		return s.db, nil
	}
	db, err := openDatabase(ctx, s.path)
	if err != nil {
		return nil, explain("open", s.path, err)
	}
	s.db = db
	return db, nil
}

// Close waits for what is being written and closes the database, if it was ever
// opened.
func (s *Store) Close() error {
	s.opening.Lock()
	defer s.opening.Unlock()
	s.closed = true
	if s.db == nil {
		return nil
	}
	db := s.db
	s.db = nil
	return explain("close", s.path, db.close())
}

// write makes a change, alone or in one transaction with others'. op says what
// it is, for its error. A lasting change is on the disk, not just on its way
// there, when write returns.
func (s *Store) write(ctx context.Context, op string, lasting bool, change func(*tx) error) error {
	db, err := s.open(ctx)
	if err != nil {
		return err
	}
	return explain(op, s.path, db.writer.do(ctx, lasting, change))
}
