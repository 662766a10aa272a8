package sqlite

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"syscall"

	"github.com/anything-mcp/anything-mcp/jobs"
	driver "modernc.org/sqlite"
	codes "modernc.org/sqlite/lib"
)

// Error says what could not be done with the database, and what to do about it.
// The database is as it was before.
type Error struct {
	Op   string // what was tried: "open", "list jobs from", …
	Path string // of the database
	Err  error  // why it failed

	dir string // what to call the setting of its directory
}

// Error names the file, the cause and the remedy.
func (e *Error) Error() string {
	return fmt.Sprintf("cannot %s the jobs database %s: %v; %s", e.Op, e.Path, e.Err, remedy(e.Err, e.dir))
}

// Unwrap gives the cause.
func (e *Error) Unwrap() error { return e.Err }

// What is wrong with a file that must not be touched, or with its place.
var (
	errForeign = errors.New("the file belongs to another program")
	errNewer   = errors.New("the file was written by a newer version of anything-mcp")

	errUnsafeDir = errors.New("its directory is not safe")
)

// What to do about it.
const (
	moveAside = "move it aside, with its -wal and -shm files if it has them; the server then makes a new one"
	endOther  = "another program keeps it locked: try again, or end that program"
)

// remedy says what to do about an error. dir is what to call the setting of the
// database's directory.
func remedy(err error, dir string) string {
	makeRoom := "free some space on its disk, or change " + dir
	makeWritable := "check that its directory exists and can be written to, or change " + dir
	switch {
	case errors.Is(err, errForeign):
		return moveAside
	case errors.Is(err, errNewer):
		return "update this anything-mcp, or change " + dir
	case errors.Is(err, errUnsafeDir):
		return "change " + dir + " to one that only this user can write to"
	case errors.Is(err, syscall.ENOSPC):
		return makeRoom
	case errors.Is(err, errClosed):
		return "this server is stopping"
	}
	if _, ok := errors.AsType[*fs.PathError](err); ok {
		return makeWritable
	}
	switch code(err) {
	case codes.SQLITE_NOTADB, codes.SQLITE_CORRUPT:
		return moveAside
	case codes.SQLITE_FULL:
		return makeRoom
	case codes.SQLITE_READONLY, codes.SQLITE_PERM, codes.SQLITE_CANTOPEN:
		return makeWritable
	case codes.SQLITE_BUSY:
		return endOther
	}
	return "check that its disk works and has space, or change " + dir
}

// code is the primary result code of an error of SQLite's, or 0.
func code(err error) int {
	if e, ok := errors.AsType[*driver.Error](err); ok {
		return e.Code() & 0xff
	}
	return codes.SQLITE_OK
}

// explain wraps a failure in an [*Error]; an answer, and what is explained, stay as they
// are.
func (s *Store) explain(op string, err error) error {
	if _, explained := errors.AsType[*Error](err); explained || jobs.IsAnswer(err) {
		return err
	}
	return &Error{Op: op, Path: s.path, Err: err, dir: cmp.Or(s.DirName, "the state directory")}
}
