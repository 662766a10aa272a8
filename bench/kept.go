package main

import (
	"context"
	"fmt"
	"time"
)

// keptBuilds is how many builds are stored where many are.
const keptBuilds = 100_000

// pageSize is how many builds a page of list_builds has.
const pageSize = 20

func listRow(first bool) func(context.Context, *lab, contender) (row, error) {
	return func(ctx context.Context, l *lab, c contender) (row, error) {
		what := "the newest 20 of 100,000 kept builds and what all have cost, by list_builds over stdio"
		if first {
			what = "the same as a server's first call, which opens the database"
		}
		many, few, err := l.lists(ctx, c, keptBuilds, 50, first)
		if err != nil {
			return row{}, err
		}
		return ratioRow(what, times(many, few), 1.5, many.String(), "20 of 20 kept builds: "+few.String()), nil
	}
}

func startKeptRow(ctx context.Context, l *lab, c contender) (row, error) {
	many, none, err := l.withKept(ctx, keptBuilds, 0, 50, func(state string) (time.Duration, error) {
		return l.startServer(ctx, c, state)
	})
	if err != nil {
		return row{}, err
	}
	return ratioRow("from start to the answer to initialize, with 100,000 kept builds",
		times(many, none), 1.05, many.String(), "with an empty store: "+none.String()), nil
}

// lists measures list_builds over stdio, with n kept builds and with one page of
// them. Each measured list is the first call of a new server, or its second.
func (l *lab) lists(ctx context.Context, c contender, n, rounds int, first bool) (many, few sample, err error) {
	return l.withKept(ctx, n, pageSize, rounds, func(state string) (time.Duration, error) {
		return l.list(ctx, c, state, first)
	})
}

// withKept calls measure with two state directories in turns: one with n kept
// builds and one with few.
func (l *lab) withKept(ctx context.Context, n, few, rounds int, measure func(state string) (time.Duration, error)) (a, b sample, err error) {
	manyState, err := l.keep(ctx, n)
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

func (l *lab) list(ctx context.Context, c contender, state string, first bool) (time.Duration, error) {
	server, err := l.startStdio(ctx, c, state)
	if err != nil {
		return 0, err
	}
	defer server.stop()
	call := map[string]any{"name": "list_builds", "arguments": map[string]any{"limit": pageSize}}
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

// checkList returns an error unless the answer lists the newest kept builds.
func checkList(answer []byte) error {
	out, err := readOutput(answer)
	if err != nil || len(out.Builds) != pageSize {
		return fmt.Errorf("not a list of %d builds: %.300s", pageSize, answer)
	}
	for i, b := range out.Builds {
		if b.Query != keptQuery(i) {
			return fmt.Errorf("build %d of the newest is %q", i, b.Query)
		}
	}
	return nil
}

// keep returns a state directory with n kept builds, which the caller must not
// change. There is one for each n.
func (l *lab) keep(ctx context.Context, n int) (state string, err error) {
	if state, ok := l.kept[n]; ok {
		return state, nil
	}
	state = l.newState()
	if err := storeKept(ctx, state, l.owner, n); err != nil {
		return "", err
	}
	l.kept[n] = state
	return state, nil
}

func keptQuery(i int) string { return fmt.Sprintf("fetch the top %d hacker news posts", i) }
