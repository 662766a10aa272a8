package tools_test

import (
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/anything-mcp/anything-mcp/notte/sandbox"
	"github.com/anything-mcp/anything-mcp/tools"
)

// hostile answers lists of functions with a failure in its own words, and has
// next answer the rest.
type hostile struct {
	next  http.RoundTripper
	words string
}

func (h hostile) RoundTrip(req *http.Request) (*http.Response, error) {
	if req.Method != http.MethodGet {
		return h.next.RoundTrip(req)
	}
	return &http.Response{
		StatusCode: http.StatusBadRequest, Header: http.Header{"Content-Type": {"text/plain"}},
		Body: io.NopCloser(strings.NewReader(h.words)), Request: req,
	}, nil
}

// Notte's texts reach our log as one short line without links, which may hold
// tokens.
func TestUpstreamTextInTheLog(t *testing.T) {
	inBubble(t, func(t *testing.T, f *fixture) {
		f.http.Transport = hostile{f.http.Transport, "see https://notte.test/a/hidden?token=s3cret\r\n\x1b[31m" + strings.Repeat("x", 8<<20)}
		f.serve(tools.Config{Client: f.client(key)})
		f.notte.Script("q", sandbox.Cut())
		id := f.call("build_automation", object{"query": "q"}).str("build_id")
		f.log.Reset()
		f.wants(f.call("get_build", object{"build_id": id}), true, object{"status": "interrupted"})
		if got := f.log.String(); !strings.Contains(got, "400") || strings.Contains(got, "hidden") || strings.Contains(got, "\x1b") {
			t.Errorf("the log holds a link or lacks the failure:\n%.1000s", got)
		}
		for line := range strings.Lines(f.log.String()) {
			if len(line) > 1000 {
				t.Errorf("a line of %d bytes in the log: %.1000s", len(line), line)
			}
		}
	})
}

func TestLineOfACall(t *testing.T) {
	inBubble(t, func(t *testing.T, f *fixture) {
		f.call("get_build", object{"build_id": "https://notte.test/hidden" + strings.Repeat("\n", 1000)})
		f.call("list_builds", object{"status": "https://notte.test/hidden"})
		got := f.log.String()
		if strings.Count(got, "\n") != 2 || strings.Contains(got, "hidden") || !strings.Contains(got, "outcome=refused") {
			t.Errorf("the log of two refused calls:\n%s", got)
		}
	})
}
