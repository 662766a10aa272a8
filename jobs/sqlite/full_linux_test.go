package sqlite_test

import (
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/anything-mcp/anything-mcp/jobs"
	"github.com/anything-mcp/anything-mcp/jobs/sqlite"
)

// TestFullDisk has a disk of a megabyte, and fills it.
func TestFullDisk(t *testing.T) {
	dir := t.TempDir()
	if err := syscall.Mount("tmpfs", dir, "tmpfs", 0, "size=1m"); err != nil {
		t.Skipf("a small disk cannot be mounted here: %v", err)
	}
	defer func() {
		if err := syscall.Unmount(dir, 0); err != nil {
			t.Error(err)
		}
	}()
	path := filepath.Join(dir, "jobs.db")
	filler := filepath.Join(dir, "filler")

	fillDisk(t, filler)
	store := sqlite.New(dir)
	_, _, err := store.Create(t.Context(), build("build_1"), options(""))
	refused(t, err, path, "free some space")

	free(t, filler)
	lease := start(t, store, "build_1")
	if err := save(t.Context(), store, jobs.Change{Lease: lease, Entries: []jobs.Entry{entry(1)}}); err != nil {
		t.Fatal(err)
	}

	fillDisk(t, filler)
	end := ended(build("build_1"))
	end.Build.Answer = strings.Repeat("x", 100<<10)
	refused(t, finish(t.Context(), store, lease, end, []jobs.Entry{entry(2)}), path, "free some space")
	if log, err := store.Entries(t.Context(), "build_1", 0, 10); err != nil || len(log) != 1 {
		t.Errorf("on the full disk the log is %+v, %v; want one entry", log, err)
	}
	if job, err := store.Get(t.Context(), "build_1"); err != nil || job.State != jobs.StateRunning {
		t.Errorf("on the full disk the job is %+v, %v; want it running", job, err)
	}

	free(t, filler)
	if err := finish(t.Context(), store, lease, end, []jobs.Entry{entry(2)}); err != nil {
		t.Errorf("with space again: %v", err)
	}
	if err := store.Close(); err != nil {
		t.Error(err)
	}

	fillDisk(t, filler)
	store = sqlite.New(dir)
	_, err = store.Get(t.Context(), "build_1")
	refused(t, err, path, "space")
	free(t, filler)
	if job, err := store.Get(t.Context(), "build_1"); err != nil || job.State != jobs.StateDone {
		t.Errorf("with space again the job is %+v, %v; want it done", job, err)
	}
	if err := store.Close(); err != nil {
		t.Error(err)
	}
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
}

func free(t *testing.T, path string) {
	t.Helper()
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
}
