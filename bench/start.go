package main

import (
	"bufio"
	"context"
	"os"
	"time"
)

// starts measures how long it is from starting the server to its answer to
// initialize, and from starting a Go program to the one line it prints.
func (l *lab) starts(ctx context.Context, rounds int) (ours, hello sample, err error) {
	return inTurns(rounds,
		func() (time.Duration, error) { return l.startServer(ctx, l.newState()) },
		func() (time.Duration, error) { return l.startHello(ctx) })
}

func (l *lab) startServer(ctx context.Context, state string) (time.Duration, error) {
	start := time.Now()
	server, err := l.startStdio(ctx, state)
	if err != nil {
		return 0, err
	}
	defer server.stop()
	err = server.initialize()
	return time.Since(start), err
}

func (l *lab) startHello(ctx context.Context) (time.Duration, error) {
	start := time.Now()
	cmd := l.programs.command(ctx, l.programs.hello, nil)
	out, err := cmd.StdoutPipe()
	if err != nil {
		return 0, err
	}
	if err := cmd.Start(); err != nil {
		return 0, err
	}
	_, err = bufio.NewReader(out).ReadString('\n')
	took := time.Since(start)
	if err != nil {
		return 0, err
	}
	return took, cmd.Wait()
}

// sizes are those of the server's binary and of that of the program that prints
// one line, in bytes.
func (l *lab) sizes() (server, hello int64, err error) {
	s, err := os.Stat(l.programs.server)
	if err != nil {
		return 0, 0, err
	}
	h, err := os.Stat(l.programs.hello)
	if err != nil {
		return 0, 0, err
	}
	return s.Size(), h.Size(), nil
}
