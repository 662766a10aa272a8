package main

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"
)

func TestSample(t *testing.T) {
	for _, test := range []struct {
		s      sample
		median time.Duration
		text   string
	}{
		{nil, 0, "nothing"},
		{sample{3e6}, 3e6, "3.00 ms (3.00 ms to 3.00 ms)"},
		{sample{30e6, 1e6, 20e6}, 20e6, "20 ms (1.00 ms to 30 ms)"},
		{sample{4e6, 1e6, 2e6, 3e6}, 2.5e6, "2.50 ms (1.00 ms to 4.00 ms)"},
	} {
		if got := test.s.median(); got != test.median {
			t.Errorf("%v: median %v", []time.Duration(test.s), got)
		}
		if got := test.s.String(); got != test.text {
			t.Errorf("%v: %s", []time.Duration(test.s), got)
		}
	}
	if got := times(sample{1, 30, 2}, sample{4, 4}); got != 0.5 {
		t.Errorf("the ratio of the medians 2 and 4 is %v", got)
	}
	if got, want := kibRange([]int64{1024, 2048, 5120}), "2.0 KiB (1.0 KiB to 5.0 KiB)"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

func TestInTurns(t *testing.T) {
	var calls []string
	timing := func(name string, took time.Duration) func() (time.Duration, error) {
		return func() (time.Duration, error) {
			calls = append(calls, name)
			return took * time.Duration(len(calls)), nil
		}
	}
	a, b, err := inTurns(2, timing("first", 1), timing("second", 10))
	if err != nil || !slices.Equal(a, sample{3, 5}) || !slices.Equal(b, sample{40, 60}) {
		t.Error(a, b, err)
	}
	if want := []string{"first", "second", "first", "second", "first", "second"}; !slices.Equal(calls, want) {
		t.Error(calls)
	}
	broken := errors.New("broken")
	fails := func() (time.Duration, error) { return 0, broken }
	if a, b, err := inTurns(2, timing("first", 1), fails); a != nil || b != nil || !errors.Is(err, broken) {
		t.Errorf("a failure of the second gives %v, %v and %v", a, b, err)
	}
}

func TestPrintTable(t *testing.T) {
	rows := []row{
		{what: "size", measured: "12 MB", bound: "20 MB", reached: true, baseline: "hello: 2 MB"},
		{what: "start", measured: "30 ms", bound: "10 ms", baseline: "hello: 1 ms"},
		{what: "– Go SDK", measured: "5 ms", baseline: "hello: 1 ms"},
	}
	for markdown, want := range map[bool]string{
		true: `| what | measured | at most | reached | baseline in the same run |
| --- | --- | --- | --- | --- |
| size | 12 MB | 20 MB | yes | hello: 2 MB |
| start | 30 ms | 10 ms | no | hello: 1 ms |
| – Go SDK | 5 ms |  |  | hello: 1 ms |
`,
		false: `what      measured  at most  reached  baseline in the same run
size      12 MB     20 MB    yes      hello: 2 MB
start     30 ms     10 ms    no       hello: 1 ms
– Go SDK  5 ms                        hello: 1 ms
`,
	} {
		var b strings.Builder
		if err := printTable(&b, rows, markdown); err != nil || b.String() != want {
			t.Errorf("markdown %v: %v\n%s", markdown, err, b.String())
		}
	}
}

// A peer has a row without a bound. One that cannot be built or measured has the
// reason in its row, and the other rows are printed all the same.
func TestPeerRows(t *testing.T) {
	measure := func(_ context.Context, _ *lab, c contender) (row, error) {
		if c.name == "broken" {
			return row{}, errors.New("it speaks no MCP\nat all")
		}
		return row{what: "speed", measured: c.name, bound: "1 ms", reached: true, baseline: "b"}, nil
	}
	peers := []contender{{name: "works"}, {name: "broken"}, {name: "missing", err: errors.New("no node")}}
	l := &lab{programs: &programs{}}
	got, err := measurement{"speed", measure, true}.rows(t.Context(), l, peers)
	want := []row{
		{what: "speed", measured: "anything-mcp", bound: "1 ms", reached: true, baseline: "b"},
		{what: "– works", measured: "works", reached: true, baseline: "b"},
		{what: "– broken", measured: "not measured: it speaks no MCP"},
		{what: "– missing", measured: "not measured: no node"},
	}
	if err != nil || !slices.Equal(got, want) {
		t.Errorf("%v\ngot  %+v\nwant %+v", err, got, want)
	}
	if got, err := (measurement{"speed", measure, false}).rows(t.Context(), l, peers); err != nil || len(got) != 1 {
		t.Errorf("a measurement without peers gives %+v, %v", got, err)
	}
}

func TestPeerArgs(t *testing.T) {
	args := peerArgs("server.js")
	for range 2 { // the first call must not change what the second returns
		if got := args("", "state"); !slices.Equal(got, []string{"server.js"}) {
			t.Errorf("over stdio: %q", got)
		}
		if got := args("host:1", "state"); !slices.Equal(got, []string{"server.js", "host:1"}) {
			t.Errorf("over HTTP: %q", got)
		}
	}
}
