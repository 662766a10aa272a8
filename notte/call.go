package notte

import (
	"bytes"
	"cmp"
	"context"
	"fmt"
	"net/http"
	"net/url"
	"strings"

	"github.com/anything-mcp/anything-mcp/text"
)

// call is one request to be made.
type call struct {
	op       string // what is tried, to follow "could not": "start the build"
	method   string
	endpoint endpoint
	path     []string // checked elements
	query    url.Values
	body     any      // marshalled; nil for none
	accept   string   // empty for JSON
	billable billable // what it starts, if it acts or costs money
	thread   bool     // the build is a turn of an earlier thread
}

// wanted returns in words what the call asks for.
func (k call) wanted() string {
	if k.billable != startsNothing {
		return "an event stream"
	}
	return "JSON"
}

// newRequest makes the call's request. The key travels in its header alone.
func (c *Client) newRequest(ctx context.Context, k call) (*http.Request, error) {
	if c.key == "" {
		return nil, fmt.Errorf("could not %s: %w: set %s", k.op, ErrNoKey, c.names.Key)
	}
	u := k.endpoint.url.JoinPath(k.path...)
	u.RawQuery = k.query.Encode()
	var body []byte
	if k.body != nil {
		var err error
		if body, err = text.JSON(k.body); err != nil {
			return nil, fmt.Errorf("could not %s: the request cannot be written as JSON: %w", k.op, err)
		}
	}
	req, err := http.NewRequestWithContext(ctx, k.method, u.String(), bytes.NewReader(body))
	if err != nil {
		return nil, fmt.Errorf("could not %s: %w", k.op, err)
	}
	h := req.Header
	h.Set("Authorization", "Bearer "+c.key.secret())
	h.Set("Accept", cmp.Or(k.accept, jsonAnswer))
	h.Set("User-Agent", c.userAgent)
	h.Set("X-Notte-Request-Origin", "anything-mcp")
	if k.body != nil {
		h.Set("Content-Type", jsonAnswer)
	}
	if k.billable != startsNothing {
		h.Set("Accept-Encoding", "identity") // a compressed event is a late event
	}
	if k.billable == startsRun {
		h.Set("X-Notte-Api-Key", c.key.secret()) // the OpenAPI description requires it
	}
	return req, nil
}

// idCharacters are those of the IDs of functions, runs and threads.
const idCharacters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_"

// ValidID reports whether id can be the ID of a function, a run or a thread: 1 to
// 128 letters, digits, hyphens and underscores. Calls fail with [ErrInvalidID],
// before any request, if one is not.
func ValidID(id string) bool {
	return id != "" && len(id) <= 128 && strings.Trim(id, idCharacters) == ""
}

// checkID returns ErrInvalidID for an ID that could turn a URL's path into
// another. Its error does not repeat the ID, which may be any text.
func checkID(what, id string) error {
	if ValidID(id) {
		return nil
	}
	return fmt.Errorf("%w: a %s ID has 1 to 128 letters, digits, hyphens and underscores; copy it from an earlier answer", ErrInvalidID, what)
}
