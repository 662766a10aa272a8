package tools

import (
	"context"
	"errors"
	"strings"

	"github.com/anything-mcp/anything-mcp/jobs"
	"github.com/anything-mcp/anything-mcp/notte"
)

// explain returns the text of a tool's error for a model: what was tried, what was
// wrong, what to do next and what the user can set. All tools use it.
func (s *service) explain(t *tool, err error) string {
	sentence := describeError(err)
	if refused(err) && !t.hints.readOnly {
		sentence += " Nothing was started or changed."
	}
	return s.advise(sentence, err)
}

// advise adds to a sentence what the user can set to avoid an error.
func (s *service) advise(sentence string, err error) string {
	if advice := s.Advice(err); advice != "" {
		return sentence + " " + advice
	}
	return sentence
}

// refused reports whether a call was refused before it did anything.
func refused(err error) bool {
	_, bad := errors.AsType[*argError](err)
	_, many := errors.AsType[*TooManyItemsError](err)
	return bad || many || errors.Is(err, notte.ErrNoKey)
}

func describeError(err error) string {
	bad, isBad := errors.AsType[*argError](err)
	limit, overLimit := errors.AsType[*jobs.LimitError](err)
	switch {
	case isBad:
		return bad.Error() + "."
	case overLimit:
		return "Nothing was started: " + limit.Error() + "."
	case errors.Is(err, jobs.ErrNoThread), errors.Is(err, jobs.ErrThreadBusy):
		return "Nothing was started: " + err.Error() + "."
	case errors.Is(err, notte.ErrNoKey):
		return "No Notte API key is set."
	case errors.Is(err, jobs.ErrStopping):
		return "This server is stopping, so nothing was started. Try again after the host has restarted it."
	case errors.Is(err, context.Canceled), errors.Is(err, context.DeadlineExceeded):
		return "The caller ended the call. What the call had started goes on."
	}
	return strings.TrimSuffix(err.Error(), ".") + "."
}
