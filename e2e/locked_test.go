package e2e_test

import (
	"context"
	"database/sql"
	"fmt"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/anything-mcp/anything-mcp/notte/sandbox"
)

// Statements with which another program takes a lock of the database.
const (
	writeLock     = "BEGIN IMMEDIATE"
	exclusiveLock = "BEGIN EXCLUSIVE"
	readLock      = "PRAGMA locking_mode = EXCLUSIVE; BEGIN EXCLUSIVE" // keeps others from reading too
)

// lockDatabase takes a lock of a state directory's database, as another program may.
func lockDatabase(t *testing.T, dir, lock string) (unlock func()) {
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
	execute(lock)
	return func() {
		execute("ROLLBACK")
		db.Close()
	}
}

// lockedWait is how long a call waits for a lock of the database.
const lockedWait = 3 * time.Second

// timely fails the test if ask takes as long as two waits for the lock.
func timely(t *testing.T, ask func() outcome) outcome {
	t.Helper()
	begun := time.Now()
	out := ask()
	if took := time.Since(begun); took > 2*lockedWait {
		t.Errorf("while the database was locked a call took %s and returned %s", took, out.text)
	}
	return out
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

		unlock := lockDatabase(t, dir, writeLock)
		locked := time.Now()
		builds = append(builds, timely(t, func() outcome { return c.startBuild(queries[2]) }))
		if out := builds[2]; out.Status != "running" || !out.inMemory() {
			t.Errorf("a build that is not stored yet is described as %s", out.text)
		}
		for i, query := range queries {
			if out := timely(t, func() outcome { return c.startBuild(query) }); !out.Joined || out.BuildID != builds[i].BuildID {
				t.Errorf("asked again for %q, which is %s, the server says %s", query, builds[i].BuildID, out.text)
			}
		}
		open()
		for i := range queries {
			out := timely(t, func() outcome { return c.outcome(c.call("get_build", args{"build_id": builds[i].BuildID})) })
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

// What is built or run while another program holds a lock of the database is stored
// at the latest when its process ends, with its function and its cost.
func TestStoredWhenTheProcessEnds(t *testing.T) {
	skipWithoutSignals(t)
	for _, c := range []struct {
		situation string
		lock      string
		era       era
		http      bool
		processes int
		released  bool // before the processes are to end, and not meanwhile
	}{
		{"released before the process ends", writeLock, legacy, false, 1, true},
		{"released while the process ends", writeLock, modern, false, 1, false},
		{"an exclusive lock", exclusiveLock, legacy, false, 1, false},
		{"a lock that keeps others from reading", readLock, modern, false, 1, false},
		{"a server over HTTP", writeLock, legacy, true, 1, false},
		{"two processes at once", writeLock, modern, false, 2, false},
		{"two processes that cannot read", readLock, legacy, true, 2, false},
	} {
		t.Run(c.situation, func(t *testing.T) {
			inBothContracts(t, func(t *testing.T, api *service, url string) {
				dir := t.TempDir()
				fn := api.AddFunction(sandbox.Function{ID: "fn-to-run", Run: &sandbox.Outcome{Result: "ran"}})
				h := newHostIn(t, url, dir)
				api.Script("first", statusEvent("planning"), done("fn-first"))
				first := h.connect(legacy)
				builds := map[string]outcome{"first": first.outcome(first.build("first"))}
				h.stop()

				unlock := lockDatabase(t, dir, c.lock)
				var servers []*process
				var runs []outcome
				for n := range c.processes {
					server, conn := newServerIn(t, url, dir, c.http, c.era)
					query := fmt.Sprint("second ", n)
					api.Script(query, statusEvent("planning"), done(fmt.Sprint("fn-second-", n)))
					out := timely(t, func() outcome { return conn.outcome(conn.build(query)) })
					if out.Status != "done" || out.FunctionID == "" || !out.inMemory() {
						t.Errorf("while the database was locked the build returned %s", out.text)
					}
					run := timely(t, func() outcome { return conn.outcome(conn.call("run_function", args{"function_id": fn})) })
					list := timely(t, func() outcome { return conn.outcome(conn.call("list_builds", nil)) })
					if !strings.Contains(list.text, out.BuildID) {
						t.Errorf("while the database was locked the list was %s", list.text)
					}
					builds[query], runs, servers = out, append(runs, run), append(servers, server)
				}
				if c.released {
					unlock()
					servers[0].stderr.await(t, "the build that is stored after all", hasAll("stored after all", builds["second 0"].BuildID))
				}
				for _, server := range servers {
					server.signal(syscall.SIGTERM)
					if !c.released {
						server.stderr.await(t, "the wait for the database", hasAll("waits for the database", "build_", "cost_usd"))
					}
				}
				if !c.released {
					unlock()
				}
				for _, server := range servers {
					server.exits(0)
				}

				next := newHostIn(t, url, dir).connect(modern)
				starts := requests(api, "POST", "/start")
				for query, build := range builds {
					out := next.outcome(next.build(query))
					if out.BuildID != build.BuildID || !out.Joined || out.FunctionID != build.FunctionID || *out.TotalCostUSD != 0.43 || out.inMemory() {
						t.Errorf("the next process says of %q %s", query, out.text)
					}
				}
				for _, run := range runs {
					if out := next.outcome(next.call("get_run", args{"run_id": run.RunID})); out.Status != "closed" || string(out.Result) != `"ran"` {
						t.Errorf("the next process says of the run %s", out.text)
					}
				}
				list, spent := next.outcome(next.call("list_builds", nil)), 0.43*float64(len(builds))
				if len(list.Builds) != len(builds) || list.Spent == nil || fmt.Sprintf("%.2f", *list.Spent) != fmt.Sprintf("%.2f", spent) {
					t.Errorf("list_builds says %s; want %d builds for %.2f", list.text, len(builds), spent)
				}
				if n := requests(api, "POST", "/start"); n != starts || n != len(builds) {
					t.Errorf("Notte was asked for %d builds, want %d", n, len(builds))
				}
				checkDatabase(t, dir)
			})
		})
	}
}

// newServerIn starts a server over either transport and connects to it.
func newServerIn(t *testing.T, url, dir string, http bool, e era) (*process, *conn) {
	t.Helper()
	if http {
		s := newHTTPServer(t, url, nil, "--state-dir", dir)
		return s.process, s.connect(t, e)
	}
	h := newHostIn(t, url, dir)
	return h.process, h.connect(e)
}

// While the database cannot be written it can still be read. What runs in another
// process is joined, and what has just ended is reused, at once.
func TestJoinedWhileLocked(t *testing.T) {
	inBothContracts(t, func(t *testing.T, api *service, url string) {
		dir, a, b := twoServers(t, url)
		wait, open := gate(t)
		api.Script("ended", statusEvent("planning"), done("fn-0"))
		api.Script("runs", statusEvent("planning"), wait, done("fn-1"))
		builds := []outcome{a.outcome(a.build("ended")), a.startBuild("runs")}
		unlock := lockDatabase(t, dir, writeLock)
		for i, query := range []string{"ended", "runs"} {
			begun := time.Now()
			if out := b.startBuild(query); out.BuildID != builds[i].BuildID || !out.Joined {
				t.Errorf("the other process says of %q %s", query, out.text)
			}
			if took := time.Since(begun); took > lockedWait {
				t.Errorf("it took %s, as if it had waited for the lock", took)
			}
		}
		unlock()
		open()
		if out := b.outcome(b.call("get_build", args{"build_id": builds[1].BuildID})); out.Status != "done" || out.FunctionID != "fn-1" {
			t.Errorf("the build returned %s", out.text)
		}
		if n := requests(api, "POST", "/start"); n != 2 {
			t.Errorf("Notte was asked for %d builds, want 2", n)
		}
	})
}

// With a budget, no build starts while the database is locked, because its costs
// cannot be counted.
func TestBudgetWhileLocked(t *testing.T) {
	inBothContracts(t, func(t *testing.T, api *service, url string) {
		dir := t.TempDir()
		c := newHostIn(t, url, dir, "--daily-budget", "5").connect(modern)
		c.outcome(c.call("list_builds", nil)) // creates the database
		unlock := lockDatabase(t, dir, writeLock)
		out := timely(t, func() outcome { return c.startBuild("q") })
		if !out.isError || !strings.Contains(out.text, "limits on builds cannot be checked") || !strings.Contains(out.text, "another program keeps it locked") {
			t.Errorf("the build returned %s", out.text)
		}
		if n := requests(api, "POST", "/start"); n != 0 {
			t.Errorf("Notte was asked for %d builds", n)
		}
		unlock()
		api.Script("q", statusEvent("planning"), done("fn"))
		if out := c.outcome(c.build("q")); out.Status != "done" || out.inMemory() {
			t.Errorf("when the lock is gone the build returned %s", out.text)
		}
	})
}

// A process that cannot store a build before it ends says what is lost.
func TestLockThatIsNeverReleased(t *testing.T) {
	inBothContracts(t, func(t *testing.T, api *service, url string) {
		if testing.Short() {
			t.Skip("the process waits for nine seconds")
		}
		dir := t.TempDir()
		h := newHostIn(t, url, dir)
		c := h.connect(legacy)
		c.outcome(c.call("list_builds", nil)) // creates the database
		lockDatabase(t, dir, exclusiveLock)
		api.Script("q", statusEvent("planning"), done("fn-lost"))
		out := c.outcome(c.build("q"))
		h.stop()
		h.stderr.await(t, "what is lost", hasAll("ERROR", "could not be stored", out.BuildID, "fn-lost", "0.43"))
	})
}
