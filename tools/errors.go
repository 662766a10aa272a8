package tools

import (
	"context"
	"errors"
	"fmt"

	"github.com/anything-mcp/anything-mcp/jobs"
	"github.com/anything-mcp/anything-mcp/notte"
)

// explain is the one place where an error becomes what a model reads: one or
// two sentences that say what was tried, what was wrong and what to do next.
func explain(err error) string {
	var (
		bad   argumentError
		limit *jobs.LimitError
	)
	switch {
	case errors.As(err, &bad):
		return string(bad) + ". Nothing was started or changed."
	case errors.As(err, &limit):
		return "Nothing was started: " + limit.Error() + ". The user can raise the limit where this server is configured."
	case errors.Is(err, notte.ErrNoKey):
		return "No Notte API key is set, so nothing was started. The user can get one at https://console.notte.cc and set it as NOTTE_API_KEY in the environment of this MCP server, or start the server with --sandbox to try it without a key."
	case errors.Is(err, jobs.ErrStopping):
		return "This server is stopping and starts nothing new: nothing was started. Try again once the host has restarted it."
	case errors.Is(err, context.Canceled), errors.Is(err, context.DeadlineExceeded):
		return "The call was ended by its caller; what it had started goes on."
	}
	return err.Error()
}

// unknown is the answer for an ID that never existed, has expired or is
// someone else's: it does not tell which.
func unknown(field, kind string) error {
	return argumentError(fmt.Sprintf("%s must be the %s of a %s that this server knows: there is none with this ID, or it has expired", field, field, kind))
}
