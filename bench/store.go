package main

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/anything-mcp/anything-mcp/jobs"
	"github.com/anything-mcp/anything-mcp/jobs/sqlite"
	"github.com/anything-mcp/anything-mcp/notte"
)

// storeKept stores n builds that have ended in a new state directory.
func storeKept(ctx context.Context, state, owner string, n int) (err error) {
	store := sqlite.New(state)
	defer func() { err = errors.Join(err, store.Close()) }()
	if err := store.Open(ctx); err != nil {
		return err
	}
	all, ctx := errgroup.WithContext(ctx)
	all.SetLimit(512) // so many share a transaction
	now := time.Now()
	for i := range n {
		all.Go(func() error { return storeBuild(ctx, store, keptBuild(owner, i, now)) })
	}
	return all.Wait()
}

func storeBuild(ctx context.Context, store jobs.Store, ended jobs.Job) error {
	running := ended
	running.State, running.EndedAt = jobs.StateRunning, time.Time{}
	_, lease, err := store.Create(ctx, running, jobs.CreateOptions{Holder: "bench", Until: time.Now().Add(time.Hour)})
	if err != nil {
		return err
	}
	return store.Save(ctx, []jobs.Change{{Lease: lease, Job: &ended, Entries: []jobs.Entry{
		{Seq: 1, At: ended.StartedAt, Event: notte.Event{Type: notte.EventToolStart, Name: stepName(0)}},
		{Seq: 2, At: ended.EndedAt, Event: notte.Event{Type: notte.EventDone}, Final: true},
	}}})[0]
}

// keptBuild returns the i-th newest of the owner's builds. They started a minute
// apart, so that 100,000 of them are younger than the 90 days after which builds
// are deleted.
func keptBuild(owner string, i int, now time.Time) jobs.Job {
	cost := 0.43
	start := now.Add(-time.Duration(i+1) * time.Minute)
	return jobs.Job{
		ID: fmt.Sprintf("build_%06d", i), Owner: owner, Kind: jobs.KindBuild, State: jobs.StateDone,
		StartedAt: start, EndedAt: start.Add(50 * time.Second),
		Build: &jobs.Build{
			Query: keptQuery(i), Started: true, FunctionID: benchFunction, FunctionName: "Top posts",
			TotalCostUSD: &cost, Steps: []string{stepName(0)}, StepCount: 1,
			Answer: strings.Repeat("I have built what you asked for. ", 10),
		},
	}
}

// checkStored returns an error unless the store in state has exactly n builds
// and all are done, each with the entries of its steps and its end. No process
// may have the store open.
func checkStored(ctx context.Context, state, owner string, n, steps int) (err error) {
	store := sqlite.New(state)
	defer func() { err = errors.Join(err, store.Close()) }()
	list, err := store.List(ctx, jobs.Query{Owner: owner, Kind: jobs.KindBuild, Limit: n + 1})
	if err != nil {
		return err
	}
	if len(list) != n {
		return fmt.Errorf("of %d builds %d are stored", n, len(list))
	}
	for _, job := range list {
		if job.State != jobs.StateDone || job.Build.StepCount != steps || job.Build.FunctionID != benchFunction {
			return fmt.Errorf("a build that was answered as done is stored as %s, with %d of %d steps and function %q",
				job.State, job.Build.StepCount, steps, job.Build.FunctionID)
		}
		log, err := store.Entries(ctx, job.ID, 0, steps+2)
		if err != nil {
			return err
		}
		if err := checkLog(log, steps); err != nil {
			return fmt.Errorf("the log of %s: %w", job.ID, err)
		}
	}
	return nil
}

// checkLog returns an error unless the log has the steps in their order and then
// the end.
func checkLog(log []jobs.Entry, steps int) error {
	if len(log) != steps+1 {
		return fmt.Errorf("%d entries of %d", len(log), steps+1)
	}
	for i, e := range log {
		want := jobs.Entry{Seq: int64(i + 1), At: e.At, Event: notte.Event{Type: notte.EventToolStart, Name: stepName(i)}}
		if i == steps && e.Type == notte.EventDone {
			want.Event, want.Final = e.Event, true
		}
		if e != want {
			return fmt.Errorf("entry %d is %+v, and should be %+v", i+1, e, want)
		}
	}
	return nil
}
