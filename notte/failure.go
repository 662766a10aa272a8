package notte

import (
	"regexp"
	"strings"

	"github.com/tidwall/gjson"

	"github.com/anything-mcp/anything-mcp/text"
)

// Failure returns why the run failed, in one line of at most 500 characters, or
// "" if it has not failed or has not ended. A run that Notte reports as closed
// counts as failed if its result is the text of an exception.
func (r RunResult) Failure() string {
	v := gjson.ParseBytes(r.Result)
	if r.Status == RunFailed {
		return failureText(textOrJSON(v))
	}
	if r.Status == RunClosed && v.Type == gjson.String {
		return exception(v.Str)
	}
	return ""
}

// Failure is [RunResult.Failure] for a run that was looked up.
func (r Run) Failure() string {
	switch result := fromPythonRepr(r.Result); r.Status {
	case RunFailed:
		return failureText(result)
	case RunClosed:
		if !strings.HasPrefix(result, "{") && !strings.HasPrefix(result, "[") {
			return exception(result)
		}
	}
	return ""
}

const (
	executionFailed = "Script execution failed"
	traceback       = "Traceback (most recent call last)"
)

// tracebackLine matches the line with which Python begins a traceback. A result that
// names it within a line quotes one.
var tracebackLine = regexp.MustCompile(`(?m)^[ \t]*(?:\+ Exception Group )?` + regexp.QuoteMeta(traceback))

// exception returns one line about the exception in a function's textual result,
// or "" if the result is not about an exception.
func exception(result string) string {
	if !strings.HasPrefix(strings.TrimSpace(result), executionFailed) && !tracebackLine.MatchString(result) {
		return ""
	}
	return failureText(result)
}

// failureText shortens a failed run's result to one line. A traceback becomes its
// first line, which says what failed, and its last line, which names the
// exception.
func failureText(result string) string {
	result = strings.TrimSpace(result)
	if result == "" {
		return "Notte says that the run failed, but not why"
	}
	first, _, _ := strings.Cut(result, "\n")
	last := result[strings.LastIndexByte(result, '\n')+1:]
	switch {
	case first == last, strings.HasPrefix(first, traceback):
		result = last
	case strings.Contains(result, traceback):
		first, _, _ = strings.Cut(first, traceback)
		result = strings.TrimRight(first, ": \r") + ": " + last
	}
	return text.OneLine(result, maxMessage)
}

// fromPythonRepr returns the text of a string that Notte gives as Python writes
// it, with quotes and escaped line ends. It returns anything else as it is.
func fromPythonRepr(repr string) string {
	s := strings.TrimSpace(repr)
	if len(s) < 2 || s[0] != s[len(s)-1] || s[0] != '\'' && s[0] != '"' {
		return s
	}
	return strings.NewReplacer(`\n`, "\n", `\t`, "\t", `\'`, "'", `\"`, `"`, `\\`, `\`).Replace(s[1 : len(s)-1])
}
