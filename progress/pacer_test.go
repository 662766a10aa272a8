package progress_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/anything-mcp/anything-mcp/notte"
	"github.com/anything-mcp/anything-mcp/progress"
)

func thinking(s string) notte.Event { return notte.Event{Type: notte.EventThinkingDelta, Delta: s} }
func writing(s string) notte.Event  { return notte.Event{Type: notte.EventTextDelta, Delta: s} }
func using(s string) notte.Event    { return notte.Event{Type: notte.EventToolStart, Name: s} }
func watch(s string) notte.Event    { return notte.Event{Type: notte.EventSessionData, ViewerURL: s} }
func thread(s string) notte.Event   { return notte.Event{Type: notte.EventThread, ThreadURL: s} }
func status(s string) notte.Event   { return notte.Event{Type: notte.EventStatus, Status: s} }

// at is what happens to a job after a pause.
type at struct {
	after  time.Duration
	events []notte.Event
}

const ms = time.Millisecond

// begin is when each script begins.
var begin = time.Date(2026, 8, 1, 10, 0, 0, 0, time.UTC)

// play follows a script as a call follows a job, on its own clock, and returns the
// lines that the call sends, as "time line".
func play(pacer progress.Pacer, script ...at) []string {
	var lines []string
	now := begin
	sendUntil := func(end time.Time) {
		for {
			line, pause := pacer.Next(now)
			switch {
			case line != "":
				lines = append(lines, fmt.Sprint(now.Sub(begin), " ", line))
				pacer.Sent(now)
			case now.Add(pause).After(end):
				now = end
				return
			default:
				now = now.Add(pause)
			}
		}
	}
	for _, a := range script {
		sendUntil(now.Add(a.after))
		for _, ev := range a.events {
			if ev.Terminal() {
				return lines // the result follows
			}
			pacer.Observe(ev, now)
		}
	}
	sendUntil(now)
	return lines
}

// newest returns the last line of a build some time after these events.
func newest(wait time.Duration, events ...notte.Event) string {
	lines := play(progress.NewPacer("Build", "building", begin), at{0, events}, at{wait, nil})
	_, line, _ := strings.Cut(lines[len(lines)-1], " ")
	return line
}

func compare(t *testing.T, got, want []string) {
	t.Helper()
	if !slices.Equal(got, want) {
		t.Errorf("lines:\n\t%s\nwant:\n\t%s", strings.Join(got, "\n\t"), strings.Join(want, "\n\t"))
	}
}

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
		"a link is not displaced by a step": {
			[]at{{100 * ms, []notte.Event{watch("https://v.test/1")}}, {50 * ms, []notte.Event{using("browser"), status("b")}}, {time.Second, nil}},
			[]string{started, "250ms Watch live: https://v.test/1", "500ms Status: b"},
		},
		"a link before the steps that came first": {
			[]at{{10 * ms, []notte.Event{using("browser"), watch("https://v.test/1"), thinking("Let me look")}}, {3 * time.Second, nil}},
			[]string{started, "250ms Watch live: https://v.test/1", "500ms Using browser", "1.5s Thinking: Let me look"},
		},
		"both links": {
			[]at{{0, []notte.Event{thread("https://t.test/1"), watch("https://v.test/1"), using("browser")}}, {time.Second, nil}},
			[]string{started, "250ms Watch live: https://v.test/1", "500ms Thread: https://t.test/1", "750ms Using browser"},
		},
		"the same link again": {
			[]at{{0, []notte.Event{watch("https://v.test/1"), watch("https://v.test/1")}}, {time.Second, []notte.Event{watch("https://v.test/1")}}, {time.Second, nil}},
			[]string{started, "250ms Watch live: https://v.test/1"},
		},
		"another link of its kind": {
			[]at{{0, []notte.Event{watch("https://v.test/1"), watch("https://v.test/2")}}, {time.Second, []notte.Event{watch("https://v.test/3")}}, {time.Second, nil}},
			[]string{started, "250ms Watch live: https://v.test/2", "1s Watch live: https://v.test/3"},
		},
		"nothing after a terminal event": {
			[]at{{10 * ms, []notte.Event{using("browser"), {Type: notte.EventDone}, using("python"), writing("Hi")}}, {time.Minute, nil}},
			[]string{started},
		},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			compare(t, play(progress.NewPacer("Build", "building", begin), tt.script...), tt.want)
		})
	}
}

func TestLatePickUp(t *testing.T) {
	build := [2]string{"Build", "building"}
	run := [2]string{"Function", "running"}
	tests := []struct {
		job     [2]string
		started time.Duration // ago; 0 for not known
		want    []string
	}{
		{build, 80 * time.Second, []string{"0s Build running for 1m20s", "10s Still building, 1m30s"}},
		{build, 0, []string{"0s Build started", "10s Still building, 10s"}},
		{build, -time.Hour, []string{"0s Build started", "10s Still building, 0s"}},
		{run, 50 * time.Second, []string{"0s Function running for 50s", "10s Still running, 1m"}},
		{run, time.Hour, []string{"0s Function running for 1h", "10s Still running, 1h0m10s"}},
		{run, 10 * ms, []string{"0s Function started", "10s Still running, 10s"}},
	}
	for _, tt := range tests {
		var started time.Time
		if tt.started != 0 {
			started = begin.Add(-tt.started)
		}
		compare(t, play(progress.NewPacer(tt.job[0], tt.job[1], started), at{15 * time.Second, nil}), tt.want)
	}
}

type discard struct{}

func (discard) Send(context.Context, progress.Update) error { return nil }

func TestSinkFrom(t *testing.T) {
	if got := progress.SinkFrom(progress.WithSink(t.Context(), discard{})); got != (discard{}) {
		t.Errorf("SinkFrom = %v, want the sink given", got)
	}
	if got := progress.SinkFrom(t.Context()); got != nil {
		t.Errorf("SinkFrom = %v without a sink", got)
	}
}

func BenchmarkObserve(b *testing.B) {
	for _, ev := range []notte.Event{
		thinking("The page lists thirty stories, fifty bytes or so. "),
		using("browser_click"),
	} {
		b.Run(string(ev.Type), func(b *testing.B) {
			b.ReportAllocs()
			pacer := progress.NewPacer("Build", "building", begin)
			for b.Loop() {
				pacer.Observe(ev, begin)
			}
		})
	}
}
