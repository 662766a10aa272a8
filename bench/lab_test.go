package main

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/anything-mcp/anything-mcp/jobs"
	"github.com/anything-mcp/anything-mcp/notte"
)

// Each measurement, made small, gives figures for both sides.
func TestMeasurements(t *testing.T) {
	if testing.Short() {
		t.Skip("builds and runs the server")
	}
	l := newLab(t)
	l.settle = 100 * time.Millisecond
	for name, measure := range map[string]func() (ours, base sample, err error){
		"deltas buffered": func() (sample, sample, error) { return l.deltas(t.Context(), 100, 2, false) },
		"deltas flushed":  func() (sample, sample, error) { return l.deltas(t.Context(), 100, 2, true) },
		"step":            func() (sample, sample, error) { return l.steps(t.Context(), 2) },
		"start":           func() (sample, sample, error) { return l.starts(t.Context(), 2) },
		"many":            func() (sample, sample, error) { return l.many(t.Context(), 10, 5, time.Millisecond, 2) },
		"list":            func() (sample, sample, error) { return l.lists(t.Context(), 100, 2, false) },
		"first list":      func() (sample, sample, error) { return l.lists(t.Context(), 100, 2, true) },
		"start with kept": func() (sample, sample, error) { return l.startsKept(t.Context(), 100, 2) },
	} {
		ours, base, err := measure()
		if err != nil {
			t.Errorf("%s: %v", name, err)
		} else if len(ours) != 2 || len(base) != 2 || ours.median() <= 0 || base.median() <= 0 {
			t.Errorf("%s: %v, baseline %v", name, ours, base)
		}
	}
	for _, how := range []era{modern, oneSession, ownSession} {
		if bytes, err := l.quiet(t.Context(), 20, how); err != nil || bytes <= 0 {
			t.Errorf("quiet, %s: %d bytes, %v", how, bytes, err)
		}
	}
	if bytes, err := l.quietRelay(t.Context(), 20); err != nil || bytes <= 0 {
		t.Errorf("the relay: %d bytes, %v", bytes, err)
	}
	if ours, hello, err := l.sizes(); err != nil || ours <= hello || hello <= 0 {
		t.Errorf("sizes: %d and %d bytes, %v", ours, hello, err)
	}
}

func TestCheckLog(t *testing.T) {
	whole := func() []jobs.Entry {
		return []jobs.Entry{
			{Seq: 1, Event: notte.Event{Type: notte.EventToolStart, Name: "step-0"}},
			{Seq: 2, Event: notte.Event{Type: notte.EventToolStart, Name: "step-1"}},
			{Seq: 3, Event: notte.Event{Type: notte.EventDone}, Final: true},
		}
	}
	if err := checkLog(whole(), 2); err != nil {
		t.Error(err)
	}
	for name, log := range map[string][]jobs.Entry{
		"nothing":          nil,
		"a step too few":   slices.Delete(whole(), 1, 2),
		"no end":           whole()[:2],
		"steps in a mess":  {whole()[1], whole()[0], whole()[2]},
		"one step doubled": {whole()[0], whole()[0], whole()[2]},
		"more than all":    append(whole(), whole()[2]),
	} {
		if checkLog(log, 2) == nil {
			t.Errorf("%s passes for whole", name)
		}
	}
}

func TestCheckList(t *testing.T) {
	if err := checkList([]byte(`{"result":{"structuredContent":{"builds":[]}}}`)); err == nil {
		t.Error("an empty list passes for a page")
	}
}

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
}

func TestInTurns(t *testing.T) {
	var calls []string
	timing := func(name string, took time.Duration) func() (time.Duration, error) {
		return func() (time.Duration, error) {
			calls = append(calls, name)
			return took * time.Duration(len(calls)), nil
		}
	}
	a, b, err := inTurns(2, timing("ours", 1), timing("base", 10))
	if err != nil || !slices.Equal(a, sample{3, 5}) || !slices.Equal(b, sample{40, 60}) {
		t.Error(a, b, err)
	}
	if want := []string{"ours", "base", "ours", "base", "ours", "base"}; !slices.Equal(calls, want) {
		t.Error(calls)
	}
}

func TestPrintTable(t *testing.T) {
	rows := []row{{"size", "12 MB", "20 MB", "hello: 2 MB", true}, {"start", "30 ms", "10 ms", "hello: 1 ms", false}}
	for markdown, want := range map[bool]string{
		true: `| what | measured | at most | reached | baseline in the same run |
| --- | --- | --- | --- | --- |
| size | 12 MB | 20 MB | yes | hello: 2 MB |
| start | 30 ms | 10 ms | no | hello: 1 ms |
`,
		false: `what   measured  at most  reached  baseline in the same run
size   12 MB     20 MB    yes      hello: 2 MB
start  30 ms     10 ms    no       hello: 1 ms
`,
	} {
		var b strings.Builder
		if err := printTable(&b, rows, markdown); err != nil || b.String() != want {
			t.Errorf("markdown %v: %v\n%s", markdown, err, b.String())
		}
	}
}
