package progress

import (
	"strings"
	"time"

	"github.com/anything-mcp/anything-mcp/notte"
	"github.com/anything-mcp/anything-mcp/text"
)

// Describe returns the line that shows an event to a person: at most
// [MaxMessage] characters, cleaned by [text.OneLine]. It returns false for events
// without a line of their own: deltas, tool results, complete messages, terminal
// events, unknown types, events whose main field is empty, and a thread without
// a page that can be shown.
//
// The line of a viewer URL holds the URL with its token. It is for the user, and
// must not be logged.
func Describe(ev notte.Event) (string, bool) {
	switch ev.Type {
	case notte.EventStatus:
		return withLabel("Status: ", ev.Status)
	case notte.EventToolStart:
		if line, ok := withLabel("Using ", ev.Name); ok {
			return line, true
		}
		return "Using a tool", true
	case notte.EventSessionData:
		if line, ok := withLink("Watch live: ", ev.ViewerURL); ok || ev.ViewerURL == "" {
			return line, ok
		}
		return "Live view ready: its link is in the result", true
	case notte.EventThread:
		return withLink("Thread: ", ev.ThreadURL)
	case notte.EventFunctionUploaded:
		return functionLine(ev), true
	case notte.EventSessionStart:
		return "Browser session started", true
	case notte.EventLog:
		return withLabel("Log: ", trimLogPrefix(ev.Message))
	}
	return "", false
}

// withLabel returns label and s in one line, or false if s has nothing visible.
func withLabel(label, s string) (string, bool) {
	if s = text.OneLine(s, MaxMessage-len(label)); s == "" {
		return "", false
	}
	return label + s, true
}

// withLink returns label and link, or false if the line would be too long, because a
// part of a URL is of no use, or if [text.ParseLink] rejects the link, because it may
// lead elsewhere than it seems.
func withLink(label, link string) (string, bool) {
	if len(label)+len(link) > MaxMessage || text.ParseLink(link) == nil {
		return "", false
	}
	return label + link, true
}

// functionLine returns the line of a function that was made or changed. It may cut the
// name but not the ID, because Notte's paths take IDs of at most 128 characters.
func functionLine(ev notte.Event) string {
	const maxVersion, maxName, maxID = 20, 48, 128
	label := "Function created"
	if ev.FunctionUpdated {
		label = "Function updated"
		if version := text.OneLine(ev.FunctionVersion, maxVersion); version != "" {
			label += " to version " + version
		}
	}
	id := text.OneLine(ev.FunctionID, maxID)
	name := text.OneLine(ev.FunctionName, min(maxName, MaxMessage-len(label)-len(id)-len(": ")-len(" ()")))
	switch {
	case name == "" && id == "":
		return label
	case name == "":
		return label + ": " + id
	case id == "":
		return label + ": " + name
	}
	return label + ": " + name + " (" + id + ")"
}

// trimLogPrefix returns the text of a log message of the form
// "time | level | where | text", and any other message unchanged.
func trimLogPrefix(message string) string {
	line := text.OneLine(message, 2*MaxMessage) // the columns before the text need room too
	columns := strings.SplitN(line, " | ", 4)
	if len(columns) < 4 {
		return line
	}
	switch strings.ToUpper(columns[1]) {
	case "TRACE", "DEBUG", "INFO", "SUCCESS":
		return columns[3]
	case "WARN", "WARNING", "ERROR", "CRITICAL", "FATAL":
		return columns[1] + ": " + columns[3]
	}
	return line
}

// startLine returns the first line of a call. It includes the job's age if that is
// a second or more, because then the call joined the job late.
func (p *Pacer) startLine(now time.Time) string {
	if age := now.Sub(p.started); age >= time.Second {
		return p.subject + " running for " + wholeSeconds(age)
	}
	return p.subject + " started"
}

// quietLine returns a line that says that the job still runs, and its newest step
// if there was one.
func (p *Pacer) quietLine(now time.Time) string {
	line := "Still " + p.activity + ", " + wholeSeconds(now.Sub(p.started))
	if p.lastStep == "" {
		return line
	}
	const open, end = " (last: ", ")"
	return line + open + text.OneLine(p.lastStep, MaxMessage-len(line)-len(open)-len(end)) + end
}

func wholeSeconds(d time.Duration) string { return text.Duration(max(d, 0).Truncate(time.Second)) }
