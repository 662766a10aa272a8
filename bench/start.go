package main

import (
	"bufio"
	"context"
	"os"
	"time"
)

// starts measures how long it is from starting the server to its answer to
// initialize, and from starting a Go program to the one line it prints, in
// turns.
func (l *lab) starts(ctx context.Context, rounds int) (ours, hello sample, err error) {
	for round := range rounds + 1 { // the first brings the files into memory
		took, err := l.startServer(ctx)
		if err != nil {
			return nil, nil, err
		}
		helloTook, err := l.startHello(ctx)
		if err != nil {
			return nil, nil, err
		}
		if round > 0 {
			ours, hello = append(ours, took), append(hello, helloTook)
		}
	}
	return ours, hello, nil
}

func (l *lab) startServer(ctx context.Context) (time.Duration, error) {
	start := time.Now()
	server, err := l.startStdio(ctx)
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
