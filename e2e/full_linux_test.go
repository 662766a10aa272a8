package e2e_test

import (
	"fmt"
	"math"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// Builds return their results although the disk is full when the server starts,
// or fills up while they run. An end that could not be stored is stored when
// there is space again.
func TestFullDisk(t *testing.T) {
	inBothContracts(t, func(t *testing.T, api *service, url string) {
		dir := mountSmallDisk(t)
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
	})
}

// With a budget, a build that can be recorded on a full disk is let in and counts.
// One that cannot be is refused.
func TestFullDiskWithBudget(t *testing.T) {
	inBothContracts(t, func(t *testing.T, api *service, url string) {
		dir := mountSmallDisk(t)
		filler := filepath.Join(dir, "filler")
		c := newHostIn(t, url, dir, "--daily-budget=100").connect(modern)
		api.Script("before", done(""))
		if out := c.outcome(c.build("before")); out.Status != "done" {
			t.Fatalf("a build returned %s", out.text)
		}
		fillDisk(t, filler)
		leave(t, filler, 128<<10) // enough for a few records
		const tries = 60
		wait, open := gate(t)
		var started []outcome
		refused := 0
		for i := range tries {
			query := fmt.Sprintf("build %d", i)
			api.Script(query, statusEvent("planning"), wait, done(""))
			switch out := c.startBuild(query); {
			case out.Status == "running":
				started = append(started, out)
			case out.isError && strings.Contains(out.text, "the limits on builds cannot be checked") && strings.Contains(out.text, "free some space"):
				refused++
			default:
				t.Errorf("on a full disk a build returned %s", out.text)
			}
		}
		if refused == 0 || len(started) == 0 {
			t.Errorf("%d builds were let in on the full disk and %d refused, which proves little", len(started), refused)
		}
		removeFile(t, filler)
		open()
		for _, build := range started {
			if out := c.outcome(c.call("get_build", args{"build_id": build.BuildID})); out.Status != "done" {
				t.Errorf("a build that was let in returned %s", out.text)
			}
		}
		want := 1 + len(started)
		c.until(awaitTimeout, "the costs of all builds that were let in",
			func() outcome { return c.outcome(c.call("list_builds", args{"limit": 100})) },
			func(out outcome) bool {
				return len(out.Builds) == want && math.Round(*out.Spent*100) == float64(43*want)
			})
		if n := requests(api, "POST", "/start"); n != want {
			t.Errorf("Notte was asked for %d builds, want %d", n, want)
		}
		checkDatabase(t, dir)
	})
}

// mountSmallDisk mounts a disk of 1 MiB, and skips the test where that is not
// possible.
func mountSmallDisk(t *testing.T) (dir string) {
	t.Helper()
	dir = t.TempDir()
	if err := syscall.Mount("tmpfs", dir, "tmpfs", 0, "size=1m"); err != nil {
		t.Skipf("a small disk cannot be mounted here: %v", err)
	}
	// Registered before the servers start, so it runs last, when they have exited.
	t.Cleanup(func() {
		if err := syscall.Unmount(dir, 0); err != nil {
			t.Error(err)
		}
	})
	return dir
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

// leave makes so many bytes of the disk free again.
func leave(t *testing.T, filler string, bytes int64) {
	t.Helper()
	info, err := os.Stat(filler)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Truncate(filler, info.Size()-bytes); err != nil {
		t.Fatal(err)
	}
}
