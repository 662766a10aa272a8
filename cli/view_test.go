package cli

import (
	"bytes"
	"errors"
	"iter"
	"regexp"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/anything-mcp/anything-mcp/jobs"
	"github.com/anything-mcp/anything-mcp/notte"
)

// timed is an entry of a job's log and how long it is in coming.
type timed struct {
	after time.Duration
	kind  notte.EventType
	text  string
}

func entries(all ...timed) iter.Seq2[jobs.Entry, error] {
	return func(yield func(jobs.Entry, error) bool) {
		for i, e := range all {
			<-time.After(e.after)
			if !yield(jobs.Entry{Seq: int64(i + 1), At: time.Now(), Event: said(e.kind, e.text)}, nil) {
				return
			}
		}
	}
}

func TestViewInPlainLines(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var out bytes.Buffer
		v := newView(newScreen(&out, nil, redactor{}), "Building: a\nb", time.Now())
		err := v.follow(entries(
			timed{100 * time.Millisecond, notte.EventStatus, "starting"},
			timed{time.Second, notte.EventSessionData, "https://viewer.example/s?token=t"},
			timed{time.Second, notte.EventThinkingDelta, "Let me see"},
			timed{10 * time.Second, notte.EventToolStart, "browser\x1b[31m_goto"},
			timed{70 * time.Second, notte.EventFunctionUploaded, "posts"},
		))
		if err != nil {
			t.Fatal(err)
		}
		want := `Building: a b
   0.1s  Status: starting
   1.1s  Watch live: https://viewer.example/s?token=t
    12s  Using browser_goto
  1m00s  Still at work
  1m22s  Function created: posts
`
		if got := out.String(); got != want {
			t.Errorf("got:\n%s\nwant:\n%s", got, want)
		}
	})
}

func TestViewOnATerminal(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var out bytes.Buffer
		v := newView(&screen{out: &out, live: true}, "Building", time.Now())
		err := v.follow(entries(
			timed{1050 * time.Millisecond, notte.EventToolStart, "browser_goto"},
			timed{2 * time.Second, notte.EventThinkingDelta, strings.Repeat("word ", 400) + "and the "},
			timed{time.Second, notte.EventThinkingDelta, "newest end"},
			timed{time.Second, notte.EventTextDelta, "An answer"},
			timed{time.Second, notte.EventDone, ""},
		))
		if err != nil {
			t.Fatal(err)
		}
		drawn := strings.Split(out.String(), eraseLine)
		for _, want := range []string{
			`^. +0s  Starting$`,
			`^   1\.0s  Using browser_goto\n`,
			`^. +2s  Using browser_goto$`,
			`^. +3s  Thinking: ….*word and the$`,
			`^. +4s  Thinking: ….*word and the newest end$`,
			`^. +5s  Writing: An answer$`,
		} {
			if !slicesContainsMatch(drawn, want) {
				t.Errorf("nothing drawn matches %s in %q", want, drawn)
			}
		}
		if last := drawn[len(drawn)-1]; last != "" {
			t.Errorf("%q is left on the last line", last)
		}
		for _, line := range drawn {
			status := line[strings.LastIndex(line, "\n")+1:]
			if textWidth(status) > 79 {
				t.Errorf("%q would wrap at 80 columns", status)
			}
		}
	})
}

func slicesContainsMatch(lines []string, pattern string) bool {
	re := regexp.MustCompile(pattern)
	for _, line := range lines {
		if re.MatchString(line) {
			return true
		}
	}
	return false
}

func TestViewTellsWhyAJobCannotBeFollowed(t *testing.T) {
	gone := errors.New("gone")
	v := newView(newScreen(&bytes.Buffer{}, nil, redactor{}), "", time.Now())
	err := v.follow(func(yield func(jobs.Entry, error) bool) { yield(jobs.Entry{}, gone) })
	if !errors.Is(err, gone) {
		t.Errorf("follow = %v, want %v", err, gone)
	}
}

func TestAge(t *testing.T) {
	for d, want := range map[time.Duration]string{
		-time.Second:                   "0s",
		0:                              "0s",
		60 * time.Millisecond:          "0.0s",
		250 * time.Millisecond:         "0.2s",
		3 * time.Second:                "3s",
		9990 * time.Millisecond:        "9.9s",
		12700 * time.Millisecond:       "12s",
		time.Minute + 5*time.Second:    "1m05s",
		time.Hour + 2*time.Minute + 30: "1h02m",
	} {
		if got := age(d); got != want {
			t.Errorf("age(%v) = %q, want %q", d, got, want)
		}
	}
}

// said is an event of a type that says a text.
func said(kind notte.EventType, text string) notte.Event {
	return notte.Event{Type: kind, Status: text, Delta: text, Name: text, Role: text, ViewerURL: text, FunctionName: text, Message: text}
}
