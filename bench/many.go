package main

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/anything-mcp/anything-mcp/jobs"
	"github.com/anything-mcp/anything-mcp/jobs/sqlite"
	"github.com/anything-mcp/anything-mcp/notte"
	"github.com/anything-mcp/anything-mcp/notte/sandbox"
)

// manyGap makes 50 steps last a second and a half. Those of a real build last
// minutes, so that many more builds make as much work.
const manyGap = 30 * time.Millisecond

// many measures n builds at once, each with so many steps, gap apart: from the
// first call's line on the server's stdin to the last answer's on its stdout,
// with the jobs on disk and in memory. The server with the jobs on disk is
// killed at once, and each build must be there, whole.
func (l *lab) many(ctx context.Context, n, steps int, gap time.Duration, rounds int) (disk, memory sample, err error) {
	l.upstream.Script("many", sandbox.Func(func(st *sandbox.Stream) error {
		for i := range steps {
			if err := wait(st.Context(), gap); err != nil {
				return err
			}
			if err := st.Event(map[string]string{"type": "tool_start", "name": stepName(i)}); err != nil {
				return err
			}
		}
		return st.Event(done())
	}))
	defer l.upstream.Script("many")
	return inTurns(rounds,
		func() (time.Duration, error) {
			state := l.newState()
			took, err := l.buildMany(ctx, state, n)
			if err != nil {
				return 0, err
			}
			return took, l.checkStored(ctx, state, n, steps)
		},
		func() (time.Duration, error) { return l.buildMany(ctx, inMemory, n) })
}

func stepName(i int) string { return fmt.Sprint("step-", i) }

// buildMany times n builds at once in a server of their own, and kills it.
func (l *lab) buildMany(ctx context.Context, state string, n int) (time.Duration, error) {
	server, err := l.startStdio(ctx, state)
	if err != nil {
		return 0, err
	}
	defer server.kill()
	if err := server.initialize(); err != nil {
		return 0, err
	}
	start := time.Now()
	answers, err := server.callAll(n)
	took := time.Since(start)
	for _, answer := range answers {
		err = errors.Join(err, checkDone(answer))
	}
	return took, err
}

// callAll calls for n builds at once and reads their answers.
func (s *stdioServer) callAll(n int) (answers [][]byte, err error) {
	var sending sync.WaitGroup
	var unsent error
	sending.Go(func() {
		for i := range n {
			if unsent = s.send("tools/call", buildCall("many", i+1)); unsent != nil {
				return
			}
		}
	})
	for len(answers) < n && err == nil {
		var answer []byte
		if answer, err = s.answer("tools/call", nil); err == nil {
			answers = append(answers, answer)
		}
	}
	if err != nil {
		s.kill() // whoever sends may wait for a server that does not read
	}
	sending.Wait()
	return answers, errors.Join(err, unsent)
}

// checkStored reads a store that nobody else has open. It reports what it lacks
// of n builds that are done, each with the entries of so many steps and its end.
func (l *lab) checkStored(ctx context.Context, state string, n, steps int) (err error) {
	store := sqlite.New(state)
	defer func() { err = errors.Join(err, store.Close()) }()
	list, err := store.List(ctx, jobs.Query{Owner: l.owner, Kind: jobs.KindBuild, Limit: n + 1})
	if err != nil {
		return err
	}
	if len(list) != n {
		return fmt.Errorf("of %d builds %d are stored", n, len(list))
	}
	for _, job := range list {
		if job.State != jobs.StateDone || job.Build.StepCount != steps || job.Build.FunctionID == "" {
			return fmt.Errorf("a build that ended well is stored as %s, with %d of %d steps", job.State, job.Build.StepCount, steps)
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

// checkLog reports a log that is not so many steps in their order and an end.
func checkLog(log []jobs.Entry, steps int) error {
	if len(log) != steps+1 {
		return fmt.Errorf("%d entries of %d", len(log), steps+1)
	}
	for i, e := range log {
		want := jobs.Entry{Seq: int64(i + 1), At: e.At, Event: notte.Event{Type: notte.EventToolStart, Name: stepName(i)}}
		if i == steps {
			want.Event, want.Final = e.Event, true
		}
		if e != want {
			return fmt.Errorf("entry %d is %+v, and should be %+v", i+1, e, want)
		}
	}
	return nil
}
