package jobs_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/anything-mcp/anything-mcp/jobs"
	"github.com/anything-mcp/anything-mcp/jobs/jobstest"
)

func TestMemory(t *testing.T) {
	jobstest.Test(t, func(*testing.T) jobs.Store { return jobs.NewMemory() })
}

func TestMemoryForgetsTheOldest(t *testing.T) {
	store := jobs.NewMemory()
	running := jobs.Job{ID: "running", State: jobs.StateRunning, Build: &jobs.Build{}}
	if _, _, err := store.Create(t.Context(), running, jobs.Claim{}); err != nil {
		t.Fatal(err)
	}
	big := strings.Repeat("x", 64<<20)
	for i := range 6 { // 384 MiB of ended jobs
		job := jobs.Job{ID: fmt.Sprint(i), State: jobs.StateRunning, Build: &jobs.Build{Answer: big}}
		_, lease, err := store.Create(t.Context(), job, jobs.Claim{})
		if err != nil {
			t.Fatal(err)
		}
		job.State, job.EndedAt = jobs.StateDone, time.Now()
		if err := store.Finish(t.Context(), lease, job, nil); err != nil {
			t.Fatal(err)
		}
	}
	for id, want := range map[string]bool{"running": true, "0": false, "1": false, "2": false, "3": true, "5": true} {
		if _, err := store.Get(t.Context(), id); (err == nil) != want {
			t.Errorf("job %s is there: %v, want %v", id, err == nil, want)
		}
	}
}
