// Command gosdk is an MCP server on the official Go SDK, as small as one can be
// that does what anything-mcp's build_automation does for its caller: it asks
// Notte for a build, reads the event stream, drops the deltas, sends a progress
// notification for each status and each step, and returns the last event. It
// stores nothing, so a call that is lost loses its build.
//
//	gosdk        speaks MCP over stdio
//	gosdk ADDR   speaks Streamable HTTP at http://ADDR/mcp
//
// It takes the variables NOTTE_API_KEY and NOTTE_ANYTHING_URL.
package main

import (
	"bufio"
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log"
	"net/http"
	"os"

	"github.com/modelcontextprotocol/go-sdk/mcp"
)

func main() {
	server := mcp.NewServer(&mcp.Implementation{Name: "gosdk", Version: "1"}, nil)
	mcp.AddTool(server, &mcp.Tool{Name: "build_automation", Description: "Builds a web automation."}, buildAutomation)
	if len(os.Args) < 2 {
		if err := server.Run(context.Background(), &mcp.StdioTransport{}); err != nil {
			log.Fatal(err)
		}
		return
	}
	http.Handle("/mcp", mcp.NewStreamableHTTPHandler(func(*http.Request) *mcp.Server { return server }, nil))
	log.Fatal(http.ListenAndServe(os.Args[1], nil))
}

// input has the arguments that anything-mcp takes. Only the query is used.
type input struct {
	Query       string `json:"query"`
	WaitSeconds int    `json:"wait_seconds,omitempty"`
	ForceNew    bool   `json:"force_new,omitempty"`
}

// output is the last event of a build. Status is the event's type.
type output struct {
	Status       string   `json:"status"`
	FunctionID   string   `json:"function_id,omitempty"`
	TotalCostUSD *float64 `json:"total_cost_usd,omitempty"`
	Error        string   `json:"error,omitempty"`
}

func buildAutomation(ctx context.Context, req *mcp.CallToolRequest, in input) (*mcp.CallToolResult, output, error) {
	stream, err := startBuild(ctx, in.Query)
	if err != nil {
		return nil, output{}, err
	}
	defer stream.Close()
	updates := 0
	progress := func(message string) error {
		token := req.Params.GetProgressToken()
		if token == nil {
			return nil
		}
		updates++
		return req.Session.NotifyProgress(ctx, &mcp.ProgressNotificationParams{
			ProgressToken: token, Progress: float64(updates), Message: message,
		})
	}
	lines := bufio.NewScanner(stream)
	lines.Buffer(nil, 16<<20)
	for lines.Scan() {
		out, err := handle(lines.Bytes(), progress)
		if err != nil || out.Status != "" {
			return nil, out, err
		}
	}
	return nil, output{}, fmt.Errorf("the stream ended before the build did: %w", cmp.Or(lines.Err(), io.ErrUnexpectedEOF))
}

// handle handles one line of the stream. Its output has a status when the line
// is the last event. Deltas are not even parsed.
func handle(line []byte, progress func(message string) error) (output, error) {
	data, ok := bytes.CutPrefix(line, []byte("data: "))
	if !ok || bytes.HasPrefix(data, []byte(`{"type":"text_delta"`)) || bytes.HasPrefix(data, []byte(`{"type":"thinking_delta"`)) {
		return output{}, nil
	}
	var event struct {
		Type, Status, Name string
		output
	}
	if err := json.Unmarshal(data, &event); err != nil {
		return output{}, err
	}
	switch event.Type {
	case "status":
		return output{}, progress("Status: " + event.Status)
	case "tool_start":
		return output{}, progress("Step: " + event.Name)
	case "done", "error", "timeout":
		event.output.Status = event.Type
		return event.output, nil
	}
	return output{}, nil
}

// startBuild asks Notte for a build and returns its event stream.
func startBuild(ctx context.Context, query string) (io.ReadCloser, error) {
	body, err := json.Marshal(map[string]string{"query": query})
	if err != nil {
		return nil, err
	}
	url := os.Getenv("NOTTE_ANYTHING_URL") + "/api/anything/start"
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, url, bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("Authorization", "Bearer "+os.Getenv("NOTTE_API_KEY"))
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return nil, err
	}
	if resp.StatusCode != http.StatusOK {
		resp.Body.Close()
		return nil, fmt.Errorf("asking Notte for a build: %s", resp.Status)
	}
	return resp.Body, nil
}
