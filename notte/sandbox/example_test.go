package sandbox_test

import (
	"bufio"
	"fmt"
	"net/http"
	"strings"

	"github.com/anything-mcp/anything-mcp/notte/sandbox"
)

// startBuild starts a build with this body and prints what comes, but for empty
// lines.
func startBuild(s *sandbox.Server, body string) {
	r, err := http.NewRequest("POST", "http://any.host/api/anything/start", strings.NewReader(body))
	if err != nil {
		fmt.Println(err)
		return
	}
	r.Header.Set("Authorization", "Bearer any key")
	r.Header.Set("Content-Type", "application/json")
	resp, err := s.Client().Do(r)
	if err != nil {
		fmt.Println(err)
		return
	}
	defer resp.Body.Close()
	for lines := bufio.NewScanner(resp.Body); lines.Scan(); {
		if lines.Text() != "" {
			fmt.Println(lines.Text())
		}
	}
}

// A test sets the answer to one query and then inspects the request.
func Example() {
	s := sandbox.New()
	defer s.Close()
	s.Script("greet me",
		sandbox.Event(map[string]any{"type": "text_delta", "delta": "Hello"}),
		sandbox.Raw(": a comment\n\n"),
		sandbox.Event(map[string]any{"type": "done", "total_cost_usd": 0.43}),
	)
	startBuild(s, `{"query":"greet me"}`)
	fmt.Println(s.Requests()[0].Path)

	// Output:
	// data: {"delta":"Hello","type":"text_delta"}
	// : a comment
	// data: {"total_cost_usd":0.43,"type":"done"}
	// /api/anything/start
}

// A script of the v2 contract, and a follow-up in its thread.
func Example_v2() {
	s := sandbox.New(sandbox.WithAPI(sandbox.V2))
	defer s.Close()
	s.Script("greet me",
		sandbox.Thread("thread-1"),
		sandbox.Chunk("text-start", "id", "t1"),
		sandbox.Chunk("text-delta", "id", "t1", "delta", "Hello"),
		sandbox.Chunk("text-end", "id", "t1"),
		sandbox.Chunk("finish", "messageMetadata", map[string]any{"total_cost_usd": 0.43}),
		sandbox.Done(),
	)
	s.Script("again", sandbox.Done())
	startBuild(s, `{"query":"greet me"}`)
	startBuild(s, `{"query":"again","thread_id":"thread-1"}`)
	startBuild(s, `{"query":"again","thread_id":"thread-2"}`)

	// Output:
	// data: {"type":"text-start","id":"t1"}
	// data: {"type":"text-delta","id":"t1","delta":"Hello"}
	// data: {"type":"text-end","id":"t1"}
	// data: {"type":"finish","messageMetadata":{"total_cost_usd":0.43}}
	// data: [DONE]
	// data: [DONE]
	// {"error":"thread_not_found","message":"There is no thread with this ID"}
}
