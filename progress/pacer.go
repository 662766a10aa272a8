// Package progress decides which progress line a call shows, and when.
package progress

import (
	"time"

	"github.com/anything-mcp/anything-mcp/notte"
)

// The pace of a call's lines. Each time counts from when the line before was
// written.
const (
	// MinInterval is the least time between two lines: at most four a second.
	MinInterval = 250 * time.Millisecond

	// SnippetInterval is the least time between a line and a snippet of the
	// agent's text after it. It is longer than MinInterval so that a step seldom
	// has to wait because a snippet has just been sent.
	SnippetInterval = time.Second

	// QuietInterval is how long a call shows no line before it shows that the
	// job still runs.
	QuietInterval = 10 * time.Second

	// ResultGap is the least time between the last line and the call's result,
	// because some clients that read both at once handle the result first and
	// then report the progress as a protocol error. 20 ms were enough for every
	// client measured.
	ResultGap = 25 * time.Millisecond
)

// MaxMessage is the length of the longest line, in characters (runes).
const MaxMessage = 200

// Pacer chooses the lines of one call. The first line is due at once. After it
// each step (see [Describe]) is due as soon as [MinInterval] allows, and the
// newest step replaces one that waits. A link goes before a step, and only a new
// link of its kind replaces one that waits: each is shown once. The agent's text is
// due as a snippet when no step waits. After [QuietInterval] without a line, one
// says that the job still runs.
//
// A Pacer is for one goroutine. It reads no clock: its methods take the time. The
// goroutine calls Next. If that returns a line, it sends the line and calls Sent.
// Otherwise it waits for events as long as Next says, and passes them to Observe.
type Pacer struct {
	subject, activity string
	started           time.Time

	sent      time.Time // when the last line was written; zero: none was
	step      string    // the newest step while it waits to be sent
	lastStep  string    // the newest step, sent or not
	watch     link      // the live view
	thread    link      // the page of the thread
	text      TextTail
	textSince time.Time // when the first delta came that no line has shown; zero: all were shown
	count     count
}

// link is a line with a link.
type link struct {
	line  string
	shown bool
}

// set makes line the link, unless it is already.
func (l *link) set(line string) {
	if l.line != line {
		*l = link{line: line}
	}
}

// waiting reports whether there is a link that no line has shown.
func (l *link) waiting() bool { return l.line != "" && !l.shown }

// NewPacer returns the Pacer of a call that waits for a job. Lines name the job
// by its subject ("Build started") and its activity ("Still building"). started
// is when the job began, which may be long ago; zero means now.
func NewPacer(subject, activity string, started time.Time) Pacer {
	return Pacer{subject: subject, activity: activity, started: started}
}

// Observe records an event. It keeps at most a line of ev, or the end of its text.
func (p *Pacer) Observe(ev notte.Event, now time.Time) {
	switch ev.Type {
	case notte.EventThinkingDelta, notte.EventTextDelta:
		p.text.Add(ev.Type, ev.Delta)
		if ev.Delta != "" && p.textSince.IsZero() {
			p.textSince = now
		}
		return
	case notte.EventMessageComplete, notte.EventToolStart:
		p.text.End()
	}
	line, ok := Describe(ev)
	if !ok {
		return
	}
	p.textSince = time.Time{} // what is shown replaces a waiting snippet
	switch ev.Type {
	case notte.EventSessionData:
		p.watch.set(line)
	case notte.EventThread:
		p.thread.set(line)
	default:
		p.step, p.lastStep = line, line
	}
}

// Next returns the line to send now or, with an empty line, how long to wait
// for events before asking again. A line is returned once.
func (p *Pacer) Next(now time.Time) (line string, pause time.Duration) {
	if p.sent.IsZero() {
		if p.started.IsZero() {
			p.started = now
		}
		return p.startLine(now), 0
	}
	if p.complete() {
		return "", never
	}
	since := now.Sub(p.sent)
	if p.step != "" || p.watch.waiting() || p.thread.waiting() {
		if pause = MinInterval - since; pause > 0 {
			return "", pause
		}
		return p.takeLine(), 0
	}
	if !p.textSince.IsZero() {
		// Let a new text grow first, because its first word alone says little.
		if pause = max(SnippetInterval-since, MinInterval-now.Sub(p.textSince)); pause > 0 {
			return "", pause
		}
		p.textSince = time.Time{}
		if line = p.text.snippet(); line != "" {
			return line, 0
		}
	}
	if pause = QuietInterval - since; pause > 0 {
		return "", pause
	}
	return p.quietLine(now), 0
}

// takeLine returns the first of what waits to be shown: a link, or the step.
func (p *Pacer) takeLine() (line string) {
	for _, l := range []*link{&p.watch, &p.thread} {
		if l.waiting() {
			l.shown = true
			return l.line
		}
	}
	line, p.step = p.step, ""
	return line
}

// Sent records when a line was written.
func (p *Pacer) Sent(now time.Time) { p.sent = now }
