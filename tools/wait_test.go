package tools_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/anything-mcp/anything-mcp/jobs"
	"github.com/anything-mcp/anything-mcp/notte/sandbox"
	"github.com/anything-mcp/anything-mcp/progress"
	"github.com/anything-mcp/anything-mcp/tools"
)

// recordingSink records the lines of a call, each with the time at which it was
// written.
type recordingSink struct {
	slow time.Duration // how long a Send takes
	fail int           // the number of the line that is refused, and all after it

	begin   time.Time
	mu      sync.Mutex // guards all below
	lines   []string
	updates []progress.Update
	last    time.Time
}

func newSink() *recordingSink { return &recordingSink{begin: time.Now()} }

func (s *recordingSink) Send(ctx context.Context, u progress.Update) error {
	if s.slow > 0 {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(s.slow):
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.last = time.Now()
	s.lines = append(s.lines, fmt.Sprint(s.last.Sub(s.begin).Truncate(100*time.Millisecond), " ", u.Message))
	s.updates = append(s.updates, u)
	if s.fail > 0 && len(s.lines) >= s.fail {
		return errors.New("the client is gone")
	}
	return nil
}

func (s *recordingSink) want(t *testing.T, want ...string) {
	t.Helper()
	s.mu.Lock()
	defer s.mu.Unlock()
	if !slices.Equal(s.lines, want) {
		t.Errorf("lines:\n\t%s\nwant:\n\t%s", strings.Join(s.lines, "\n\t"), strings.Join(want, "\n\t"))
	}
}

// build builds a query with its progress going to sink.
func (f *fixture) build(sink progress.Sink, args object) result {
	f.t.Helper()
	return f.callContext(progress.WithSink(f.t.Context(), sink), "build_automation", args)
}

func TestProgressOfACall(t *testing.T) {
	inBubble(t, func(t *testing.T, f *fixture) {
		f.notte.Script("q", sandbox.Delay(time.Second), event("tool_start", "name", "goto"),
			sandbox.Delay(20*time.Second), event("tool_start", "name", "click"),
			sandbox.Delay(30*time.Second), event("done"))
		first, late := newSink(), newSink()
		id := f.build(first, object{"query": "q", "wait_seconds": 13}).str("build_id")
		first.want(t, "0s Build started", "1s Using goto", "11s Still building, 11s (last: Using goto)")
		time.Sleep(10 * time.Second)
		f.callContext(progress.WithSink(t.Context(), late), "get_build", object{"build_id": id})
		late.want(t, "23s Build running for 23s", "23.2s Using click", "33.2s Still building, 33s (last: Using click)",
			"43.2s Still building, 43s (last: Using click)")
	})
}

func TestProgressOfARun(t *testing.T) {
	inBubble(t, func(t *testing.T, f *fixture) {
		sink := newSink()
		id := f.notte.AddFunction(sandbox.Function{Name: "f", Run: &sandbox.Outcome{Result: 1, After: 12 * time.Second}})
		f.callContext(progress.WithSink(t.Context(), sink), "run_function", object{"function_id": id})
		if len(sink.lines) < 2 || sink.lines[0] != "0s Function started" || !strings.Contains(sink.lines[len(sink.lines)-1], " Still running, 1") {
			t.Errorf("lines: %q", sink.lines)
		}
	})
}

// The result comes at least progress.ResultGap after the last line, even if the job
// ends sooner.
func TestResultKeepsTheGap(t *testing.T) {
	for _, wait := range []time.Duration{0, 10 * time.Millisecond, time.Second} {
		inBubble(t, func(t *testing.T, f *fixture) {
			f.notte.Script("q", sandbox.Delay(wait), event("done"))
			sink := newSink()
			f.wants(f.build(sink, object{"query": "q"}), false, object{"status": "done"})
			sink.want(t, "0s Build started")
			if gap := time.Since(sink.last); gap < progress.ResultGap || gap > wait+100*time.Millisecond {
				t.Errorf("the result of a build of %v follows its last line by %v, want %v or a little more", wait, gap, progress.ResultGap)
			}
		})
	}
}

func TestResultWaitsForALine(t *testing.T) {
	inBubble(t, func(t *testing.T, f *fixture) {
		f.notte.Script("q", sandbox.Delay(time.Second), event("done"))
		sink := newSink()
		sink.slow = 5 * time.Second
		f.build(sink, object{"query": "q"})
		if got, want := time.Since(sink.begin), sink.slow+progress.ResultGap; got != want {
			t.Errorf("answered after %v, want %v", got, want)
		}
		sink.want(t, "5s Build started")
	})
}

// A client that reads slowly gets the newest step, and does not delay the build.
func TestSlowClient(t *testing.T) {
	inBubble(t, func(t *testing.T, f *fixture) {
		steps := []sandbox.Step{event("tool_start", "name", "browser"), event("tool_start", "name", "python")}
		for range 1000 {
			steps = append(steps, event("text_delta", "delta", "word "))
		}
		f.notte.Script("q", append(steps, event("tool_start", "name", "deploy"), sandbox.Delay(11*time.Second), event("done"))...)
		sink := newSink()
		sink.slow = 5 * time.Second
		f.wants(f.build(sink, object{"query": "q"}), false, object{"status": "done", "elapsed_seconds": 11.0})
		sink.want(t, "5s Build started", "10.2s Using deploy")
	})
}

func TestNothingIsSentToACallerThatLeft(t *testing.T) {
	inBubble(t, func(t *testing.T, f *fixture) {
		f.notte.Script("q", sandbox.Delay(time.Second), event("tool_start", "name", "goto"), sandbox.Delay(time.Minute), event("done"))
		sink := newSink()
		ctx, leave := context.WithTimeout(progress.WithSink(t.Context(), sink), time.Second+progress.ResultGap)
		defer leave()
		f.callContext(ctx, "build_automation", object{"query": "q"})
		if took := time.Since(sink.begin); took > 1100*time.Millisecond {
			t.Errorf("the call went on for %v", took)
		}
		got := len(sink.lines)
		time.Sleep(time.Hour)
		if len(sink.lines) != got || got > 2 {
			t.Errorf("lines: %q", sink.lines)
		}
		ctx, leave = context.WithCancel(progress.WithSink(t.Context(), sink))
		leave()
		f.callContext(ctx, "get_build", object{"build_id": "build_x"})
		if len(sink.lines) != got {
			t.Errorf("lines after the caller has left: %q", sink.lines)
		}
	})
}

func TestFailedLineIsTheLast(t *testing.T) {
	inBubble(t, func(t *testing.T, f *fixture) {
		f.notte.Script("q", sandbox.Delay(time.Second), event("tool_start", "name", "browser"),
			sandbox.Delay(time.Second), event("tool_start", "name", "python"), sandbox.Delay(time.Minute), event("done"))
		sink := newSink()
		sink.fail = 2
		f.build(sink, object{"query": "q"})
		time.Sleep(time.Hour)
		sink.want(t, "0s Build started", "1s Using browser")
	})
}

// deafStore is a store whose cancellations have no effect, as if the process that
// runs a job hangs.
type deafStore struct{ jobs.Store }

func (deafStore) Cancel(context.Context, string) error { return nil }

func TestCancelOfAJobThatHangs(t *testing.T) {
	inBubble(t, func(t *testing.T, f *fixture) {
		store := newStore(t)
		f.jobs = f.newManager(store)
		f.serve(tools.Config{Account: always(f.client(key))})
		f.notte.Script("q", sandbox.Stall())
		build := f.call("build_automation", object{"query": "q", "wait_seconds": 1}).str("build_id")
		run := f.runOf(sandbox.Outcome{After: -1}, object{"wait_seconds": 1}).str("run_id")

		f.jobs = f.newManager(deafStore{store})
		f.serve(tools.Config{Account: always(f.client(key)), Tasks: true})
		for _, c := range []struct{ tool, field, id, next string }{
			{"cancel_build", "build_id", build, "get_build"},
			{"cancel_run", "run_id", run, "get_run"},
		} {
			start := time.Now()
			r := f.call(c.tool, object{c.field: c.id})
			if took := time.Since(start); took > 20*time.Second {
				t.Errorf("%s was answered after %v, want at most 20s", c.tool, took)
			}
			f.wants(r, false, object{"status": "running", c.field: c.id})
			if next := r.str("next_step"); !strings.Contains(next, "cancellation is recorded") || !strings.Contains(next, c.next) {
				t.Errorf("next_step = %q, want it to say that the request is recorded and to name %s", next, c.next)
			}
			start = time.Now()
			if found, err := f.server.Tasks.Cancel(t.Context(), c.id); !found || err != nil || time.Since(start) > 6*time.Second {
				t.Errorf("cancelling its task: found %v, %v, after %v", found, err, time.Since(start))
			}
		}
	})
}
