package main

import (
	"bytes"
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/anything-mcp/anything-mcp/functions"
	"github.com/anything-mcp/anything-mcp/jobs/sqlite"
)

// pinsRow measures the first list of tools of a server, with as many pinned functions as
// an account may have.
func pinsRow(ctx context.Context, l *lab, c contender) (row, error) {
	pinned := l.newState()
	if err := l.pin(ctx, pinned, functions.DefaultMaxPins); err != nil {
		return row{}, err
	}
	took, none, err := inTurns(30,
		func() (time.Duration, error) { return l.listTools(ctx, c, pinned, functions.DefaultMaxPins) },
		func() (time.Duration, error) { return l.listTools(ctx, c, l.newState(), 0) })
	if err != nil {
		return row{}, err
	}
	return row{
		what:     "the first list of a server's tools, with 20 pinned functions",
		measured: took.String(),
		ratio:    times(took, none),
		bound:    "15 ms",
		reached:  took.median() <= 15*time.Millisecond,
		baseline: "without a database: " + none.String(),
	}, nil
}

// pin stores n pinned functions with eight variables each in a new state directory.
func (l *lab) pin(ctx context.Context, state string, n int) error {
	store := sqlite.New(state)
	a := functions.Account{Owner: l.owner, APIURL: l.upstream.URL}
	for i := range n {
		p := functions.Pin{
			Name: fmt.Sprint("pin_", i), FunctionID: fmt.Sprint("function-", i), Title: "Top posts",
			Text: strings.Repeat("word ", 50), TextFrom: functions.FromCaller, State: functions.PinOK,
		}
		for v := range 8 {
			p.Variables = append(p.Variables, functions.Variable{Name: fmt.Sprint("variable_", v), Type: functions.String, Default: []byte(`"a default"`)})
		}
		if err := store.PutPin(ctx, a, p, n); err != nil {
			_ = store.Close()
			return err
		}
	}
	return store.Close()
}

// listTools measures the first list of tools of a new server, which must have this many
// pinned functions.
func (l *lab) listTools(ctx context.Context, c contender, state string, pins int) (time.Duration, error) {
	server, err := l.startStdio(ctx, c, state)
	if err != nil {
		return 0, err
	}
	defer server.stop()
	start := time.Now()
	answer, err := server.request("tools/list", map[string]any{}, nil)
	took := time.Since(start)
	if n := bytes.Count(answer, []byte(`"name":"pin_`)) - bytes.Count(answer, []byte(`"name":"pin_function"`)); err == nil && n != pins {
		err = fmt.Errorf("%d pinned functions are listed, want %d: %.300s", n, pins, answer)
	}
	return took, err
}
