//go:build unix

package e2e_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// A state directory that others can write to is the user's own: the server takes
// that permission away, and uses it.
func TestStateDirectoryIsTightened(t *testing.T) {
	t.Parallel()
	_, url := newSandbox(t)
	dir := t.TempDir()
	if err := os.Chmod(dir, 0o777); err != nil {
		t.Fatal(err)
	}
	c := newHostIn(t, url, dir).connect(modern)
	if out := c.outcome(c.build("fetch a post")); out.Status != "done" || out.inMemory() {
		t.Errorf("a build returned %s", out.text)
	}
	if info, err := os.Stat(dir); err != nil || info.Mode().Perm()&0o022 != 0 {
		t.Errorf("the directory has the mode %v, %v; want that nobody else can write to it", info.Mode(), err)
	}
	if info, err := os.Stat(filepath.Join(dir, "jobs.db")); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("the database has the mode %v, %v; want 0600", info.Mode(), err)
	}
}

// A state directory of another user is not used: the server works in memory and
// says why, and what to do. With a limit it builds nothing.
func TestStateDirectoryOfAnother(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("only root can give a directory away")
	}
	t.Parallel()
	api, url := newSandbox(t)
	dir := t.TempDir()
	if err := os.Chown(dir, 4711, 4711); err != nil {
		t.Skipf("a directory cannot be given away here: %v", err)
	}
	const remedy = "change --state-dir to one that only this user can write to"
	h := newHostIn(t, url, dir)
	checkWorksInMemory(t, api, h, h.connect(modern), dir, remedy)
	h.stop()
	limited := newHostIn(t, url, dir, "--daily-budget=5").connect(legacy)
	if out := limited.outcome(limited.build("unchecked")); !out.isError || !strings.Contains(out.text, remedy) {
		t.Errorf("with a budget a build returned %s", out.text)
	}
	if files, err := os.ReadDir(dir); err != nil || len(files) != 0 {
		t.Errorf("in the directory of another user are now %v, %v", files, err)
	}
}
