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

	driver "modernc.org/sqlite"
)

// readers is how many connections read, at most. They are opened as needed.
const readers = 4

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
func openDatabase(path string) (*database, error) {
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
	db, err := open(uri(filepath.ToSlash(path)), settings)
	if err != nil {
		return nil, err
	}
	db.path = path
	if db.file, err = os.Stat(path); err != nil {
		return nil, errors.Join(err, db.close())
	}
	return db, nil
}

// openMemory opens an empty database in memory, which its connections share.
func openMemory() (*database, error) {
	return open("file:/"+rand.Text(), url.Values{
		"vfs": {"memdb"}, "_pragma": {"foreign_keys(1)", fmt.Sprintf("max_page_count(%d)", memoryPages)},
	})
}

// open opens the database at a URI with settings of the driver, and brings it to the
// newest version.
func open(uri string, settings url.Values) (*database, error) {
	reading, err := connect(uri, readers, url.Values{"vfs": settings["vfs"], "_pragma": {"query_only(1)"}})
	if err != nil {
		return nil, err
	}
	writing, err := connect(uri, 1, settings)
	if err != nil {
		return nil, errors.Join(err, reading.Close())
	}
	ctx := context.Background()
	conn, err := writing.Conn(ctx)
	if err != nil {
		return nil, errors.Join(err, writing.Close(), reading.Close())
	}
	db := &database{writer: newWriter(writing, conn), readers: reading}
	err = migrate(ctx, conn, migrations())
	if err == nil {
		// The database stays in WAL mode, in which those who read do not wait for
		// those who write. A file system that cannot do it leaves it in its old mode.
		_, err = conn.ExecContext(ctx, "PRAGMA journal_mode = WAL")
	}
	if err != nil {
		return nil, errors.Join(err, db.close())
	}
	return db, nil
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
func (d *database) close() error { return errors.Join(d.readers.Close(), d.writer.close()) }

// connect prepares up to n connections to the database at a URI, with settings of
// the driver.
func connect(uri string, n int, settings url.Values) (*sql.DB, error) {
	settings.Add("_pragma", fmt.Sprintf("busy_timeout(%d)", busyStep.Milliseconds()))
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
