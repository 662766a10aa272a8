package tools_test

import (
	"cmp"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

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
		f.serve(tools.Config{Account: always(f.client(key))})
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

// Above debug the log has the start and the end of each job, once, and nothing of
// calls.
func TestLogAboveDebug(t *testing.T) {
	inBubble(t, func(t *testing.T, f *fixture) {
		f.notte.Script("q", sandbox.Delay(time.Minute), event("done"))
		f.notte.Script("bad", event("error", "error", "E"))
		id := ""
		for _, c := range []struct {
			tool string
			args object
			want string
		}{
			{"build_automation", object{"query": "q", "wait_seconds": 1}, "a build has started;"},
			{"get_build", object{"wait_seconds": 1}, ""},
			{"get_build", object{"wait_seconds": 90}, "a build has ended;"},
			{"get_build", object{"wait_seconds": 90}, ""},
			{"build_automation", object{"query": "bad"}, "a build has started;a build has ended;"},
			{"build_automation", object{}, ""},
			{"list_builds", object{}, ""},
			{"list_builds", object{"limit": 0}, ""},
		} {
			if c.tool == "get_build" {
				c.args["build_id"] = id
			}
			f.log.Reset()
			id = cmp.Or(id, f.call(c.tool, c.args).str("build_id"))
			got, calls := "", 0
			for line := range strings.Lines(f.log.String()) {
				if strings.Contains(line, "level=DEBUG") {
					calls += strings.Count(line, "msg="+c.tool)
					continue
				}
				_, message, _ := strings.Cut(line, `level=INFO msg="`)
				message, _, _ = strings.Cut(message, `"`)
				got += message + ";"
			}
			if got != c.want || calls != 1 {
				t.Errorf("%s(%v) logs %q and %d lines at debug, want %q and one line:\n%s", c.tool, c.args, got, calls, c.want, f.log)
			}
		}
	})
}
