package jobs_test

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/anything-mcp/anything-mcp/jobs"
	"github.com/anything-mcp/anything-mcp/jobs/jobstest"
)

func TestFallbackOnAStoreThatWorks(t *testing.T) {
	jobstest.Test(t, func(*testing.T) jobs.Store {
		return jobs.NewFallback(jobs.NewMemory(), slog.New(slog.DiscardHandler))
	})
}

var errDisk = errors.New("no space left on device")

// fullDisk is a store that can be neither read nor written.
type fullDisk struct{ jobs.Store }

func (fullDisk) Create(context.Context, jobs.Job, jobs.Claim) (jobs.Job, jobs.Lease, error) {
	return jobs.Job{}, jobs.Lease{}, errDisk
}
func (fullDisk) Get(context.Context, string) (jobs.Job, error) { return jobs.Job{}, jobs.ErrNotFound }
func (fullDisk) Entries(context.Context, string, int64, int) ([]jobs.Entry, error) {
	return nil, jobs.ErrNotFound
}
func (fullDisk) Finish(context.Context, jobs.Lease, jobs.Job, []jobs.Entry) error {
	return jobs.ErrNotFound
}
func (fullDisk) Cancel(context.Context, string) error                 { return jobs.ErrNotFound }
func (fullDisk) List(context.Context, jobs.Query) ([]jobs.Job, error) { return nil, errDisk }
func (fullDisk) Forget(context.Context, time.Time) (int, error)       { return 0, nil }
func (fullDisk) Renew(context.Context, []jobs.Lease, time.Time) ([]string, error) {
	return nil, errDisk
}

// TestFallbackOnAFullDisk runs what of the contract holds without a disk: all
// but adoption, since no other process can see what is in memory, and sums,
// since a part would pass for the whole.
func TestFallbackOnAFullDisk(t *testing.T) {
	var log bytes.Buffer
	f := jobs.NewFallback(fullDisk{jobs.NewMemory()}, slog.New(slog.NewTextHandler(&log, nil)))
	job := jobs.Job{ID: "build_1", Owner: "ann", Kind: jobs.KindBuild, State: jobs.StateRunning, StartedAt: time.Now(), Build: &jobs.Build{}}
	claim := jobs.Claim{Holder: "here", Until: time.Now().Add(time.Minute), JoinKey: "k", Join: true}
	stored, lease, err := f.Create(t.Context(), job, claim)
	if err != nil || !stored.Volatile {
		t.Fatalf("Create = %+v, %v; want a volatile job", stored, err)
	}
	other := job
	other.ID = "build_2"
	if joined, _, err := f.Create(t.Context(), other, claim); err != nil || joined.ID != job.ID {
		t.Errorf("a job in memory is not joined: %s, %v", joined.ID, err)
	}
	if err := f.Append(t.Context(), lease, []jobs.Entry{{Seq: 1, Text: "x"}}); err != nil {
		t.Error(err)
	}
	if err := f.Cancel(t.Context(), job.ID); err != nil {
		t.Error(err)
	}
	if ids, err := f.Renew(t.Context(), []jobs.Lease{lease}, time.Now().Add(time.Minute)); err != nil || len(ids) != 1 {
		t.Errorf("Renew = %v, %v", ids, err)
	}
	if list, err := f.List(t.Context(), jobs.Query{Owner: "ann", Kind: jobs.KindBuild, Limit: 9}); err != nil || len(list) != 1 {
		t.Errorf("List = %v, %v", list, err)
	}
	job.State, job.EndedAt = jobs.StateDone, time.Now()
	if err := f.Finish(t.Context(), lease, job, nil); err != nil {
		t.Error(err)
	}
	if n := strings.Count(log.String(), "no space left"); n != 1 {
		t.Errorf("the failure was logged %d times, want once:\n%s", n, &log)
	}
}
