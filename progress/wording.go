package progress

import (
	"net/url"
	"strings"
	"time"

	"github.com/anything-mcp/anything-mcp/notte"
)

// Line words one event for a person: one line of at most [MaxMessage]
// characters, cleaned by [OneLine]. It is false for events without a line of
// their own: deltas, tool results, complete messages, terminal events, types
// it does not know, and events whose telling field is empty.
//
// The line of a viewer URL holds the URL with its token: it is for the user's
// eyes, not for logs.
func Line(ev notte.Event) (string, bool) {
	switch ev.Type {
	case notte.EventStatus:
		return labelled("Status: ", ev.Status)
	case notte.EventToolStart:
		if line, ok := labelled("Using ", ev.Name); ok {
			return line, true
		}
		return "Using a tool", true
	case notte.EventSessionData:
		return viewerLine(ev.ViewerURL)
	case notte.EventFunctionUploaded:
		return functionLine(ev.FunctionName, ev.FunctionID), true
	case notte.EventSessionStart:
		return "Browser session started", true
	case notte.EventLog:
		return labelled("Log: ", logText(ev.Message))
	}
	return "", false
}

// labelled is label and text in one line, or false when there is no text.
func labelled(label, text string) (string, bool) {
	text = OneLine(text, MaxMessage-len(label))
	if text == "" {
		return "", false
	}
	return label + text, true
}

// viewerLine tells where to watch. A URL is shown whole or not at all, since
// half of one leads nowhere, and only when it is what it looks like.
func viewerLine(viewer string) (string, bool) {
	const label = "Watch live: "
	switch {
	case viewer == "":
		return "", false
	case len(label)+len(viewer) <= MaxMessage && isPlainURL(viewer):
		return label + viewer, true
	}
	return "Live view ready: its link is in the result", true
}

// isPlainURL reports whether s is an http or https URL in printable ASCII,
// without a user name that could pass for the host.
func isPlainURL(s string) bool {
	if strings.ContainsFunc(s, func(r rune) bool { return r <= ' ' || r > '~' }) {
		return false
	}
	u, err := url.Parse(s)
	return err == nil && (u.Scheme == "https" || u.Scheme == "http") && u.Host != "" && u.User == nil
}

// functionLine names a function so that its ID, the longest that Notte's
// paths take, is never cut.
func functionLine(name, id string) string {
	const label, maxName, maxID = "Function created", 48, 128
	name, id = OneLine(name, maxName), OneLine(id, maxID)
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

// logText takes the text out of a log message of the form
// "time | level | where | text", and any other message as it is.
func logText(message string) string {
	line := OneLine(message, 2*MaxMessage) // the columns before the text need room too
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

// startLine is the first update of a call on a job of this age: one that has
// run for a second or more was joined or picked up late.
func startLine(k Kind, age time.Duration) string {
	subject := "Build"
	if k == Run {
		subject = "Function"
	}
	if age < time.Second {
		return subject + " started"
	}
	return subject + " running for " + duration(age)
}

// quietLine is the sign of life of a job of this age whose latest step is
// given, or "" when none came.
func quietLine(k Kind, age time.Duration, step string) string {
	line := "Still building, "
	if k == Run {
		line = "Still running, "
	}
	line += duration(age)
	if step == "" {
		return line
	}
	const open, end = " (last: ", ")"
	return line + open + OneLine(step, MaxMessage-len(line)-len(open)-len(end)) + end
}

// duration words d in whole seconds, without units that are nought at its
// end: 5s, 1m20s, 2m, 1h.
func duration(d time.Duration) string {
	s := max(d, 0).Truncate(time.Second).String()
	if strings.HasSuffix(s, "m0s") {
		s = strings.TrimSuffix(s, "0s")
	}
	if strings.HasSuffix(s, "h0m") {
		s = strings.TrimSuffix(s, "0m")
	}
	return s
}
