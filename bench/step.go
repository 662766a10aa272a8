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

// stepGap lies between two steps. Updates that come closer than a quarter of a
// second are held back on purpose, which is not what is measured.
const stepGap = 300 * time.Millisecond

// steps measures n times how long it is from the upstream's write of a step to
// its progress line on the server's stdout, and to the same step's line in a
// bare HTTP client.
func (l *lab) steps(ctx context.Context, n int) (ours, raw sample, err error) {
	written := make(chan time.Time, n)
	l.upstream.Script("steps", sandbox.Func(func(st *sandbox.Stream) error {
		for i := range n {
			if err := wait(st.Context(), stepGap); err != nil {
				return err
			}
			written <- time.Now()
			if err := st.Event(map[string]string{"type": "tool_start", "name": fmt.Sprintf("step-%d", i)}); err != nil {
				return err
			}
		}
		if err := wait(st.Context(), stepGap); err != nil {
			return err
		}
		return st.Event(done())
	}))
	defer l.upstream.Script("steps")
	if ours, err = l.stepsToProgress(ctx, written); err != nil {
		return nil, nil, err
	}
	if raw, err = l.stepsRaw(ctx, written); err != nil {
		return nil, nil, err
	}
	if len(ours) != n || len(raw) != n {
		return nil, nil, fmt.Errorf("of %d steps %d came as progress and %d raw", n, len(ours), len(raw))
	}
	return ours, raw, nil
}

func (l *lab) stepsToProgress(ctx context.Context, written <-chan time.Time) (took sample, err error) {
	server, err := l.startStdio(ctx, l.newState())
	if err != nil {
		return nil, err
	}
	defer server.stop()
	if err := server.initialize(); err != nil {
		return nil, err
	}
	answer, err := server.request("tools/call", buildCall("steps", 1), func(line []byte) {
		if bytes.Contains(line, []byte("step-")) {
			took = append(took, time.Since(<-written))
		}
	})
	if err != nil {
		return nil, err
	}
	return took, checkDone(answer)
}

func (l *lab) stepsRaw(ctx context.Context, written <-chan time.Time) (took sample, err error) {
	resp, err := l.upstream.build(ctx, http.DefaultClient, l.upstream.url, "steps")
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

// wait returns after d, or with an error when ctx ends first.
func wait(ctx context.Context, d time.Duration) error {
	select {
	case <-time.After(d):
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
