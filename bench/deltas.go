package main

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"time"

	"github.com/anything-mcp/anything-mcp/notte/sandbox"
)

// deltasRow measures builds of 500,000 deltas: a server's fixed cost of about
// 27 ms a build is then a small part of the time.
func deltasRow(flushed bool) func(context.Context, *lab, contender) (row, error) {
	return func(ctx context.Context, l *lab, c contender) (row, error) {
		what, rounds := "a build of 500,000 deltas (25 MB), written in a burst, whole, over stdio", 15
		if flushed {
			what, rounds = "the same, each delta flushed by itself", 5
		}
		took, raw, err := l.deltas(ctx, c, 500_000, rounds, flushed)
		if err != nil {
			return row{}, err
		}
		ratio := times(took, raw)
		return row{
			what:     what,
			measured: fmt.Sprintf("%.1f times: %s", ratio, took),
			ratio:    ratio,
			bound:    "1.5 times",
			reached:  ratio <= 1.5,
			baseline: fmt.Sprintf("the same stream read raw by net/http: %s", raw),
		}, nil
	}
}

// deltas measures a build of n deltas, from the call's line on the server's
// stdin to the answer's line on its stdout, and a client that reads the same
// stream with net/http and drops it, in turns. The upstream writes the events
// one by one; if flushed, it also flushes each, as an agent does.
func (l *lab) deltas(ctx context.Context, c contender, n, rounds int, flushed bool) (took, raw sample, err error) {
	script := sandbox.Repeat(1, deltaEvents(n)...)
	if !flushed {
		script = sandbox.Batch(script)
	}
	l.upstream.Script("deltas", script)
	defer l.upstream.Script("deltas")
	server, err := l.startStdio(ctx, c, l.newState())
	if err != nil {
		return nil, nil, err
	}
	defer server.stop()
	if err := server.initialize(); err != nil {
		return nil, nil, err
	}
	token := 0
	return inTurns(rounds,
		func() (time.Duration, error) {
			token++
			start := time.Now()
			answer, err := server.request("tools/call", buildCall("deltas", token), nil)
			took := time.Since(start)
			if err != nil {
				return 0, err
			}
			return took, checkDone(answer)
		},
		func() (time.Duration, error) { return l.readRaw(ctx, n) })
}

// deltaBytes is the length of a delta's event on the wire.
const deltaBytes = 50

// deltaEvents returns n text deltas and the end of their build.
func deltaEvents(n int) []sandbox.Step {
	events := make([]sandbox.Step, 0, n+1)
	for i := range n {
		events = append(events, sandbox.Raw(fmt.Sprintf("data: {\"type\":\"text_delta\",\"delta\":\"%06d wor\"}\n\n", i)))
	}
	return append(events, sandbox.Event(done()))
}

// readRaw times reading the stream of n deltas as bytes.
func (l *lab) readRaw(ctx context.Context, n int) (time.Duration, error) {
	start := time.Now()
	resp, err := startBuild(ctx, http.DefaultClient, l.upstream.URL, "deltas")
	if err != nil {
		return 0, err
	}
	defer resp.Body.Close()
	got, err := io.Copy(io.Discard, resp.Body)
	took := time.Since(start)
	if err == nil && got < int64(n)*deltaBytes {
		err = fmt.Errorf("read %d bytes of %d deltas", got, n)
	}
	return took, err
}
