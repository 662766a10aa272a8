package sqlite

import (
	"errors"
	"fmt"
	"net/url"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/anything-mcp/anything-mcp/functions"
	"github.com/anything-mcp/anything-mcp/jobs"
	codes "modernc.org/sqlite/lib"
)

func testBuild(id string) jobs.Job {
	return jobs.Job{ID: id, Owner: "ann", Kind: jobs.KindBuild, State: jobs.StateRunning, StartedAt: time.UnixMilli(1), Build: &jobs.Build{}}
}

func TestMigrate(t *testing.T) {
	path := filepath.Join(t.TempDir(), "jobs.db")
	steps := migrations()
	if len(steps) == 0 {
		t.Fatal("there is no schema")
	}
	at := func(steps []string) (version int, err error) {
		db, err := connect(uri(path), 1, url.Values{})
		if err != nil {
			t.Fatal(err)
		}
		defer db.Close()
		conn, err := db.Conn(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
		err = migrate(t.Context(), conn, steps)
		if scanErr := conn.QueryRowContext(t.Context(), "PRAGMA user_version").Scan(&version); scanErr != nil {
			t.Fatal(scanErr)
		}
		return version, err
	}
	next := append(steps[:len(steps):len(steps)], "ALTER TABLE jobs ADD COLUMN note TEXT; UPDATE jobs SET note = id")
	broken := append(steps[:len(steps):len(steps)], "CREATE TABLE half (a); CREATE TABLE half (a)")
	now := len(steps)
	for _, c := range []struct {
		why   string
		steps []string
		want  int
		fails error
	}{
		{"new", steps, now, nil},
		{"again", steps, now, nil},
		{"a step that fails", broken, now, nil},
		{"the next step", next, now + 1, nil},
		{"the one before", steps, now + 1, errNewer},
	} {
		version, err := at(c.steps)
		if version != c.want {
			t.Errorf("%s: version %d, want %d", c.why, version, c.want)
		}
		if fails := c.fails != nil || c.why == "a step that fails"; (err != nil) != fails || c.fails != nil && !errors.Is(err, c.fails) {
			t.Errorf("%s: %v", c.why, err)
		}
	}
}

// A database from before there were pins keeps its functions, and takes pins.
func TestPinsInAnOlderDatabase(t *testing.T) {
	dir := t.TempDir()
	db, err := connect(uri(filepath.Join(dir, fileName)), 1, url.Values{})
	if err != nil {
		t.Fatal(err)
	}
	conn, err := db.Conn(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	before := slices.IndexFunc(migrations(), func(step string) bool { return strings.Contains(step, "CREATE TABLE pins") })
	if err := migrate(t.Context(), conn, migrations()[:before]); err != nil {
		t.Fatal(err)
	}
	const row = `INSERT INTO functions (owner, api_url, function_id, site, updated_at, read_at, body) VALUES ('me', 'u', 'f', '', 1, 1, CAST('{"name":"posts"}' AS BLOB))`
	if _, err := conn.ExecContext(t.Context(), row); err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(conn.Close(), db.Close()); err != nil {
		t.Fatal(err)
	}
	s, me := New(dir), functions.Account{Owner: "me", APIURL: "u"}
	defer s.Close()
	if f, err := s.GetFunction(t.Context(), me, "f"); err != nil || f.Name != "posts" {
		t.Errorf("the function is %+v, %v", f, err)
	}
	if n, err := s.PinGeneration(t.Context()); n != 0 || err != nil {
		t.Errorf("the generation is %d, %v", n, err)
	}
	if err := s.PutPin(t.Context(), me, functions.Pin{Name: "posts", FunctionID: "f", State: functions.PinOK}, 1); err != nil {
		t.Error(err)
	}
	if pins, err := s.Pins(t.Context(), me); err != nil || len(pins) != 1 || pins[0].FunctionID != "f" {
		t.Errorf("the pins are %+v, %v", pins, err)
	}
}

// TestOneTooLarge saves two changes, one of which is more than the database may
// hold: the other is stored all the same.
func TestOneTooLarge(t *testing.T) {
	store := New(t.TempDir())
	defer store.Close()
	small, large := testBuild("build_1"), testBuild("build_2")
	var changes []jobs.Change
	for _, job := range []jobs.Job{small, large} {
		_, lease, err := store.Create(t.Context(), job, jobs.CreateOptions{})
		if err != nil {
			t.Fatal(err)
		}
		job.State, job.EndedAt, job.Build = jobs.StateDone, time.UnixMilli(2), &jobs.Build{}
		changes = append(changes, jobs.Change{Lease: lease, Job: &job})
	}
	changes[1].Job.Build.Answer = strings.Repeat("x", 200<<10)
	limitPages(t, store, 40)
	errs := store.Save(t.Context(), changes)
	if e, ok := errors.AsType[*Error](errs[1]); errs[0] != nil || !ok || code(errs[1]) != codes.SQLITE_FULL || !strings.Contains(e.Error(), "free some space") {
		t.Errorf("Save = %v", errs)
	}
	for id, want := range map[string]jobs.State{"build_1": jobs.StateDone, "build_2": jobs.StateRunning} {
		if job, err := store.Get(t.Context(), id); err != nil || job.State != want {
			t.Errorf("%s is %s, %v; want %s", id, job.State, err, want)
		}
	}
	limitPages(t, store, 1<<20)
	if err := store.Save(t.Context(), changes[1:])[0]; err != nil {
		t.Errorf("with space again: %v", err)
	}
}

// limitPages bounds the database's size. It cannot be less than it is.
func limitPages(t *testing.T, store *Store, pages int) {
	t.Helper()
	db, err := store.open(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	db.writer.turn <- struct{}{}
	defer func() { <-db.writer.turn }()
	if _, err := db.writer.tx.exec(fmt.Sprintf("PRAGMA max_page_count = %d", pages)); err != nil {
		t.Fatal(err)
	}
}

// TestPanic panics in the middle of a change: its caller gets an error, nothing of
// it is stored, and the changes beside it and after it work.
func TestPanic(t *testing.T) {
	store := New(t.TempDir())
	defer store.Close()
	if _, _, err := store.Create(t.Context(), testBuild("build_1"), jobs.CreateOptions{}); err != nil {
		t.Fatal(err)
	}
	bad := &change{apply: func(tx *tx) error {
		if _, err := tx.exec("DELETE FROM jobs"); err != nil {
			return err
		}
		panic("no such thing")
	}}
	good := &change{apply: func(tx *tx) error {
		_, err := tx.exec("UPDATE jobs SET join_key = 'k'")
		return err
	}}
	store.writeAll(t.Context(), "panic in", good, bad)
	if good.err != nil {
		t.Errorf("a change beside it: %v", good.err)
	}
	err := bad.err
	if _, ok := errors.AsType[*Error](err); !ok || !strings.Contains(err.Error(), "no such thing") {
		t.Errorf("the panic became %v", err)
	}
	if err := store.Cancel(t.Context(), "build_1"); err != nil {
		t.Errorf("after the panic: %v", err)
	}
}

// TestURI puts paths of all systems into URIs, by the rules of SQLite: the
// authority is empty, and what is special in a URI is escaped.
func TestURI(t *testing.T) {
	for path, want := range map[string]string{
		"/home/ann/jobs.db":            "file:///home/ann/jobs.db",
		"/a b/50%/c#d?e/jobs.db":       "file:///a%20b/50%25/c%23d%3Fe/jobs.db",
		"C:/Users/ann/jobs.db":         "file:///C:/Users/ann/jobs.db",
		"//server/share/ann/jobs.db":   "file:////server/share/ann/jobs.db",
		"//?/UNC/server/share/jobs.db": "file:////%3F/UNC/server/share/jobs.db",
	} {
		if got := uri(path); got != want {
			t.Errorf("uri(%s) = %s, want %s", path, got, want)
		}
	}
}

// TestPlans checks that lists are read along an index, in order, and not sorted.
func TestPlans(t *testing.T) {
	store := New(t.TempDir())
	defer store.Close()
	db, err := store.open(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	some := jobs.Cursor{StartedAt: time.UnixMilli(5), ID: "x"}
	for _, q := range []jobs.Query{
		{}, {State: jobs.StateDone}, {FunctionID: "f"}, {Since: time.UnixMilli(3)}, {Before: some},
		{State: jobs.StateDone, Before: some}, {FunctionID: "f", Since: time.UnixMilli(3), Before: some},
	} {
		q.Owner, q.Kind, q.Limit = "ann", jobs.KindRun, 20
		query, args := listQuery(q)
		rows, err := db.readers.QueryContext(t.Context(), "EXPLAIN QUERY PLAN "+query, args...)
		if err != nil {
			t.Fatal(err)
		}
		var plan []string
		for rows.Next() {
			var id, parent, unused int
			var detail string
			if err := rows.Scan(&id, &parent, &unused, &detail); err != nil {
				t.Fatal(err)
			}
			plan = append(plan, detail)
		}
		rows.Close()
		if text := strings.Join(plan, "; "); !strings.HasPrefix(text, "SEARCH jobs USING INDEX") || strings.Contains(text, "TEMP") || strings.Contains(text, "SCAN") {
			t.Errorf("%+v is answered by %s", q, text)
		}
	}
}
