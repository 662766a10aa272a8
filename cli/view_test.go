package cli

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/clipperhouse/displaywidth"

	"github.com/anything-mcp/anything-mcp/jobs"
	"github.com/anything-mcp/anything-mcp/notte"
	"github.com/anything-mcp/anything-mcp/text"
)

var update = flag.Bool("update", false, "rewrite the golden files")

// terminal keeps what a terminal shows.
type terminal struct{ lines []string }

func newTerminal() *terminal { return &terminal{lines: []string{""}} }

// Write implements io.Writer. It handles line feeds and eraseLine.
func (t *terminal) Write(p []byte) (int, error) {
	for i, line := range strings.Split(string(p), "\n") {
		if i > 0 {
			t.lines = append(t.lines, "")
		}
		last := &t.lines[len(t.lines)-1]
		*last += line
		if erased := strings.LastIndex(*last, eraseLine); erased >= 0 {
			*last = (*last)[erased+len(eraseLine):]
		}
	}
	return len(p), nil
}

// timedEntry is an entry of a job's log and the age of the job when it comes.
type timedEntry struct {
	at   time.Duration
	kind notte.EventType
	text string
}

// show plays entries to a new view, and returns what out shows at each of ages.
func show(s *screen, out *terminal, entries []timedEntry, ages ...time.Duration) string {
	started := time.Date(2026, 7, 28, 12, 0, 0, 0, time.UTC)
	v := newView(s, "Building: a\nb", started, started)
	var frames strings.Builder
	for age := time.Duration(0); len(ages) > 0; age += 50 * time.Millisecond {
		now := started.Add(age)
		for len(entries) > 0 && entries[0].at <= age {
			v.observe(jobs.Entry{At: now, Event: eventOf(entries[0])}, now)
			entries = entries[1:]
		}
		v.draw(now)
		if age == ages[0] {
			fmt.Fprintf(&frames, "== after %s\n%s\n", text.Duration(age), strings.Join(out.lines, "\n"))
			ages = ages[1:]
		}
	}
	return frames.String()
}

var build = []timedEntry{
	{100 * time.Millisecond, notte.EventStatus, "starting"},
	{1100 * time.Millisecond, notte.EventSessionData, "https://viewer.example/s?token=t"},
	{3 * time.Second, notte.EventToolStart, "browser\x1b[31m_goto"},
	{5 * time.Second, notte.EventThinkingDelta, strings.Repeat("word ", 400) + "and the "},
	{6 * time.Second, notte.EventThinkingDelta, "newest\nend"},
	{7 * time.Second, notte.EventTextDelta, "An answer in 世界"},
	{82 * time.Second, notte.EventFunctionUploaded, "posts"},
}

// eventOf returns the event of an entry, with the text in each field that an
// event may show.
func eventOf(e timedEntry) notte.Event {
	return notte.Event{Type: e.kind, Status: e.text, Delta: e.text, Name: e.text, ViewerURL: e.text, FunctionName: e.text}
}

// checkGolden compares got with a file in testdata.
func checkGolden(t *testing.T, name, got string) {
	t.Helper()
	name = "testdata/" + name
	if *update {
		if err := os.WriteFile(name, []byte(got), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	if got != string(want) {
		t.Errorf("%s is different (go test -update rewrites it): got\n%s", name, got)
	}
}

func TestViewOnATerminal(t *testing.T) {
	out := newTerminal()
	s := &screen{out: out, secrets: newSecrets(), live: true}
	got := show(s, out, build, 0, time.Second, 2*time.Second, 4*time.Second, 5*time.Second, 6*time.Second, 7*time.Second, 80*time.Second, 82*time.Second)
	checkGolden(t, "view_terminal.txt", got)
	for line := range strings.Lines(got) {
		if displaywidth.String(strings.TrimSuffix(line, "\n")) > 79 {
			t.Errorf("%q would wrap at 80 columns", line)
		}
	}
	if s.setStatus(""); out.lines[len(out.lines)-1] != "" {
		t.Errorf("%q stays on the last line", out.lines[len(out.lines)-1])
	}
}

func TestViewInPlainLines(t *testing.T) {
	out := newTerminal()
	checkGolden(t, "view_plain.txt", show(newScreen(out, nil, newSecrets()), out, build, 90*time.Second))
}

func TestFollowReturnsWhyItCannot(t *testing.T) {
	p := newProgram(Env{Stderr: io.Discard})
	p.settings.sandbox, p.settings.sandboxAPI = true, "v2"
	p.log = p.newLogger(p.screen)
	err := p.withJobs(storeFlags{}, limitFlags{}, func(a *app) error {
		v := newView(p.screen, "", time.Now(), time.Now())
		return p.follow(context.Background(), a.jobs, jobs.Job{ID: "build_none", Owner: "nobody"}, false, v, nil)
	})
	if !errors.Is(err, jobs.ErrNotFound) {
		t.Errorf("follow = %v, want %v", err, jobs.ErrNotFound)
	}
}
