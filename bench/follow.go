package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/anything-mcp/anything-mcp/notte/sandbox"
)

// followBound is 2 % of one processor.
const followBound = 60 * time.Millisecond

func followRow(ctx context.Context, l *lab, c contender) (row, error) {
	large, err := l.follow(ctx, c, 250)
	if err != nil {
		return row{}, err
	}
	small, err := l.follow(ctx, c, 1)
	if err != nil {
		return row{}, err
	}
	return row{
		what:     "processor time of 20 calls that follow another process's quiet build of 250 KiB for 3 s",
		measured: ms(large),
		ratio:    float64(large) / float64(small),
		bound:    ms(followBound),
		reached:  large <= followBound,
		baseline: "a build of 1 KiB: " + ms(small),
	}, nil
}

// follow returns the processor time that 20 calls take which wait for 3 seconds
// for a quiet build of another process, whose log has so many KiB. It compares
// servers that are killed after the wait with servers that are killed before it,
// so that starting and reading the log do not count.
func (l *lab) follow(ctx context.Context, c contender, kib int) (time.Duration, error) {
	events := make([]sandbox.Step, 0, kib+1)
	for range kib {
		delta := strings.Repeat("sixteen letters ", 1024/16)
		events = append(events, sandbox.Event(map[string]string{"type": "text_delta", "delta": delta}))
	}
	// The function makes the server store the job's state, its text included.
	events = append(events, sandbox.Event(map[string]string{
		"type": "function_uploaded", "function_id": benchFunction, "function_name": quietSign,
	}))
	l.upstream.Script("follow", sandbox.Batch(events...), sandbox.Stall())
	defer l.upstream.Script("follow")

	ctx, cancel := context.WithTimeout(ctx, openTimeout) // its end kills a server that hangs
	defer cancel()
	state := l.newState()
	builder, err := l.startStdio(ctx, c, state)
	if err != nil {
		return 0, err
	}
	defer kill(builder.cmd)
	id, err := builder.startQuiet()
	if err != nil {
		return 0, err
	}
	waited, begun, err := inTurns(5,
		func() (time.Duration, error) { return l.followFor(ctx, c, state, id, 3*time.Second) },
		func() (time.Duration, error) { return l.followFor(ctx, c, state, id, 0) })
	return waited.median() - begun.median(), err
}

// quietSign is the name of the function after which a build reports nothing more.
const quietSign = "quiet-now"

// startQuiet starts the build and returns its ID when its log is stored.
func (s *stdioServer) startQuiet() (id string, err error) {
	call := toolCall("build_automation", map[string]any{"query": "follow", "wait_seconds": 0}, 1)
	answer, err := s.request("tools/call", call, nil)
	if err != nil {
		return "", err
	}
	out, err := readOutput(answer)
	if err != nil || out.BuildID == "" || out.Status != "running" {
		return "", fmt.Errorf("a call that does not wait was not answered with a running build: %.300s", answer)
	}
	return out.BuildID, s.followQuiet(out.BuildID, 1)
}

// followFor starts a server with 20 calls that follow the build, kills it after
// d, and returns the processor time that it has used.
func (l *lab) followFor(ctx context.Context, c contender, state, id string, d time.Duration) (time.Duration, error) {
	server, err := l.startStdio(ctx, c, state)
	if err != nil {
		return 0, err
	}
	err = server.followQuiet(id, 20)
	if err == nil {
		err = wait(ctx, d)
	}
	kill(server.cmd)
	used := server.cmd.ProcessState
	return used.UserTime() + used.SystemTime(), err
}

// followQuiet starts n calls that follow the build. It returns when each has
// shown the build's function, and leaves them waiting.
func (s *stdioServer) followQuiet(id string, n int) error {
	for i := range n {
		call := toolCall("get_build", map[string]any{"build_id": id, "wait_seconds": 3600}, i+2)
		if err := s.send("tools/call", call); err != nil {
			return err
		}
	}
	for n > 0 {
		line, notification, err := s.next()
		if err != nil {
			return err
		}
		if !notification {
			return errors.New("a call that follows a quiet build was answered: " + string(line[:min(len(line), 300)]))
		}
		if bytes.Contains(line, []byte(quietSign)) {
			n--
		}
	}
	return nil
}
