package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/anything-mcp/anything-mcp/jobs"
	"github.com/anything-mcp/anything-mcp/jobs/sqlite"
	"github.com/anything-mcp/anything-mcp/notte"
)

// listed is how many builds a page of list_builds has.
const listed = 20

// lists measures list_builds over stdio, with n kept builds and with no more
// than a page of them. Each list is a server's of its own: its first, which
// opens the database, or its second.
func (l *lab) lists(ctx context.Context, n, rounds int, first bool) (large, small sample, err error) {
	return l.withKept(ctx, n, listed, rounds, func(state string) (time.Duration, error) {
		return l.list(ctx, state, first)
	})
}

// startsKept measures what [lab.starts] does, with n kept builds and with none.
func (l *lab) startsKept(ctx context.Context, n, rounds int) (large, empty sample, err error) {
	return l.withKept(ctx, n, 0, rounds, func(state string) (time.Duration, error) {
		return l.startServer(ctx, state)
	})
}

// withKept measures the same with many kept builds and with few.
func (l *lab) withKept(ctx context.Context, many, few, rounds int, measure func(state string) (time.Duration, error)) (large, small sample, err error) {
	manyState, err := l.keep(ctx, many)
	if err != nil {
		return nil, nil, err
	}
	fewState, err := l.keep(ctx, few)
	if err != nil {
		return nil, nil, err
	}
	return inTurns(rounds,
		func() (time.Duration, error) { return measure(manyState) },
		func() (time.Duration, error) { return measure(fewState) })
}

func (l *lab) list(ctx context.Context, state string, first bool) (time.Duration, error) {
	server, err := l.startStdio(ctx, state)
	if err != nil {
		return 0, err
	}
	defer server.stop()
	if err := server.initialize(); err != nil {
		return 0, err
	}
	call := map[string]any{"name": "list_builds", "arguments": map[string]any{"limit": listed}}
	if !first {
		if _, err := server.request("tools/call", call, nil); err != nil {
			return 0, err
		}
	}
	start := time.Now()
	answer, err := server.request("tools/call", call, nil)
	took := time.Since(start)
	if err != nil {
		return 0, err
	}
	return took, checkList(answer)
}

// checkList reports an answer that is not a page of builds.
func checkList(answer []byte) error {
	var a struct {
		Result struct {
			Structured struct {
				Builds []struct {
					Query string `json:"query"`
				} `json:"builds"`
			} `json:"structuredContent"`
		} `json:"result"`
	}
	if err := json.Unmarshal(answer, &a); err != nil || len(a.Result.Structured.Builds) != listed {
		return fmt.Errorf("not a list of %d builds: %.300s", listed, answer)
	}
	for i, b := range a.Result.Structured.Builds {
		if b.Query != keptQuery(i) {
			return fmt.Errorf("build %d of the newest is %q", i, b.Query)
		}
	}
	return nil
}

// keep returns a state directory with n kept builds, which is to be left as it
// is. There is one for each n.
func (l *lab) keep(ctx context.Context, n int) (state string, err error) {
	if state, ok := l.kept[n]; ok {
		return state, nil
	}
	state = l.newState()
	store := sqlite.New(state)
	defer func() { err = errors.Join(err, store.Close()) }()
	if err := store.Open(ctx); err != nil {
		return "", err
	}
	var next atomic.Int64
	var mu sync.Mutex // guards failures
	var failures []error
	var all sync.WaitGroup
	now := time.Now()
	for range 512 { // so many share a transaction
		all.Go(func() {
			for i := int(next.Add(1)) - 1; i < n; i = int(next.Add(1)) - 1 {
				if err := storeBuild(ctx, store, keptBuild(l.owner, i, now)); err != nil {
					mu.Lock()
					defer mu.Unlock()
					failures = append(failures, err)
					return
				}
			}
		})
	}
	all.Wait()
	if err := errors.Join(failures...); err != nil {
		return "", err
	}
	l.kept[n] = state
	return state, nil
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

// keptBuild is the i-th newest of the owner's builds, which began a minute
// apart: 100,000 of them are kept for less than 90 days.
func keptBuild(owner string, i int, now time.Time) jobs.Job {
	cost := 0.43
	start := now.Add(-time.Duration(i+1) * time.Minute)
	return jobs.Job{
		ID: fmt.Sprintf("build_%06d", i), Owner: owner, Kind: jobs.KindBuild, State: jobs.StateDone,
		StartedAt: start, EndedAt: start.Add(50 * time.Second),
		Build: &jobs.Build{
			Query: keptQuery(i), Started: true, FunctionID: fmt.Sprint("function-", i), FunctionName: "Top posts",
			TotalCostUSD: &cost, Steps: []string{stepName(0)}, StepCount: 1,
			Answer: strings.Repeat("I have built what you asked for. ", 10),
		},
	}
}

func keptQuery(i int) string { return fmt.Sprintf("fetch the top %d hacker news posts", i) }
