package main

import (
	"context"
	"fmt"
	"os"
	"time"
)

func startRow(ctx context.Context, l *lab, c contender) (row, error) {
	took, hello, err := inTurns(30,
		func() (time.Duration, error) { return l.startServer(ctx, c, l.newState()) },
		func() (time.Duration, error) { return l.startHello(ctx) })
	if err != nil {
		return row{}, err
	}
	more := took.median() - hello.median()
	return row{
		what:     "from start to the answer to initialize",
		measured: fmt.Sprintf("%s more: %s", ms(more), took),
		ratio:    times(took, hello),
		bound:    "8 ms more",
		reached:  more <= 8*time.Millisecond,
		baseline: fmt.Sprintf("a Go program that prints one line: %s", hello),
	}, nil
}

func sizeRow(_ context.Context, l *lab, c contender) (row, error) {
	ours, err := os.Stat(c.program)
	if err != nil {
		return row{}, err
	}
	hello, err := os.Stat(l.programs.hello)
	if err != nil {
		return row{}, err
	}
	size := ours.Size()
	ratio := float64(size) / float64(hello.Size())
	return row{
		what:     "the binary, stripped",
		measured: fmt.Sprintf("%s: %.1f times", mb(size), ratio),
		ratio:    ratio,
		bound:    "19 MB",
		reached:  size <= 19e6,
		baseline: "a Go program that prints one line: " + mb(hello.Size()),
	}, nil
}

// startServer measures the time from starting a server to its answer to initialize.
func (l *lab) startServer(ctx context.Context, c contender, state string) (time.Duration, error) {
	start := time.Now()
	server, err := l.startStdio(ctx, c, state)
	if err != nil {
		return 0, err
	}
	defer server.stop()
	return time.Since(start), nil
}

// startHello measures the time from starting a Go program to the one line that it
// prints.
func (l *lab) startHello(ctx context.Context) (time.Duration, error) {
	start := time.Now()
	cmd := l.programs.command(ctx, l.programs.hello, nil)
	_, err := startAndRead(cmd)
	took := time.Since(start)
	if err != nil {
		return 0, err
	}
	return took, cmd.Wait()
}
