package sqlite_test

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/anything-mcp/anything-mcp/jobs"
	"github.com/anything-mcp/anything-mcp/jobs/sqlite"
	"github.com/anything-mcp/anything-mcp/notte"
)

// TestViewerLinksLeaveNoTrace looks for the links of ended builds in the bytes on
// the disk, while the last of many builds with links runs.
func TestViewerLinksLeaveNoTrace(t *testing.T) {
	dir := t.TempDir()
	store := sqlite.New(dir)
	defer store.Close()
	const n = 200
	rnd := rand.New(rand.NewPCG(7, 2))
	link := func(i int) string {
		return fmt.Sprintf("https://viewer.example/%s?token=S3CR3T-%03d", strings.Repeat("x", rnd.IntN(200)), i)
	}
	leases := make([]jobs.Lease, n)
	ids := rnd.Perm(n)
	for i := range leases {
		leases[i] = start(t, store, fmt.Sprintf("build_%03d", ids[i]))
	}
	for seq := int64(1); seq <= 20; seq++ {
		for i, lease := range leases {
			e := entry(seq)
			e.Text = strings.Repeat("x", rnd.IntN(300))
			if seq%10 == 3 {
				e.Type, e.Text = notte.EventSessionData, link(i)
				job := build(lease.JobID)
				job.Build.ViewerURL = e.Text
				if err := store.Update(t.Context(), lease, job); err != nil {
					t.Fatal(err)
				}
			}
			if err := store.Append(t.Context(), lease, []jobs.Entry{e}); err != nil {
				t.Fatal(err)
			}
		}
	}
	for _, i := range rnd.Perm(n)[1:] {
		job := build(leases[i].JobID)
		job.Build.ViewerURL = link(i)
		if err := store.Finish(t.Context(), leases[i], ended(job), nil); err != nil {
			t.Fatal(err)
		}
		traces(t, dir, fmt.Sprintf("S3CR3T-%03d", i))
	}
}

// traces looks for a secret in all files of a directory.
func traces(t *testing.T, dir, secret string) {
	t.Helper()
	names, err := filepath.Glob(filepath.Join(dir, "*"))
	if err != nil || len(names) == 0 {
		t.Fatalf("the directory holds %v, %v", names, err)
	}
	for _, name := range names {
		data, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		if bytes.Contains(data, []byte(secret)) {
			t.Errorf("%s still holds %s", filepath.Base(name), secret)
		}
	}
}
