package sqlite

import (
	"context"
	"crypto/rand"
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
// A caller waits for it, and the job can go on without the store.
const (
	busyTimeout = 3 * time.Second
	busyStep    = 50 * time.Millisecond // of the write connection, which is asked again until then
)

// memoryPages bounds a database in memory: 256 MiB.
const memoryPages = 64 << 10

// database is an open database: one connection that writes and a few that read,
// which in WAL mode do not wait for each other.
type database struct {
	writer  *writer
	readers *sql.DB

	path string      // of its file; empty in memory
	file fs.FileInfo // as it was opened
}

// openDatabase opens the database at path, creates it if there is none, and
// brings it to the newest version.
func openDatabase(ctx context.Context, path string) (*database, error) {
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return nil, err
	}
	if err := protectDir(filepath.Dir(path)); err != nil {
		return nil, err
	}
	path, err := filepath.Abs(path)
	if err != nil {
		return nil, err
	}
	settings := url.Values{"_pragma": {
		"foreign_keys(1)",
		"secure_delete(1)", // links that version 1 kept readable must be gone once they are deleted
		"fullfsync(1)",     // on macOS a mere fsync leaves data in the drive's cache
		"journal_size_limit(16777216)",
	}}
	template, err := createPrivate(path)
	if err != nil {
		return nil, err
	}
	if template != "" {
		defer os.Remove(template)
		settings.Set("modeof", template)
	}
	db, err := openWriter(ctx, uri(filepath.ToSlash(path)), settings)
	if err != nil {
		return nil, err
	}
	db.path = path
	if db.file, err = os.Stat(path); err != nil {
		return nil, errors.Join(err, db.close())
	}
	if db.readers, err = connect(uri(filepath.ToSlash(path)), readers, busyTimeout, url.Values{"_pragma": {"query_only(1)"}}); err != nil {
		return nil, errors.Join(err, db.close())
	}
	return db, nil
}

// openMemory opens an empty database in memory, which its connections share.
func openMemory(ctx context.Context) (*database, error) {
	name := "file:/" + rand.Text()
	shared := func(pragmas ...string) url.Values {
		return url.Values{"vfs": {"memdb"}, "_pragma": pragmas}
	}
	db, err := openWriter(ctx, name, shared("foreign_keys(1)", fmt.Sprintf("max_page_count(%d)", memoryPages)))
	if err != nil {
		return nil, err
	}
	if db.readers, err = connect(name, readers, busyTimeout, shared("query_only(1)")); err != nil {
		return nil, errors.Join(err, db.close())
	}
	return db, nil
}

// openWriter opens the write connection and brings the database to the newest
// version.
func openWriter(ctx context.Context, uri string, settings url.Values) (*database, error) {
	db, err := connect(uri, 1, busyTimeout, settings)
	if err != nil {
		return nil, err
	}
	conn, err := db.Conn(ctx)
	if err != nil {
		return nil, errors.Join(err, db.Close())
	}
	err = migrate(ctx, conn, migrations())
	if err == nil {
		err = enterWAL(ctx, conn)
	}
	if err == nil {
		_, err = conn.ExecContext(ctx, fmt.Sprintf("PRAGMA busy_timeout = %d", busyStep.Milliseconds()))
	}
	if err != nil {
		return nil, errors.Join(err, conn.Close(), db.Close())
	}
	return &database{writer: &writer{db: db, turn: make(chan struct{}, 1), tx: newTx(conn)}}, nil
}

// isGone reports whether the database's file was deleted or replaced since it
// was opened: what is written to it now is lost.
func (d *database) isGone() bool {
	if d.path == "" {
		return false
	}
	now, err := os.Stat(d.path)
	return errors.Is(err, fs.ErrNotExist) || err == nil && !os.SameFile(now, d.file)
}

// close closes the readers first: the last connection to a database folds its
// write-ahead log into it, and only the writer may.
func (d *database) close() error {
	var err error
	if d.readers != nil {
		err = d.readers.Close()
	}
	return errors.Join(err, d.writer.close())
}

// connect prepares up to n connections to the database at a URI, with settings of
// the driver. Each waits for busy when another connection has a lock.
func connect(uri string, n int, busy time.Duration, settings url.Values) (*sql.DB, error) {
	settings.Add("_pragma", fmt.Sprintf("busy_timeout(%d)", busy.Milliseconds()))
	settings.Set("_error_rc", "1")
	// SQLite reads a plus sign as one, not as a space.
	query := strings.ReplaceAll(settings.Encode(), "+", "%20")
	connector, err := driver.NewConnector(uri + "?" + query)
	if err != nil {
		return nil, err
	}
	db := sql.OpenDB(connector)
	db.SetMaxOpenConns(n)
	db.SetMaxIdleConns(n)
	return db, nil
}

// uri returns an absolute path, of any system and with slashes, as SQLite's URI.
// Its authority is always there and empty: otherwise the server of a UNC path
// would be taken for it.
func uri(path string) string {
	if !strings.HasPrefix(path, "/") {
		path = "/" + path // C:/…
	}
	u := url.URL{Path: path}
	return "file://" + u.EscapedPath()
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
