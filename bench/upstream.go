package main

import (
	"context"
	"fmt"
	"net/http"
	"strings"

	"github.com/anything-mcp/anything-mcp/notte/sandbox"
)

// benchKey is the API key of all builds. The sandbox accepts any.
const benchKey = "bench"

// upstream serves Notte's APIs from the sandbox, in this process, on loopback.
type upstream struct{ *sandbox.Listener }

func newUpstream() (*upstream, error) {
	l, err := sandbox.Listen("127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	return &upstream{l}, nil
}

// env returns the variables that make a server use the upstream and log errors
// only.
func (u *upstream) env() []string {
	return []string{
		"NOTTE_API_KEY=" + benchKey, "NOTTE_API_URL=" + u.URL, "NOTTE_ANYTHING_URL=" + u.URL,
		"ANYTHING_MCP_LOG_LEVEL=error",
	}
}

// startBuild starts a build at base and returns its stream.
func startBuild(ctx context.Context, client *http.Client, base, query string) (*http.Response, error) {
	body := fmt.Sprintf(`{"query":%q}`, query)
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, base+"/api/anything/start", strings.NewReader(body))
	if err != nil {
		return nil, err
	}
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("Authorization", "Bearer "+benchKey)
	resp, err := client.Do(req)
	if err != nil {
		return nil, err
	}
	if resp.StatusCode != http.StatusOK {
		resp.Body.Close()
		return nil, fmt.Errorf("asking %s for a build: %s", base, resp.Status)
	}
	return resp, nil
}

// benchFunction is the ID of the function that every build makes.
const benchFunction = "bench"

// done returns the event that ends every build.
func done() map[string]any {
	return map[string]any{"type": "done", "function_id": benchFunction, "total_cost_usd": 0.43}
}
