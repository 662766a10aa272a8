package sqlite

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

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
		db, err := connect(path, 1, url.Values{})
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

// TestFull fills the database up to a bound of its own.
func TestFull(t *testing.T) {
	store := New(t.TempDir())
	defer store.Close()
	ctx := t.Context()
	_, lease, err := store.Create(ctx, testBuild("build_1"), jobs.Claim{})
	if err != nil {
		t.Fatal(err)
	}
	limitPages(t, store, 1)
	end := testBuild("build_1")
	end.State, end.EndedAt, end.Build.Answer = jobs.StateDone, time.UnixMilli(2), strings.Repeat("x", 200<<10)
	err = store.Finish(ctx, lease, end, nil)
	if e, ok := errors.AsType[*Error](err); !ok || code(err) != codes.SQLITE_FULL || !strings.Contains(e.Error(), "free some space") {
		t.Errorf("Finish on a full disk = %v", err)
	}
	if job, err := store.Get(ctx, "build_1"); err != nil || job.State != jobs.StateRunning {
		t.Errorf("after it the job is %+v, %v; want it running", job, err)
	}
	limitPages(t, store, 1<<20)
	if err := store.Finish(ctx, lease, end, nil); err != nil {
		t.Errorf("with space again: %v", err)
	}
	if job, err := store.Get(ctx, "build_1"); err != nil || job.Build.Answer != end.Build.Answer {
		t.Errorf("with space again the job is in state %s, %v", job.State, err)
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

// TestSharedTransaction makes changes that all go into one transaction: each
// gets its own answer, and a failure among them is its caller's alone.
func TestSharedTransaction(t *testing.T) {
	store := New(t.TempDir())
	defer store.Close()
	db, err := store.open(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	_, lease, err := store.Create(t.Context(), testBuild("build_1"), jobs.Claim{})
	if err != nil {
		t.Fatal(err)
	}
	gone, cancel := context.WithCancel(t.Context())
	cancel()
	failure := errors.New("no such thing")
	calls := []struct {
		call func() error
		want error
	}{
		{func() error { return store.Append(t.Context(), lease, []jobs.Entry{{Seq: 1, At: time.UnixMilli(1)}}) }, nil},
		{func() error {
			return store.Append(t.Context(), jobs.Lease{JobID: "build_1", Fence: 9}, []jobs.Entry{{Seq: 2}})
		}, jobs.ErrLeaseLost},
		{func() error { return store.Cancel(t.Context(), "build_0") }, jobs.ErrNotFound},
		{func() error { return store.Append(gone, lease, []jobs.Entry{{Seq: 3}}) }, context.Canceled},
		{func() error {
			return store.write(t.Context(), "fail in", false, func(tx *tx) error {
				_, err := tx.exec("DELETE FROM jobs")
				return errors.Join(err, failure)
			})
		}, failure},
		{func() error { return store.Cancel(t.Context(), "build_1") }, nil},
	}
	db.writer.turn <- struct{}{} // nobody leads until all are there
	var wg sync.WaitGroup
	for i, c := range calls {
		wg.Go(func() {
			if err := c.call(); !errors.Is(err, c.want) {
				t.Errorf("call %d: %v, want %v", i, err, c.want)
			}
		})
	}
	for queued := 0; queued < len(calls); {
		db.writer.mu.Lock()
		queued = len(db.writer.queue)
		db.writer.mu.Unlock()
		runtime.Gosched()
	}
	<-db.writer.turn
	wg.Wait()
	log, err := store.Entries(t.Context(), "build_1", 0, 10)
	if err != nil || len(log) != 1 || log[0].Seq != 1 {
		t.Errorf("the log is %+v, %v; want the first entry alone", log, err)
	}
	if cancelled, err := store.Renew(t.Context(), []jobs.Lease{lease}, time.UnixMilli(5)); err != nil || len(cancelled) != 1 {
		t.Errorf("Renew = %v, %v; want the job to be cancelled", cancelled, err)
	}
}

// TestPlans sees that lists are read along an index, in order, not sorted.
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
