package sqlite_test

import (
	"database/sql"
	"path/filepath"
	"testing"

	"github.com/anything-mcp/anything-mcp/jobs/sqlite"
)

// fill makes a database of n ended builds, one a minute up to the epoch, and
// returns its path. It does so in SQL: by calls it would take minutes.
func fill(t testing.TB, n int) string {
	path := filepath.Join(t.TempDir(), "jobs.db")
	store := sqlite.New(filepath.Dir(path))
	whole(t, store, "build_first", 1)
	if err := store.Close(); err != nil {
		t.Fatal(err)
	}
	db, err := sql.Open("sqlite", path)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	for _, insert := range []string{
		`WITH RECURSIVE i(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM i WHERE n < ?1)
		INSERT INTO jobs (id, owner, kind, state, join_key, function_id, started_at, ended_at, succeeded, body)
		SELECT 'build_' || i.n, 'ann', 'build', 'done', 'key' || i.n, 'f' || i.n, ?2 - i.n * 60000, ?2 - i.n * 60000 + 1000, 1, first.body
		FROM i, jobs AS first WHERE first.id = 'build_first' AND ?1 > 0`,
		`INSERT INTO details SELECT 'build_' || n, answer, thinking, steps, variables, result, logs
		FROM details, (SELECT n - 1 AS n FROM jobs WHERE n BETWEEN 2 AND ?1 AND ?2) WHERE job_id = 'build_first'`,
		`INSERT INTO ledger SELECT id, owner, ended_at, (n % 100) / 100.0 FROM jobs WHERE n BETWEEN 2 AND ?1 + 1 AND ?2`,
	} {
		if _, err := db.Exec(insert, n, epoch.UnixMilli()); err != nil {
			t.Fatal(err)
		}
	}
	return path
}
