package main

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"net/http"
	"time"

	"github.com/anything-mcp/anything-mcp/notte/sandbox"
)

// stepGap is the time between two steps. It is longer than 250 ms, because the
// server sends at most 4 updates a second on purpose.
const stepGap = 300 * time.Millisecond

func stepRow(ctx context.Context, l *lab, c contender) (row, error) {
	took, raw, err := l.steps(ctx, c, 30)
	if err != nil {
		return row{}, err
	}
	return row{
		what:     "from the upstream's write of a step to its progress line on stdout",
		measured: fmt.Sprintf("%s: %.1f times", took, times(took, raw)),
		ratio:    times(took, raw),
		bound:    "1 ms",
		reached:  took.median() <= time.Millisecond,
		baseline: fmt.Sprintf("the same step read raw by net/http: %s", raw),
	}, nil
}

// steps measures n times how long it takes from the upstream's write of a step
// until its progress line is read from the server's stdout, and until the same
// step is read by a bare HTTP client.
func (l *lab) steps(ctx context.Context, c contender, n int) (took, raw sample, err error) {
	written := make(chan time.Time, n)
	l.upstream.Script("steps", sandbox.Func(func(st *sandbox.Stream) error {
		if err := writeSteps(st, n, stepGap, func() { written <- time.Now() }); err != nil {
			return err
		}
		if err := wait(st.Context(), stepGap); err != nil {
			return err
		}
		return st.Event(done())
	}))
	defer l.upstream.Script("steps")
	if took, err = l.stepsToProgress(ctx, c, written); err != nil {
		return nil, nil, err
	}
	if len(took) != n {
		return nil, nil, fmt.Errorf("of %d steps %d came as progress", n, len(took))
	}
	if raw, err = l.stepsRaw(ctx, written); err != nil {
		return nil, nil, err
	}
	if len(raw) != n {
		return nil, nil, fmt.Errorf("of %d steps %d came raw", n, len(raw))
	}
	return took, raw, nil
}

func (l *lab) stepsToProgress(ctx context.Context, c contender, written <-chan time.Time) (took sample, err error) {
	server, err := l.startStdio(ctx, c, l.newState())
	if err != nil {
		return nil, err
	}
	defer server.stop()
	answer, err := server.request("tools/call", buildCall("steps", 1), func(line []byte) {
		if bytes.Contains(line, []byte("step-")) {
			took = append(took, time.Since(<-written))
		}
	})
	if err != nil {
		return nil, err
	}
	return took, checkDone(answer, benchFunction)
}

func (l *lab) stepsRaw(ctx context.Context, written <-chan time.Time) (took sample, err error) {
	resp, err := startBuild(ctx, http.DefaultClient, l.upstream.URL, "steps")
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	lines := bufio.NewScanner(resp.Body)
	for lines.Scan() {
		if bytes.Contains(lines.Bytes(), []byte("step-")) {
			took = append(took, time.Since(<-written))
		}
	}
	return took, lines.Err()
}

// writeSteps writes n steps, with a gap before each. It calls before just before each
// write.
func writeSteps(st *sandbox.Stream, n int, gap time.Duration, before func()) error {
	for i := range n {
		if err := wait(st.Context(), gap); err != nil {
			return err
		}
		before()
		if err := st.Event(map[string]string{"type": "tool_start", "name": stepName(i)}); err != nil {
			return err
		}
	}
	return nil
}

func stepName(i int) string { return fmt.Sprint("step-", i) }

// wait returns after d, or with an error if ctx ends first.
func wait(ctx context.Context, d time.Duration) error {
	select {
	case <-time.After(d):
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
