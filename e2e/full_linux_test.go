package e2e_test

import (
	"os"
	"path/filepath"
	"syscall"
	"testing"
)

// Builds return their results although the disk is full when the server starts,
// or fills up while they run. An end that could not be stored is stored when
// there is space again.
func TestFullDisk(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	if err := syscall.Mount("tmpfs", dir, "tmpfs", 0, "size=1m"); err != nil {
		t.Skipf("a small disk cannot be mounted here: %v", err)
	}
	// Registered first, so it runs last, when the servers have exited.
	t.Cleanup(func() {
		if err := syscall.Unmount(dir, 0); err != nil {
			t.Error(err)
		}
	})
	api, url := newSandbox(t)
	filler := filepath.Join(dir, "filler")

	fillDisk(t, filler)
	h := newHostIn(t, url, dir)
	c := h.connect(modern)
	checkWorksInMemory(t, api, h, c, filepath.Join(dir, "jobs.db"), "free some space")

	removeFile(t, filler)
	wait, open := gate(t)
	api.Script("fills up", statusEvent("planning"), wait, done("fn"))
	handle := c.startBuild("fills up")
	if handle.Status != "running" || handle.inMemory() {
		t.Fatalf("with space again a build returned %s", handle.text)
	}
	follow := c.call("get_build", args{"build_id": handle.BuildID})
	c.progress(follow, 1)
	fillDisk(t, filler)
	open()
	if out := c.outcome(follow); out.Status != "done" || out.FunctionID != "fn" {
		t.Errorf("a build during which the disk filled up returned %s", out.text)
	} else if !out.inMemory() {
		t.Errorf("the end of a build was stored on a full disk: %s", out.text)
	}

	removeFile(t, filler)
	h.stderr.await(t, "the end that is stored after all", hasAll("stored after all", handle.BuildID))
	h.kill()
	next := newHostIn(t, url, dir).connect(legacy)
	if out := next.outcome(next.getNow(handle.BuildID)); out.Status != "done" || out.FunctionID != "fn" || out.inMemory() {
		t.Errorf("the next process returned for the build %s", out.text)
	}
	checkDatabase(t, dir)
}

// fillDisk writes a file until the disk is full.
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

func removeFile(t *testing.T, path string) {
	t.Helper()
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
}
