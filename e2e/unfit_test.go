package e2e_test

import (
	"bytes"
	"database/sql"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// inMemory reports whether a result says that it is kept in memory only.
func (o outcome) inMemory() bool { return o.Durable != nil && !*o.Durable }

// checkWorksInMemory checks that a server that cannot store jobs builds all the
// same, says in each result that it is kept in memory only, and says in its log
// which path is wrong and what to do.
func checkWorksInMemory(t *testing.T, api *service, h *host, c *conn, path, remedy string) {
	t.Helper()
	const query = "build all the same"
	wait, open := gate(t)
	api.Script(query, statusEvent("planning"), wait, done("fn-all-the-same"))
	handle := c.startBuild(query)
	if handle.Status != "running" || !handle.inMemory() {
		t.Fatalf("a build that cannot be stored returned %s", handle.text)
	}
	follow := c.call("get_build", args{"build_id": handle.BuildID})
	c.progress(follow, 1)
	again := c.call("build_automation", args{"query": query, "wait_seconds": 60})
	open()
	outcomes := []outcome{c.outcome(follow), c.outcome(again)}
	for _, out := range append(outcomes, c.outcome(c.getNow(handle.BuildID))) {
		if out.Status != "done" || out.BuildID != handle.BuildID || out.FunctionID != "fn-all-the-same" || !out.inMemory() {
			t.Errorf("a build that cannot be stored returned %s", out.text)
		}
	}
	if out := c.outcome(c.call("list_builds", nil)); out.isError || len(out.Builds) != 1 {
		t.Errorf("list_builds returned %s", out.text)
	}
	h.stderr.await(t, "a line of the log with the path and the remedy", func(line string, _ message) bool {
		return strings.Contains(line, path) && strings.Count(line, remedy) == 1
	})
}

// A server that finds something else in the place of its database starts and
// works, and does not change what it found.
func TestUnfitState(t *testing.T) {
	skipManyProcesses(t)
	for _, test := range []struct {
		name   string
		put    func(t *testing.T, url, dir string) (path string) // the file in the way
		remedy string
	}{
		{"truncated", func(t *testing.T, url, dir string) string {
			path := writeDatabase(t, url, dir)
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
			path := writeDatabase(t, url, dir)
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
			return writeFile(t, filepath.Join(dir, "jobs.db"))
		}, "move it aside"},
		{"directory is a file", func(t *testing.T, _, dir string) string {
			if err := os.Remove(dir); err != nil {
				t.Fatal(err)
			}
			return writeFile(t, dir)
		}, "--state-dir"},
	} {
		t.Run(test.name, func(t *testing.T) {
			inBothContracts(t, func(t *testing.T, api *service, url string) {
				dir := t.TempDir()
				path := test.put(t, url, dir)
				before := readFile(t, path)

				h := newHostIn(t, url, dir)
				c := h.connect(modern)
				checkWorksInMemory(t, api, h, c, path, test.remedy)
				if after := readFile(t, path); !bytes.Equal(before, after) {
					t.Errorf("%s had %d bytes and was changed to %d others", path, len(before), len(after))
				}

				// The remedy works without a restart.
				if err := os.Rename(path, path+".aside"); err != nil {
					t.Fatal(err)
				}
				api.Script("build again", done("fn"))
				kept := c.outcome(c.build("build again"))
				if kept.Status != "done" || kept.inMemory() {
					t.Errorf("with the file moved aside a build returned %s", kept.text)
				}
				h.stop()
				if out := command(t, url, "builds", "--state-dir", dir, "--json"); !strings.Contains(out, kept.BuildID) {
					t.Errorf("the build that was kept is not listed: %s", out)
				}
				if after := readFile(t, path+".aside"); !bytes.Equal(before, after) {
					t.Errorf("%s was changed after it was moved aside", path)
				}
			})
		})
	}
}

// While a limit cannot be checked, builds are refused.
func TestUnfitStateWithBudget(t *testing.T) {
	t.Parallel()
	api, url := newSandbox(t)
	dir := t.TempDir()
	path := writeFile(t, filepath.Join(dir, "jobs.db"))
	for _, limit := range []string{"--daily-budget=5", "--max-concurrent-builds=5"} {
		h := newHostIn(t, url, dir, limit)
		c := h.connect(legacy)
		if out := c.outcome(c.build("unchecked")); !out.isError || !strings.Contains(out.text, path) || !strings.Contains(out.text, "move it aside") {
			t.Errorf("with %s and no ledger a build returned %s", limit, out.text)
		}
		h.stop()
	}
	if n := requests(api, "POST", "/start"); n != 0 {
		t.Errorf("Notte was asked for %d builds", n)
	}
}

// writeDatabase has a server store a build, and returns the database's path.
func writeDatabase(t *testing.T, url, dir string) (path string) {
	t.Helper()
	h := newHostIn(t, url, dir)
	c := h.connect(legacy)
	if out := c.outcome(c.build("fetch a post")); out.Status != "done" || out.inMemory() {
		t.Fatalf("a build returned %s", out.text)
	}
	h.stop()
	return filepath.Join(dir, "jobs.db")
}

// writeFile writes a file that is no database, and returns its path.
func writeFile(t *testing.T, path string) string {
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
