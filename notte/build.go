package notte

import (
	"context"
	"net/http"
)

// StartBuild has Notte build an automation for query and returns the build as a
// stream. Each call may be billed, so a start is never repeated: not on an
// error, not after a redirect. Ending ctx ends the stream; nothing is known of
// what that does to the build at Notte.
func (c *Client) StartBuild(ctx context.Context, query string) (*Stream, error) {
	return c.stream(ctx, call{
		op:       "start the build",
		method:   http.MethodPost,
		endpoint: c.anything,
		path:     []string{"api", "anything", "start"},
		body:     map[string]string{"query": query},
		accept:   eventStream,
		billable: startsBuild,
	})
}
