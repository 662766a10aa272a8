package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"time"

	driver "modernc.org/sqlite"
	codes "modernc.org/sqlite/lib"
)

// readers is how many connections read, at most. They are opened as needed.
const readers = 4

// busyTimeout is how long to wait for another process to finish its transaction.
const (
	busyTimeout = 5 * time.Second
	busyPragma  = "PRAGMA busy_timeout = 5000"
)

// database is an open database: one connection that writes and a few that read,
// which in WAL mode do not wait for each other.
type database struct {
	writer  *writer
	readers *sql.DB
}

// openDatabase opens the database at path, makes it if there is none, and brings
// it to the newest version.
func openDatabase(ctx context.Context, path string) (*database, error) {
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return nil, err
	}
	settings := url.Values{"_pragma": {
		"foreign_keys(1)",
		"secure_delete(1)", // a viewer's link is to be gone once it is deleted
		"fullfsync(1)",     // on macOS a mere fsync leaves data in the drive's cache
		"journal_size_limit(16777216)",
	}}
	template, err := protect(path)
	if err != nil {
		return nil, err
	}
	if template != "" {
		defer os.Remove(template)
		settings.Set("modeof", template)
	}
	write, err := connect(path, 1, settings)
	if err != nil {
		return nil, err
	}
	w, err := newWriter(ctx, write)
	if err != nil {
		return nil, errors.Join(err, write.Close())
	}
	read, err := connect(path, readers, url.Values{"_pragma": {"query_only(1)"}})
	if err != nil {
		return nil, errors.Join(err, w.close())
	}
	return &database{writer: w, readers: read}, nil
}

// close closes the readers first: the last connection to a database folds its
// write-ahead log into it, and only the writer may.
func (d *database) close() error {
	return errors.Join(d.readers.Close(), d.writer.close())
}

// protect sees that nobody but the user can read the database and what SQLite
// keeps beside it. For a file that is yet to be made it returns a template that
// has the permissions, to be removed afterwards.
//
// The database itself is never opened here: with POSIX locks, closing any
// descriptor of a file drops the locks that this process has on it.
func protect(path string) (template string, err error) {
	info, err := os.Stat(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		f, err := os.CreateTemp(filepath.Dir(path), ".jobs-")
		if err != nil {
			return "", err
		}
		return f.Name(), f.Close()
	case err != nil:
		return "", err
	case !info.Mode().IsRegular():
		return "", fmt.Errorf("%w: it is not a regular file", errForeign)
	}
	for _, suffix := range []string{"", "-wal", "-shm"} {
		if err := tighten(path + suffix); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return "", err
		}
	}
	return "", nil
}

// tighten takes a file's permissions from everyone but its owner.
func tighten(path string) error {
	info, err := os.Stat(path)
	if err != nil || info.Mode().Perm()&0o077 == 0 {
		return err
	}
	return os.Chmod(path, info.Mode().Perm()&0o700)
}

// connect prepares up to n connections. The connections are the driver's URI
// with what settings say beside what all have.
func connect(path string, n int, settings url.Values) (*sql.DB, error) {
	path, err := filepath.Abs(path)
	if err != nil {
		return nil, err
	}
	path = filepath.ToSlash(path)
	if !strings.HasPrefix(path, "/") {
		path = "/" + path // C:/…
	}
	settings.Add("_pragma", strings.TrimPrefix(busyPragma, "PRAGMA "))
	settings.Set("_error_rc", "1")
	// SQLite reads a plus sign as one.
	query := strings.ReplaceAll(settings.Encode(), "+", "%20")
	uri := url.URL{Scheme: "file", Path: path, OmitHost: true, RawQuery: query}
	connector, err := driver.NewConnector(uri.String())
	if err != nil {
		return nil, err
	}
	db := sql.OpenDB(connector)
	db.SetMaxOpenConns(n)
	db.SetMaxIdleConns(n)
	return db, nil
}

// enterWAL puts the database into WAL mode, in which it then stays. This needs
// it for a moment without other connections, and SQLite does not wait for that.
// Where the file system cannot do it the database works on, if slower.
func enterWAL(ctx context.Context, conn *sql.Conn) error {
	deadline := time.Now().Add(busyTimeout)
	for {
		_, err := conn.ExecContext(ctx, "PRAGMA journal_mode = WAL")
		if code(err) != codes.SQLITE_BUSY || time.Now().After(deadline) {
			return err
		}
		select {
		case <-time.After(10 * time.Millisecond):
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
}
