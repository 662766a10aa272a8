package notte

import (
	"context"
	"fmt"
	"net/http"
)

// BuildRequest says what to build.
type BuildRequest struct {
	Query string // the task, in plain English

	// ThreadID makes the build the next turn of an earlier build's thread, with
	// its conversation and its function. Empty means a new thread.
	ThreadID string

	// Detach asks Notte to answer at once and to go on without this client. If
	// Notte does, [EventDetached] ends the stream, without progress and without
	// an outcome. A service that does not support it answers with the build's
	// stream.
	Detach bool
}

// StartBuild makes Notte build an automation, and returns the build as a stream.
// Each call may be billed, so the request is never repeated, neither after an
// error nor after a redirect. The error is [ErrInvalidID], and no request is made,
// if ThreadID is not an ID. Ending ctx ends the stream; whether the build goes on at
// Notte is not known.
func (c *Client) StartBuild(ctx context.Context, req BuildRequest) (*Stream, error) {
	if req.ThreadID != "" {
		if err := checkID("thread", req.ThreadID); err != nil {
			return nil, fmt.Errorf("could not start the build: %w", err)
		}
	}
	return c.stream(ctx, call{
		op:       "start the build",
		method:   http.MethodPost,
		endpoint: c.anything,
		path:     []string{"api", "anything", "start"},
		body:     startBuild(req),
		accept:   eventStream + ", " + jsonAnswer, // JSON for a detached build
		billable: startsBuild,
		thread:   req.ThreadID != "",
	})
}

// startBuild is the body of a build's start. A field that was not asked for is
// not sent, because v1 knows none but the query.
type startBuild struct {
	Query    string `json:"query"`
	ThreadID string `json:"thread_id,omitempty"`
	Detach   bool   `json:"detach,omitempty"`
}
