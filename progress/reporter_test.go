package progress_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/anything-mcp/anything-mcp/notte"
	"github.com/anything-mcp/anything-mcp/progress"
)

// tape is a sink that notes what it was sent and when. As a client would, it
// takes its time, and as a cancelled call would, it ends with its context.
type tape struct {
	begin time.Time
	slow  time.Duration // how long a Send takes
	fail  int64         // the update that is refused, and all after it

	mu      sync.Mutex // guards updates
	updates []update
}

type update struct {
	at       time.Duration // when it was on the wire
	progress int64
	message  string
}

func newTape() *tape { return &tape{begin: time.Now()} }

func (s *tape) Send(ctx context.Context, message string) error {
	if s.slow > 0 {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(s.slow):
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	n := int64(len(s.updates) + 1)
	s.updates = append(s.updates, update{time.Since(s.begin), n, message})
	if s.fail > 0 && n >= s.fail {
		return errors.New("the client is gone")
	}
	return nil
}

// lines are the updates so far, as "time message", once all is quiet.
func (s *tape) lines(t *testing.T) []string {
	t.Helper()
	synctest.Wait()
	s.mu.Lock()
	defer s.mu.Unlock()
	var lines []string
	for i, u := range s.updates {
		if u.progress != int64(i+1) {
			t.Errorf("update %d has the value %d", i+1, u.progress)
		}
		lines = append(lines, fmt.Sprint(u.at, " ", u.message))
	}
	return lines
}

func (s *tape) want(t *testing.T, want ...string) {
	t.Helper()
	if got := s.lines(t); !slices.Equal(got, want) {
		t.Errorf("updates:\n\t%s\nwant:\n\t%s", strings.Join(got, "\n\t"), strings.Join(want, "\n\t"))
	}
}

func thinking(s string) notte.Event { return notte.Event{Type: notte.EventThinkingDelta, Delta: s} }
func writing(s string) notte.Event  { return notte.Event{Type: notte.EventTextDelta, Delta: s} }
func using(s string) notte.Event    { return notte.Event{Type: notte.EventToolStart, Name: s} }
func status(s string) notte.Event   { return notte.Event{Type: notte.EventStatus, Status: s} }

// at is what happens to a reporter after a pause.
type at struct {
	after  time.Duration
	events []notte.Event
}

const ms = time.Millisecond

func TestPace(t *testing.T) {
	const started = "0s Build started"
	tests := map[string]struct {
		script []at
		want   []string
	}{
		"first at once": {nil, []string{started}},
		"a step as it comes": {
			[]at{{300 * ms, []notte.Event{using("browser")}}, {400 * ms, []notte.Event{using("python")}}},
			[]string{started, "300ms Using browser", "700ms Using python"},
		},
		"the newest of a burst": {
			[]at{{10 * ms, []notte.Event{status("a"), using("b"), using("c")}}, {100 * ms, []notte.Event{using("d")}}, {time.Second, nil}},
			[]string{started, "250ms Using d"},
		},
		"four a second": {
			slices.Repeat([]at{{100 * ms, []notte.Event{using("b")}}}, 10),
			[]string{started, "250ms Using b", "500ms Using b", "750ms Using b", "1s Using b"},
		},
		"a step is not displaced by a snippet": {
			[]at{{10 * ms, []notte.Event{using("browser"), thinking("Let me look")}}, {3 * time.Second, nil}},
			[]string{started, "250ms Using browser", "1.25s Thinking: Let me look"},
		},
		"a step displaces a snippet": {
			[]at{{10 * ms, []notte.Event{thinking("Let me look")}}, {100 * ms, []notte.Event{using("browser")}}, {3 * time.Second, nil}},
			[]string{started, "250ms Using browser"},
		},
		"a text has time to grow": {
			[]at{{3 * time.Second, []notte.Event{thinking("I")}}, {100 * ms, []notte.Event{thinking(" see.")}}, {time.Second, nil}},
			[]string{started, "3.25s Thinking: I see."},
		},
		"a step seldom waits for a snippet": {
			[]at{{0, []notte.Event{thinking("Let me look")}}, {1300 * ms, []notte.Event{thinking(" here"), using("browser")}}},
			[]string{started, "1s Thinking: Let me look", "1.3s Using browser"},
		},
		"thinking and writing are two texts": {
			[]at{{0, []notte.Event{thinking("Look."), writing("Done.")}}, {2 * time.Second, nil}},
			[]string{started, "1s Writing: Done."},
		},
		"a message that is complete ends its text": {
			[]at{{0, []notte.Event{thinking("Look."), {Type: notte.EventMessageComplete}}}, {2 * time.Second, nil},
				{0, []notte.Event{thinking("Again.")}}, {time.Second, nil}},
			[]string{started, "1s Thinking: Look.", "2.25s Thinking: Again."},
		},
		"a tool ends a text": {
			[]at{{0, []notte.Event{writing("One."), using("browser"), writing("Two.")}}, {2 * time.Second, nil}},
			[]string{started, "250ms Using browser", "1.25s Writing: Two."},
		},
		"text that cannot be seen": {
			[]at{{0, []notte.Event{writing(" \n\u200b"), writing("")}}, {11 * time.Second, nil}},
			[]string{started, "10s Still building, 10s"},
		},
		"signs of life": {
			[]at{{time.Second, []notte.Event{using("browser")}}, {21 * time.Second, []notte.Event{{Type: "unknown"}, {Type: notte.EventToolResult}}}},
			[]string{started, "1s Using browser", "11s Still building, 11s (last: Using browser)", "21s Still building, 21s (last: Using browser)"},
		},
		"a sign of life without a link": {
			[]at{{time.Second, []notte.Event{{Type: notte.EventSessionData, ViewerURL: "https://view.notte.cc/a?token=b"}}}, {11 * time.Second, nil}},
			[]string{started, "1s Watch live: https://view.notte.cc/a?token=b", "11s Still building, 11s"},
		},
		"nothing after a terminal event": {
			[]at{{10 * ms, []notte.Event{using("browser"), {Type: notte.EventDone}, using("python"), writing("Hi")}}, {time.Minute, nil}},
			[]string{started},
		},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := newTape()
				r := progress.NewReporter(t.Context(), s)
				for _, a := range tt.script {
					time.Sleep(a.after)
					synctest.Wait()
					for _, ev := range a.events {
						r.Observe(ev)
					}
				}
				s.want(t, tt.want...)
				r.Close()
				r.Observe(using("nothing more"))
				time.Sleep(time.Minute)
				s.want(t, tt.want...)
			})
		})
	}
}

