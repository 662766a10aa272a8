package sandbox_test

import (
	"bufio"
	"fmt"
	"net/http"
	"strings"

	"github.com/anything-mcp/anything-mcp/notte/sandbox"
)

// A test sets the answer to one query and then inspects the request.
func Example() {
	s := sandbox.New()
	defer s.Close()
	s.Script("greet me",
		sandbox.Event(map[string]any{"type": "text_delta", "delta": "Hello"}),
		sandbox.Raw(": a comment\n\n"),
		sandbox.Event(map[string]any{"type": "done", "total_cost_usd": 0.43}),
	)

	r, err := http.NewRequest("POST", "http://any.host/api/anything/start", strings.NewReader(`{"query":"greet me"}`))
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
	fmt.Println(s.Requests()[0].Path)

	// Output:
	// data: {"delta":"Hello","type":"text_delta"}
	// : a comment
	// data: {"total_cost_usd":0.43,"type":"done"}
	// /api/anything/start
}
