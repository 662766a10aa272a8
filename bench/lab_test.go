package main

import (
	"context"
	"io"
	"net/http"
	"os"
	"os/exec"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/anything-mcp/anything-mcp/jobs"
	"github.com/anything-mcp/anything-mcp/notte"
)

// fakeLab returns a lab and a contender, which is this test binary as a server
// that behaves so: see serveFake. Nothing has to be built.
func fakeLab(t *testing.T, behavior string) (*lab, contender) {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	l, err := newLab(&programs{dir: t.TempDir(), server: self, hello: self})
	if err != nil {
		t.Fatal(err)
	}
	l.settle = 0
	t.Cleanup(l.close)
	return l, contender{program: self, args: func(string, string) []string { return []string{fakeArg, behavior} }}
}

// A measurement gives as many figures as it has rounds if the server did all the
// work, and an error if it did not.
func TestMeasurements(t *testing.T) {
	deltas := func(story deltaStory) func(context.Context, *lab, contender) (a, b sample, err error) {
		return func(ctx context.Context, l *lab, c contender) (a, b sample, err error) {
			return l.deltas(ctx, c, 100, story)
		}
	}
	steps := func(ctx context.Context, l *lab, c contender) (a, b sample, err error) { return l.steps(ctx, c, 2) }
	many := func(ctx context.Context, l *lab, c contender) (a, b sample, err error) {
		return l.many(ctx, c, 3, 2, time.Millisecond, 2)
	}
	lists := func(ctx context.Context, l *lab, c contender) (a, b sample, err error) {
		return l.lists(ctx, c, 30, 2, false)
	}
	follow := func(ctx context.Context, l *lab, c contender) (a, b sample, err error) {
		_, err = l.follow(ctx, c, 1)
		return nil, nil, err
	}
	for _, test := range []struct {
		name     string
		measure  func(context.Context, *lab, contender) (a, b sample, err error)
		behavior string
		want     string // in the error; empty: no error
	}{
		{"deltas in a burst", deltas(deltaStory{rounds: 2}), honest, ""},
		{"deltas, each flushed", deltas(deltaStory{rounds: 2, flushed: true}), honest, ""},
		{"deltas that are not read", deltas(deltaStory{rounds: 2}), hasty, "did not end as scripted"},
		{"a server that exits", deltas(deltaStory{rounds: 2}), absent, "waiting for the answer to initialize: EOF"},
		{"steps", steps, honest, ""},
		{"steps that are not shown", steps, silent, "of 2 steps 0 came as progress"},
		{"builds that are not stored", many, honest, "of 3 builds 0 are stored"},
		{"builds that are not built", many, hasty, "did not end as scripted"},
		{"a list of nothing", lists, honest, "not a list of 20 builds"},
		{"a build that cannot be followed", follow, hasty, "was not answered with a running build"},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			l, c := fakeLab(t, test.behavior)
			a, b, err := test.measure(t.Context(), l, c)
			switch {
			case test.want != "" && (err == nil || !strings.Contains(err.Error(), test.want)):
				t.Errorf("the error is %v, and should say %q", err, test.want)
			case test.want == "" && (err != nil || len(a) != 2 || len(b) != 2 || slices.Min(a) <= 0 || slices.Min(b) <= 0):
				t.Errorf("got %v and %v, %v", a, b, err)
			}
		})
	}
}

// The memory of a process is divided by the streams that it has open. A stream
// that ends early is an error.
func TestPerStream(t *testing.T) {
	l, _ := fakeLab(t, honest)
	self, err := os.FindProcess(os.Getpid())
	if err != nil {
		t.Fatal(err)
	}
	measure := func(sign string) error {
		const builds = 5
		_, err := l.perStream(t.Context(), &httpServer{cmd: &exec.Cmd{Process: self}}, builds, sign,
			func(ctx context.Context, i int) (*http.Response, error) {
				if i == builds {
					return &http.Response{Body: io.NopCloser(strings.NewReader(`data: {"type":"done"}`))}, nil
				}
				return startBuild(ctx, http.DefaultClient, l.upstream.URL, "quiet")
			})
		return err
	}
	if err := measure(`"type"`); err != nil {
		t.Error(err)
	}
	if err := measure(`"status"`); err == nil || !strings.Contains(err.Error(), `a stream ended before "\"status\""`) {
		t.Errorf("a stream that ends early gives %v", err)
	}
	if bytes, err := residentBytes(t.Context(), os.Getpid()); err != nil || bytes < 1<<20 {
		t.Errorf("this process has %d bytes in memory, %v", bytes, err)
	}
}

// What storeKept stores passes checkStored, and less does not.
func TestCheckStored(t *testing.T) {
	state := t.TempDir()
	if err := storeKept(t.Context(), state, "owner", 3); err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct {
		owner    string
		n, steps int
		want     string
	}{
		{"owner", 3, 1, ""},
		{"owner", 4, 1, "of 4 builds 3 are stored"},
		{"owner", 2, 1, "of 2 builds 3 are stored"},
		{"another", 3, 1, "of 3 builds 0 are stored"},
		{"owner", 3, 2, "is stored as done, with 1 of 2 steps"},
	} {
		err := checkStored(t.Context(), state, test.owner, test.n, test.steps)
		if (err == nil) != (test.want == "") || err != nil && !strings.Contains(err.Error(), test.want) {
			t.Errorf("%d builds of %s with %d steps: %v, and should say %q", test.n, test.owner, test.steps, err, test.want)
		}
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
		"nothing":            nil,
		"a missing step":     slices.Delete(whole(), 1, 2),
		"no end":             whole()[:2],
		"steps out of order": {whole()[1], whole()[0], whole()[2]},
		"a step twice":       {whole()[0], whole()[0], whole()[2]},
		"two ends":           append(whole(), whole()[2]),
	} {
		if checkLog(log, 2) == nil {
			t.Errorf("%s: the log is accepted", name)
		}
	}
}

func TestCheckAnswers(t *testing.T) {
	answer := func(structured string) []byte {
		return []byte(`{"jsonrpc":"2.0","id":1,"result":{"structuredContent":` + structured + `}}`)
	}
	if err := checkDone(answer(`{"status":"done","function_id":"bench"}`), benchFunction); err != nil {
		t.Error(err)
	}
	for _, structured := range []string{
		`{"status":"running"}`, `{"status":"done"}`, `{"status":"error","function_id":"bench"}`,
		`{"status":"done","function_id":"bench","joined":true}`,
	} {
		if checkDone(answer(structured), benchFunction) == nil {
			t.Errorf("%s is accepted for the end of a new build", structured)
		}
	}
	var listed []string
	for i := range pageSize {
		listed = append(listed, `{"query":"`+keptQuery(i)+`"}`)
	}
	list := func() []byte { return answer(`{"builds":[` + strings.Join(listed, ",") + `]}`) }
	if err := checkList(list()); err != nil {
		t.Error(err)
	}
	slices.Reverse(listed)
	if checkList(list()) == nil {
		t.Error("a list with the oldest first is accepted")
	}
	listed = listed[1:]
	if checkList(list()) == nil {
		t.Error("a list without the oldest is accepted")
	}
}
