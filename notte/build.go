package notte

import (
	"context"
	"net/http"
)

// StartBuild makes Notte build an automation for query, and returns the build as
// a stream. Each call may be billed, so the request is never repeated, neither
// after an error nor after a redirect. Ending ctx ends the stream; whether the
// build goes on at Notte is not known.
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
