package notte

import (
	"strings"

	"github.com/tidwall/gjson"

	"github.com/anything-mcp/anything-mcp/text"
)

// Failure says why the run failed, in at most 500 characters, or is empty when
// it did not or is not over. A run that Notte reports as closed has failed too
// when its function ended in an exception: then its result is a text that tells
// of one.
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
	switch result := unquoted(r.Result); r.Status {
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

// exception tells of the exception that a function's textual result tells of,
// or is empty.
func exception(result string) string {
	if !strings.HasPrefix(strings.TrimSpace(result), executionFailed) && !strings.Contains(result, traceback) {
		return ""
	}
	return failureText(result)
}

// failureText makes a failed run's result short: its first line, which says
// what failed, and the last of a traceback, which names the exception.
func failureText(result string) string {
	var lines []string
	for line := range strings.Lines(result) {
		if line = strings.TrimSpace(line); line != "" {
			lines = append(lines, line)
		}
	}
	if len(lines) == 0 {
		return "Notte says that the run failed and not why"
	}
	first, last := lines[0], lines[len(lines)-1]
	switch {
	case strings.HasPrefix(first, traceback) || first == last:
		return text.OneLine(last, maxMessage)
	case strings.Contains(result, traceback):
		first, _, _ = strings.Cut(first, traceback)
		return text.OneLine(strings.TrimRight(first, ": ")+": "+last, maxMessage)
	}
	return text.OneLine(strings.Join(lines, " "), maxMessage)
}

// unquoted is the text of a string that Notte gives as Python writes it, quotes
// and escaped line ends included; anything else comes back as it is.
func unquoted(repr string) string {
	s := strings.TrimSpace(repr)
	if len(s) < 2 || s[0] != s[len(s)-1] || s[0] != '\'' && s[0] != '"' {
		return s
	}
	return strings.NewReplacer(`\n`, "\n", `\t`, "\t", `\'`, "'", `\"`, `"`, `\\`, `\`).Replace(s[1 : len(s)-1])
}
