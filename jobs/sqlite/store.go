// Package sqlite stores jobs in a SQLite database that processes share.
package sqlite

import (
	"context"
	"errors"
	"path/filepath"
	"sync"

	"golang.org/x/sync/singleflight"

	"github.com/anything-mcp/anything-mcp/jobs"
)

// fileName is the database's name in its directory.
const fileName = "jobs.db"

var errClosed = errors.New("the store is closed")

// Store is a [jobs.Store] in a directory, or in memory. The first call of a method
// opens the database, and creates it if there is none. If that fails, the next call
// tries again, so that the cause can be removed while the process runs. A database
// that was deleted meanwhile is created again.
//
// Its errors are those of the contract, a context's, or an [*Error].
type Store struct {
	// DirName is what errors call the setting of the directory, such as the name
	// of a flag. Empty means "the state directory".
	DirName string

	path   string
	memory bool

	opening singleflight.Group // callers share one attempt
	lock    patience           // of those who open and read the database

	mu     sync.Mutex // guards all below
	db     *database  // nil until it is open
	closed bool
}

var _ jobs.Store = (*Store)(nil)

// New returns the store in dir, which need not exist yet. Nothing is read or
// written before it is used.
func New(dir string) *Store {
	return &Store{path: filepath.Join(dir, fileName)}
}

// NewMemory returns an empty store in memory. It keeps the newest 1,000 ended jobs, and
// fewer if they take more than 192 MiB.
func NewMemory() *Store {
	return &Store{path: "in memory", memory: true}
}

// Open opens the database unless it is open, for a caller who wants to know now
// whether it can be.
func (s *Store) Open(ctx context.Context) error {
	_, err := s.open(ctx)
	return err
}

// open returns the database, and opens it first if it is not open.
func (s *Store) open(ctx context.Context) (*database, error) {
	if db, err := s.current(); db != nil || err != nil {
		return db, err
	}
	select {
	case opened := <-s.opening.DoChan("", s.openNow):
		db, _ := opened.Val.(*database)
		return db, opened.Err
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	}
}

// current returns the database if it is open.
func (s *Store) current() (*database, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return nil, s.explain("use", errClosed)
	}
	if s.db != nil && s.db.isGone() {
		_ = s.db.close() // its file is deleted: nothing is lost by an error
		s.db = nil
	}
	return s.db, nil
}

// openNow opens the database, with the time that a lock of another program may take.
func (s *Store) openNow() (any, error) {
	if db, err := s.current(); db != nil || err != nil {
		return db, err // another attempt has just ended
	}
	var db *database
	err := s.lock.try(func() (err error) {
		if s.memory {
			db, err = openMemory()
		} else {
			db, err = openDatabase(s.path)
		}
		return err
	})
	if err != nil {
		return nil, s.explain("open", err)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return nil, s.explain("use", errors.Join(errClosed, db.close()))
	}
	s.db = db
	return db, nil
}

// Close waits for what is being written and closes the database, if it was ever
// opened.
func (s *Store) Close() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.closed = true
	if s.db == nil {
		return nil
	}
	db := s.db
	s.db = nil
	return s.explain("close", db.close())
}

// write makes one change. op says what it is, for its error. A durable change is
// on the disk, not just on its way there, when write returns.
//
// write makes no change if ctx has ended. Once it has begun, it ignores ctx, so that
// the caller always knows what was stored.
func (s *Store) write(ctx context.Context, op string, durable bool, apply func(*tx) error) error {
	one := &change{durable: durable, apply: apply}
	s.writeAll(ctx, op, one)
	return one.err
}

// writeAll makes changes, and returns when all have their errors.
func (s *Store) writeAll(ctx context.Context, op string, changes ...*change) {
	db, err := s.open(ctx)
	if err == nil && ctx.Err() != nil {
		err = context.Cause(ctx)
	}
	if err == nil {
		db.writer.write(changes)
	}
	for _, c := range changes {
		if err != nil {
			c.err = err
		}
		c.err = s.explain(op, c.err)
	}
}
