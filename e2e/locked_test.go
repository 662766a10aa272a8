package e2e_test

import (
	"context"
	"database/sql"
	"path/filepath"
	"testing"
	"time"
)

// lockDatabase takes the write lock of a state directory's database, as another
// program may.
func lockDatabase(t *testing.T, dir string) (unlock func()) {
	t.Helper()
	db, err := sql.Open("sqlite", filepath.Join(dir, "jobs.db"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	db.SetMaxOpenConns(1)
	execute := func(statement string) {
		t.Helper()
		if _, err := db.ExecContext(context.WithoutCancel(t.Context()), statement); err != nil {
			t.Fatal(err)
		}
	}
	execute("PRAGMA busy_timeout = 10000")
	execute("BEGIN IMMEDIATE")
	return func() { execute("ROLLBACK") }
}

// Another program holds the database's write lock for six seconds. Callers wait
// about four at most, what is asked for again is joined, and all is stored in
// the end.
func TestWriteLockHeldByAnother(t *testing.T) {
	inBothContracts(t, func(t *testing.T, api *service, url string) {
		if testing.Short() {
			t.Skip("the lock is held for six seconds")
		}
		dir := t.TempDir()
		wait, open := gate(t)
		queries := []string{"ended before", "runs before", "starts meanwhile"}
		api.Script(queries[0], done("fn-0"))
		api.Script(queries[1], statusEvent("planning"), wait, done("fn-1"))
		api.Script(queries[2], statusEvent("planning"), wait, done("fn-2"))
		h := newHostIn(t, url, dir)
		c := h.connect(modern)
		builds := []outcome{c.outcome(c.build(queries[0])), c.startBuild(queries[1])}

		unlock := lockDatabase(t, dir)
		locked := time.Now()
		timed := func(ask func() outcome) outcome {
			t.Helper()
			begun := time.Now()
			out := ask()
			if took := time.Since(begun); took > 5*time.Second {
				t.Errorf("while another program held the lock a call took %s and returned %s", took, out.text)
			}
			return out
		}
		builds = append(builds, timed(func() outcome { return c.startBuild(queries[2]) }))
		if out := builds[2]; out.Status != "running" || !out.inMemory() {
			t.Errorf("a build that is not stored yet is described as %s", out.text)
		}
		for i, query := range queries {
			if out := timed(func() outcome { return c.startBuild(query) }); !out.Joined || out.BuildID != builds[i].BuildID {
				t.Errorf("asked again for %q, which is %s, the server says %s", query, builds[i].BuildID, out.text)
			}
		}
		open()
		for i := range queries {
			out := timed(func() outcome { return c.outcome(c.call("get_build", args{"build_id": builds[i].BuildID})) })
			if out.Status != "done" || out.FunctionID == "" || out.TotalCostUSD == nil {
				t.Errorf("the build %q returned %s", queries[i], out.text)
			}
		}
		<-time.After(time.Until(locked.Add(6 * time.Second)))
		unlock()

		for _, build := range builds[1:] {
			h.stderr.await(t, "the end that is stored after all", hasAll("stored after all", build.BuildID))
		}
		h.kill()
		next := newHostIn(t, url, dir).connect(legacy)
		for i, query := range queries {
			out := next.outcome(next.build(query))
			if !out.Joined || out.BuildID != builds[i].BuildID || out.Status != "done" || *out.TotalCostUSD != 0.43 || out.inMemory() {
				t.Errorf("the next process says of %q %s", query, out.text)
			}
		}
		if out := next.outcome(next.call("list_builds", nil)); out.Spent == nil || *out.Spent != 1.29 {
			t.Errorf("list_builds says %s; want 1.29 spent", out.text)
		}
		if n := requests(api, "POST", "/start"); n != len(queries) {
			t.Errorf("Notte was asked for %d builds, want %d", n, len(queries))
		}
		checkDatabase(t, dir)
	})
}
