package main

import (
	"context"
	"errors"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/anything-mcp/anything-mcp/notte/sandbox"
)

// manyGap is the time between two steps of a build. Those of real builds are
// farther apart, so that a hundred times as many make as much work.
const manyGap = 30 * time.Millisecond

func manyRow(ctx context.Context, l *lab, c contender) (row, error) {
	disk, memory, err := l.many(ctx, c, 200, 50, manyGap, 7)
	if err != nil {
		return row{}, err
	}
	return ratioRow("200 builds of 1.5 s and 50 steps at once, on disk, each found there whole after a SIGKILL",
		times(disk, memory), 1.3, disk.String(), "the same with the store in memory: "+memory.String()), nil
}

// many measures n concurrent builds with steps that are gap apart: from the
// first call's line on the server's stdin to the last answer's line on its
// stdout, with the jobs on disk and in memory. Each server is then killed. The
// store on disk must have all builds, whole.
func (l *lab) many(ctx context.Context, c contender, n, steps int, gap time.Duration, rounds int) (disk, memory sample, err error) {
	l.upstream.Script("many", sandbox.Func(func(st *sandbox.Stream) error {
		if err := writeSteps(st, steps, gap, func() {}); err != nil {
			return err
		}
		return st.Event(done())
	}))
	defer l.upstream.Script("many")
	return inTurns(rounds,
		func() (time.Duration, error) {
			state := l.newState()
			took, err := l.buildMany(ctx, c, state, n)
			if err != nil {
				return 0, err
			}
			return took, checkStored(ctx, state, l.owner, n, steps)
		},
		func() (time.Duration, error) { return l.buildMany(ctx, c, inMemory, n) })
}

// buildMany times n concurrent builds in a new server, and kills it.
func (l *lab) buildMany(ctx context.Context, c contender, state string, n int) (time.Duration, error) {
	server, err := l.startStdio(ctx, c, state)
	if err != nil {
		return 0, err
	}
	defer kill(server.cmd)
	start := time.Now()
	answers, err := server.callAll(n)
	took := time.Since(start)
	for _, answer := range answers {
		err = errors.Join(err, checkDone(answer, benchFunction))
	}
	return took, err
}

// callAll sends n calls without waiting for answers, and returns the answers.
func (s *stdioServer) callAll(n int) (answers [][]byte, err error) {
	var sending errgroup.Group
	sending.Go(func() error {
		for i := range n {
			if err := s.send("tools/call", buildCall("many", i+1)); err != nil {
				return err
			}
		}
		return nil
	})
	for len(answers) < n && err == nil {
		var answer []byte
		if answer, err = s.answer("tools/call", nil); err == nil {
			answers = append(answers, answer)
		}
	}
	if err != nil {
		kill(s.cmd) // the sender may be blocked by a server that does not read
	}
	return answers, errors.Join(err, sending.Wait())
}
