package main

import (
	"context"
	"fmt"
	"net/http"
	"strings"
)

// benchKey is the API key of all builds. The sandbox accepts any.
const benchKey = "bench"

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
