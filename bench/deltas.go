package main

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"time"

	"github.com/anything-mcp/anything-mcp/notte/sandbox"
)

// deltaStory is how the deltas of a build come.
type deltaStory struct {
	what    string
	rounds  int
	bound   float64 // times the raw read
	flushed bool    // each delta by itself, as an agent's do; otherwise in a burst
	v2      bool    // as chunks of the AI SDK
}

// The stories have 500,000 deltas: a server's fixed cost of about 27 ms a build is
// then a small part of the time. v2 may take a fifth longer than v1.
var (
	burstStory   = deltaStory{what: "a build of 500,000 deltas (25 MB), written in a burst, whole, over stdio", rounds: 15, bound: 1.5}
	flushedStory = deltaStory{what: "the same, each delta flushed by itself", rounds: 5, bound: 1.5, flushed: true}
	v2Story      = deltaStory{what: "the same in the second contract (31 MB), written in a burst", rounds: 15, bound: 1.8, v2: true}
)

// deltasRow measures builds of a story.
func deltasRow(story deltaStory) func(context.Context, *lab, contender) (row, error) {
	return func(ctx context.Context, l *lab, c contender) (row, error) {
		took, raw, err := l.deltas(ctx, c, 500_000, story)
		if err != nil {
			return row{}, err
		}
		return ratioRow(story.what, times(took, raw), story.bound, took.String(), "the same stream read raw by net/http: "+raw.String()), nil
	}
}

// deltas measures a build of n deltas, from the call's line on the server's
// stdin to the answer's line on its stdout, and a client that reads the same
// stream with net/http and drops it, in turns. The upstream writes the events
// one by one.
func (l *lab) deltas(ctx context.Context, c contender, n int, story deltaStory) (took, raw sample, err error) {
	events := deltaEvents(n, story.v2)
	defer l.upstream.Script("deltas")
	server, err := l.startStdio(ctx, c, l.newState())
	if err != nil {
		return nil, nil, err
	}
	defer server.stop()
	token := 0
	return inTurns(story.rounds,
		func() (time.Duration, error) {
			token++
			function := l.scriptDeltas(events, story, token)
			start := time.Now()
			answer, err := server.request("tools/call", buildCall("deltas", token), nil)
			took := time.Since(start)
			if err != nil {
				return 0, err
			}
			return took, checkDone(answer, function)
		},
		func() (time.Duration, error) { return l.readRaw(ctx, n) })
}

// deltaBytes is the length of a delta's event on the wire, at least.
const deltaBytes = 50

// deltaEvents returns n text deltas.
func deltaEvents(n int, v2 bool) []sandbox.Step {
	format := "data: {\"type\":\"text_delta\",\"delta\":\"%06d wor\"}\n\n"
	if v2 {
		format = "data: {\"type\":\"text-delta\",\"id\":\"t1\",\"delta\":\"%06d wor\"}\n\n"
	}
	events := make([]sandbox.Step, n)
	for i := range n {
		events[i] = sandbox.Raw(fmt.Sprintf(format, i))
	}
	return events
}

// scriptDeltas makes the next build one of deltas, and returns the function that it
// makes. A build of v2 makes one of its own, because the server confirms it.
func (l *lab) scriptDeltas(events []sandbox.Step, story deltaStory, round int) (function string) {
	steps := append(events[:len(events):len(events)], sandbox.Event(done()))
	function = benchFunction
	if story.v2 {
		function = fmt.Sprint(benchFunction, "-", round)
		l.upstream.AddFunction(sandbox.Function{ID: function, Name: "bench", Source: "anything"})
		steps = append([]sandbox.Step{
			sandbox.Thread(fmt.Sprintf("11111111-2222-4333-8444-%012d", round)),
			sandbox.Chunk("start"), sandbox.Chunk("text-start", "id", "t1"),
		}, events...)
		steps = append(steps, sandbox.Chunk("text-end", "id", "t1"),
			sandbox.Chunk("data-function", "data", map[string]string{"function_id": function}),
			sandbox.Chunk("finish", "finishReason", "stop"), sandbox.Done())
	}
	script := sandbox.Repeat(1, steps...)
	if !story.flushed {
		script = sandbox.Batch(script)
	}
	l.upstream.Script("deltas", script)
	return function
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
