package e2e_test

import (
	"os"
	"path/filepath"
	"syscall"
	"testing"
)

// A disk that is full when a server starts, or fills up while builds run, keeps
// nobody from their results, and what could not be stored is stored when there
// is room again.
func TestFullDisk(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	if err := syscall.Mount("tmpfs", dir, "tmpfs", 0, "size=1m"); err != nil {
		t.Skipf("a small disk cannot be mounted here: %v", err)
	}
	// First of all that is registered, so last: the servers have ended by then.
	t.Cleanup(func() {
		if err := syscall.Unmount(dir, 0); err != nil {
			t.Error(err)
		}
	})
	api, url := newSandbox(t)
	filler := filepath.Join(dir, "filler")
	script := func(query string) func() {
		wait, open := gate(t)
		api.Script(query, working("planning"), wait, done("fn"))
		return open
	}

	fillDisk(t, filler)
	h := newHostIn(t, url, dir)
	c := h.connect(modern)
	workInMemory(t, h, c, filepath.Join(dir, "jobs.db"), "free some space", script)

	free(t, filler)
	open := script("fills up")
	handle := c.handle("fills up")
	if handle.Status != "running" || handle.volatile() {
		t.Fatalf("with space again a build is described as %s", handle.text)
	}
	follow := c.call("get_build", args{"build_id": handle.BuildID})
	c.progress(follow, 1)
	fillDisk(t, filler)
	open()
	if out := c.outcome(follow); out.Status != "done" || out.FunctionID != "fn" {
		t.Errorf("on a disk that filled up a build came to %s", out.text)
	} else if !out.volatile() {
		t.Errorf("the end of a build was stored on a full disk: %s", out.text)
	}

	free(t, filler)
	h.stderr.await(t, "the end that is stored after all", hasWords("stored after all", handle.BuildID))
	h.kill()
	next := newHostIn(t, url, dir).connect(legacy)
	if out := next.outcome(next.look(handle.BuildID)); out.Status != "done" || out.FunctionID != "fn" || out.volatile() {
		t.Errorf("the next process says of the build %s", out.text)
	}
	checkSound(t, dir)
}

// fillDisk writes a file until nothing goes in any more.
func fillDisk(t *testing.T, path string) {
	t.Helper()
	f, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	for err == nil {
		_, err = f.Write(make([]byte, 4096))
	}
	for err = nil; err == nil; {
		_, err = f.Write(make([]byte, 1))
	}
}

func free(t *testing.T, path string) {
	t.Helper()
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
}
