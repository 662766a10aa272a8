package sqlite_test

import (
	"context"
	"fmt"
	"time"

	"github.com/anything-mcp/anything-mcp/jobs"
	"github.com/anything-mcp/anything-mcp/notte"
)

// epoch is when the jobs of these tests begin.
var epoch = time.Date(2026, 7, 28, 12, 0, 0, 0, time.UTC)

func build(id string) jobs.Job {
	return jobs.Job{
		ID: id, Owner: "ann", Kind: jobs.KindBuild, State: jobs.StateRunning,
		StartedAt: epoch, Build: &jobs.Build{Query: "query of " + id},
	}
}

// ended is the job as it succeeded, a second after the epoch, for a quarter of
// a dollar.
func ended(job jobs.Job) jobs.Job {
	b := *job.Build
	cost := 0.25
	b.Started, b.TotalCostUSD = true, &cost
	job.Build, job.State, job.EndedAt = &b, jobs.StateDone, epoch.Add(time.Second)
	return job
}

func options(key string) jobs.CreateOptions {
	return jobs.CreateOptions{Holder: "here", Until: epoch.Add(time.Minute), JoinKey: key, Join: true}
}

func entry(seq int64) jobs.Entry {
	return jobs.Entry{Seq: seq, At: epoch, Event: notte.Event{Type: notte.EventToolStart, Name: fmt.Sprint("step ", seq)}}
}

// save saves one change.
func save(ctx context.Context, s jobs.Store, c jobs.Change) error {
	return s.Save(ctx, []jobs.Change{c})[0]
}

// finish ends a job.
func finish(ctx context.Context, s jobs.Store, lease jobs.Lease, job jobs.Job, entries []jobs.Entry) error {
	return save(ctx, s, jobs.Change{Lease: lease, Job: &job, Entries: entries})
}
