package e2e_test

import (
	"bytes"
	"database/sql"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// volatile reports whether a result says that it will not outlast the process.
func (o outcome) volatile() bool { return o.Durable != nil && !*o.Durable }

// workInMemory checks that a server whose state cannot be stored builds and runs
// all the same, says in each result that this will not last, and in its log why.
func workInMemory(t *testing.T, h *host, c *conn, path, remedy string, script func(query string) (open func())) {
	t.Helper()
	open := script("build all the same")
	handle := c.handle("build all the same")
	if handle.Status != "running" || !handle.volatile() {
		t.Fatalf("a build that cannot be stored is described as %s", handle.text)
	}
	follow := c.call("get_build", args{"build_id": handle.BuildID})
	c.progress(follow, 1)
	again := c.build("build all the same")
	open()
	outcomes := []outcome{c.outcome(follow), c.outcome(again)}
	for _, out := range append(outcomes, c.outcome(c.look(handle.BuildID))) {
		if out.Status != "done" || out.BuildID != handle.BuildID || out.FunctionID != "fn" || !out.volatile() {
			t.Errorf("a build that cannot be stored came to %s", out.text)
		}
	}
	if out := c.outcome(c.call("list_builds", nil)); out.isError || len(out.Builds) != 1 {
		t.Errorf("list_builds says %s", out.text)
	}
	h.stderr.await(t, "a word in the log about what is wrong and what to do", func(line string, _ message) bool {
		return strings.Contains(line, path) && strings.Contains(line, remedy)
	})
}

// Whatever is found in the place of the database, the server starts and works,
// and leaves that as it is.
func TestUnfitState(t *testing.T) {
	for _, test := range []struct {
		name   string
		put    func(t *testing.T, url, dir string) (path string) // the file in the way
		remedy string
	}{
		{"truncated", func(t *testing.T, url, dir string) string {
			path := putDatabase(t, url, dir)
			info, err := os.Stat(path)
			if err != nil {
				t.Fatal(err)
			}
			if err := os.Truncate(path, info.Size()/2); err != nil {
				t.Fatal(err)
			}
			return path
		}, "move it aside"},
		{"header only", func(t *testing.T, url, dir string) string {
			path := putDatabase(t, url, dir)
			if err := os.Truncate(path, 100); err != nil {
				t.Fatal(err)
			}
			return path
		}, "move it aside"},
		{"another program's", func(t *testing.T, _, dir string) string {
			path := filepath.Join(dir, "jobs.db")
			db, err := sql.Open("sqlite", path)
			if err != nil {
				t.Fatal(err)
			}
			if _, err := db.Exec("CREATE TABLE jobs (title TEXT); INSERT INTO jobs VALUES ('baker')"); err != nil {
				t.Fatal(err)
			}
			if err := db.Close(); err != nil {
				t.Fatal(err)
			}
			return path
		}, "move it aside"},
		{"no database", func(t *testing.T, _, dir string) string {
			return putFile(t, filepath.Join(dir, "jobs.db"))
		}, "move it aside"},
		{"directory is a file", func(t *testing.T, _, dir string) string {
			if err := os.Remove(dir); err != nil {
				t.Fatal(err)
			}
			return putFile(t, dir)
		}, "--state-dir"},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			api, url := newSandbox(t)
			dir := t.TempDir()
			path := test.put(t, url, dir)
			before := readFile(t, path)

			h := newHostIn(t, url, dir)
			c := h.connect(modern)
			workInMemory(t, h, c, path, test.remedy, func(query string) func() {
				wait, open := gate(t)
				api.Script(query, working("planning"), wait, done("fn"))
				return open
			})
			if after := readFile(t, path); !bytes.Equal(before, after) {
				t.Errorf("%s had %d bytes and was changed to %d others", path, len(before), len(after))
			}

			// The remedy works without a restart.
			if err := os.Rename(path, path+".aside"); err != nil {
				t.Fatal(err)
			}
			api.Script("build again", done("fn"))
			kept := c.outcome(c.build("build again"))
			if kept.Status != "done" || kept.volatile() {
				t.Errorf("with the file moved aside a build came to %s", kept.text)
			}
			h.leave()
			if out := command(t, url, "builds", "--state-dir", dir, "--json"); !strings.Contains(out, kept.BuildID) {
				t.Errorf("the build that was kept is not listed: %s", out)
			}
			if after := readFile(t, path+".aside"); !bytes.Equal(before, after) {
				t.Errorf("%s was changed after it was moved aside", path)
			}
		})
	}
}

// A limit that cannot be checked is kept by building nothing.
func TestUnfitStateWithBudget(t *testing.T) {
	t.Parallel()
	api, url := newSandbox(t)
	dir := t.TempDir()
	path := putFile(t, filepath.Join(dir, "jobs.db"))
	for _, limit := range []string{"--daily-budget=5", "--max-concurrent-builds=5"} {
		h := newHostIn(t, url, dir, limit)
		c := h.connect(legacy)
		if out := c.outcome(c.build("unchecked")); !out.isError || !strings.Contains(out.text, path) || !strings.Contains(out.text, "move it aside") {
			t.Errorf("with %s and no ledger a build came to %s", limit, out.text)
		}
		h.leave()
	}
	if n := requests(api, "POST", "/start"); n != 0 {
		t.Errorf("Notte was asked for %d builds", n)
	}
}

// putDatabase leaves the database of a server that has built something.
func putDatabase(t *testing.T, url, dir string) (path string) {
	t.Helper()
	h := newHostIn(t, url, dir)
	c := h.connect(legacy)
	if out := c.outcome(c.build("fetch a post")); out.Status != "done" || out.volatile() {
		t.Fatalf("a build came to %s", out.text)
	}
	h.leave()
	return filepath.Join(dir, "jobs.db")
}

// putFile leaves a file that is no database.
func putFile(t *testing.T, path string) string {
	t.Helper()
	if err := os.WriteFile(path, []byte(strings.Repeat("Dear diary, \n", 1000)), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func readFile(t *testing.T, path string) []byte {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return data
}