func TestLatePickUp(t *testing.T) {
	tests := []struct {
		kind    progress.Kind
		started time.Duration // ago; 0 for not known
		want    []string
	}{
		{progress.Build, 80 * time.Second, []string{"0s Build running for 1m20s", "10s Still building, 1m30s"}},
		{progress.Build, 0, []string{"0s Build started", "10s Still building, 10s"}},
		{progress.Build, -time.Hour, []string{"0s Build started", "10s Still building, 0s"}},
		{progress.Run, 50 * time.Second, []string{"0s Function running for 50s", "10s Still running, 1m"}},
		{progress.Run, time.Hour, []string{"0s Function running for 1h", "10s Still running, 1h0m10s"}},
		{progress.Run, 10 * ms, []string{"0s Function started", "10s Still running, 10s"}},
	}
	for _, tt := range tests {
		synctest.Test(t, func(t *testing.T) {
			var started time.Time
			if tt.started != 0 {
				started = time.Now().Add(-tt.started)
			}
			s := newTape()
			r := progress.NewReporter(t.Context(), s, progress.For(tt.kind), progress.StartedAt(started))
			time.Sleep(15 * time.Second)
			s.want(t, tt.want...)
			r.Close()
		})
	}
}

func TestCloseKeepsTheGap(t *testing.T) {
	tests := []struct{ after, want time.Duration }{
		{0, progress.ResultGap},
		{10 * ms, progress.ResultGap - 10*ms},
		{progress.ResultGap, 0},
		{time.Second, 0},
	}
	for _, tt := range tests {
		synctest.Test(t, func(t *testing.T) {
			r := progress.NewReporter(t.Context(), newTape())
			time.Sleep(tt.after)
			synctest.Wait()
			begin := time.Now()
			r.Close()
			if got := time.Since(begin); got != tt.want {
				t.Errorf("Close %v after an update took %v, want %v", tt.after, got, tt.want)
			}
			r.Close()
			if got := time.Since(begin); got != tt.want {
				t.Errorf("closing again took %v more", got-tt.want)
			}
		})
	}
}

func TestCloseFromManySides(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newTape()
		s.slow = time.Second
		r := progress.NewReporter(t.Context(), s)
		var wg sync.WaitGroup
		for range 10 {
			wg.Go(func() {
				r.Observe(using("browser"))
				r.Close()
				if got := time.Since(s.begin); got != time.Second+progress.ResultGap {
					t.Errorf("closed after %v", got)
				}
			})
		}
		wg.Wait()
		s.want(t, "1s Build started")
	})
}

