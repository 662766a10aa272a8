package main

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"time"

	"github.com/anything-mcp/anything-mcp/notte/sandbox"
)

// deltas measures a build of n deltas, whole, from the call's line on the
// server's stdin to the answer's on its stdout, against reading the same stream
// with net/http and dropping its bytes, in turns. The upstream writes event by
// event; flushed, it sends each on by itself, as an agent does.
func (l *lab) deltas(ctx context.Context, n, rounds int, flushed bool) (ours, raw sample, err error) {
	script := sandbox.Repeat(1, deltaEvents(n)...)
	if !flushed {
		script = sandbox.Batch(script)
	}
	l.upstream.Script("deltas", script)
	defer l.upstream.Script("deltas")
	server, err := l.startStdio(ctx, l.newState())
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

// deltaEvents are n text deltas and the end of their build.
func deltaEvents(n int) []sandbox.Step {
	events := make([]sandbox.Step, 0, n+1)
	for i := range n {
		events = append(events, sandbox.Raw(fmt.Sprintf("data: {\"type\":\"text_delta\",\"delta\":\"%06d wor\"}\n\n", i)))
	}
	return append(events, sandbox.Event(done()))
}

// readRaw reads the stream of n deltas as bytes.
func (l *lab) readRaw(ctx context.Context, n int) (time.Duration, error) {
	start := time.Now()
	resp, err := l.upstream.build(ctx, http.DefaultClient, l.upstream.url, "deltas")
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
