package sqlite_test

import (
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

func claim(key string) jobs.Claim {
	return jobs.Claim{Holder: "here", Until: epoch.Add(time.Minute), JoinKey: key, Join: true}
}

func entry(seq int64) jobs.Entry {
	return jobs.Entry{Seq: seq, At: epoch, Type: notte.EventToolStart, Text: fmt.Sprint("step ", seq)}
}