func TestSlowSink(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newTape()
		s.slow = 5 * time.Second
		r := progress.NewReporter(t.Context(), s)
		begin := time.Now()
		for range 10_000 {
			r.Observe(writing("word "))
		}
		r.Observe(using("browser"))
		r.Observe(using("python"))
		if d := time.Since(begin); d != 0 {
			t.Errorf("Observe waited %v for the sink", d)
		}
		time.Sleep(11 * time.Second)
		s.want(t, "5s Build started", "10.25s Using python")
		r.Close()
		s.want(t, "5s Build started", "10.25s Using python")
	})
}

func TestCloseWaitsForASend(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newTape()
		s.slow = 5 * time.Second
		r := progress.NewReporter(t.Context(), s)
		time.Sleep(time.Second)
		r.Observe(using("browser"))
		r.Close()
		if got, want := time.Since(s.begin), s.slow+progress.ResultGap; got != want {
			t.Errorf("closed after %v, want %v", got, want)
		}
		s.want(t, "5s Build started")
	})
}

func TestContextEnds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		s := newTape()
		r := progress.NewReporter(ctx, s)
		synctest.Wait()
		r.Observe(using("browser"))
		time.Sleep(progress.MinInterval - 1)
		cancel()
		time.Sleep(time.Minute)
		r.Observe(using("python"))
		begin := time.Now()
		r.Close()
		if d := time.Since(begin); d != 0 {
			t.Errorf("Close took %v", d)
		}
		s.want(t, "0s Build started")
	})
}

func TestContextHasEnded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		s := newTape()
		r := progress.NewReporter(ctx, s)
		r.Close()
		s.want(t)
	})
}

func TestContextEndsASend(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		s := newTape()
		s.slow = time.Hour
		r := progress.NewReporter(ctx, s)
		r.Close()
		if d := time.Since(s.begin); d != time.Second {
			t.Errorf("closed after %v, want the context's second", d)
		}
		s.want(t)
	})
}

// deaf is a sink that takes its time whatever its context says.
type deaf time.Duration

func (d deaf) Send(context.Context, string) error {
	time.Sleep(time.Duration(d))
	return nil
}

func TestCloseDoesNotWaitForADeafSink(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		begin := time.Now()
		r := progress.NewReporter(ctx, deaf(time.Hour))
		r.Close()
		if got, want := time.Since(begin), time.Second+progress.ResultGap; got != want {
			t.Errorf("closed after %v, want %v", got, want)
		}
		time.Sleep(time.Hour) // until the sink is back: the bubble waits for its goroutine
	})
}

func TestFailedSendIsTheLast(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newTape()
		s.fail = 2
		r := progress.NewReporter(t.Context(), s)
		time.Sleep(time.Second)
		r.Observe(using("browser"))
		time.Sleep(time.Second)
		r.Observe(using("python"))
		time.Sleep(time.Minute)
		r.Close()
		s.want(t, "0s Build started", "1s Using browser")
	})
}

func TestNoSink(t *testing.T) {
	r := progress.NewReporter(t.Context(), progress.SinkFrom(t.Context()), progress.For(progress.Run))
	if allocs := testing.AllocsPerRun(100, func() {
		r.Observe(using("browser"))
		r.Observe(notte.Event{Type: notte.EventDone})
		r.Close()
	}); allocs != 0 {
		t.Errorf("a call without progress allocates %v times", allocs)
	}
}

func TestSinkFrom(t *testing.T) {
	s := newTape()
	if got := progress.SinkFrom(progress.WithSink(t.Context(), s)); got != progress.Sink(s) {
		t.Errorf("SinkFrom = %v, want the sink given", got)
	}
}

func TestObserveDeltaDoesNotAllocate(t *testing.T) {
	r := progress.NewReporter(t.Context(), newTape())
	defer r.Close()
	ev := thinking("The page lists thirty stories. ")
	if allocs := testing.AllocsPerRun(10_000, func() { r.Observe(ev) }); allocs != 0 {
		t.Errorf("a delta allocates %v times", allocs)
	}
}

func BenchmarkObserve(b *testing.B) {
	for _, ev := range []notte.Event{
		thinking("The page lists thirty stories, fifty bytes or so. "),
		using("browser_click"),
	} {
		b.Run(string(ev.Type), func(b *testing.B) {
			b.ReportAllocs()
			r := progress.NewReporter(b.Context(), deaf(0))
			defer r.Close()
			for b.Loop() {
				r.Observe(ev)
			}
		})
	}
}
