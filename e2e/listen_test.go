package e2e_test

import (
	"bufio"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/anything-mcp/anything-mcp/notte/sandbox"
)

// toolsChanged is the method of the notice that the list of tools has changed.
const toolsChanged = "notifications/tools/list_changed"

// listen opens a subscription to changes of the list of tools, or of another list, and
// returns its ID once it is acknowledged.
func (c *conn) listen(kind string) (id int) {
	c.t.Helper()
	id = c.request("subscriptions/listen", map[string]any{"notifications": map[string]any{kind: true}})
	c.journal(id).await(c.t, "the acknowledgement", func(_ string, m message) bool {
		return m.Method == "notifications/subscriptions/acknowledged" && m.tells(id)
	})
	return id
}

// toolNotices counts the notices about the list of tools, of one subscription or, if it
// is 0, of a client before 2026-07-28.
func toolNotices(j *journal, subscription int) (n int) {
	_, parsed, _ := j.state()
	for _, m := range parsed {
		if m.Method == toolsChanged && (subscription == 0 && m.Params.Meta.Subscription == nil || m.tells(subscription)) {
			n++
		}
	}
	return n
}

// awaitToolNotice waits for the n-th notice.
func awaitToolNotice(t *testing.T, j *journal, subscription, n int) {
	t.Helper()
	j.await(t, "a notice", func(string, message) bool { return toolNotices(j, subscription) >= n })
}

// At the end of stdin the process ends at once, with whatever is open and whatever
// --grace is.
func TestInputEndsWithListen(t *testing.T) {
	t.Parallel()
	for name, flags := range map[string][]string{
		"grace":    {"--grace", "1m"},
		"memory":   {"--grace", "1m", "--state-dir", "memory"},
		"no tasks": {"--grace", "1m", "--tasks=false"},
		"sandbox":  {"--grace", "1m", "--sandbox"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, url := newSandbox(t)
			h := newHost(t, url, flags...)
			c := h.connect(legacy) // so it is told of changes too
			c.era = modern
			first, second := c.listen("toolsListChanged"), c.listen("resourcesListChanged")
			h.closeStdin()
			for _, id := range []int{first, second} {
				if m := c.answer(id); m.Error != nil || !strings.Contains(string(m.Result), `"resultType":"complete"`) {
					t.Errorf("subscription %d ended with %s", id, m.Result)
				}
			}
			h.exits(0)
		})
	}
}

// A client that is told of changes does not keep an HTTP server from stopping.
func TestStopWithListens(t *testing.T) {
	skipWithoutSignals(t)
	t.Parallel()
	_, url := newSandbox(t)
	s := newHTTPServer(t, url, nil)
	c := s.connect(t, modern)
	first, second := c.listen("toolsListChanged"), c.listen("resourcesListChanged")
	lines := s.openStream(t, s.connect(t, legacy))
	s.signal(os.Interrupt)
	for _, id := range []int{first, second} {
		if m := c.answer(id); m.Error != nil || !strings.Contains(string(m.Result), `"resultType":"complete"`) {
			t.Errorf("subscription %d ended with %s", id, m.Result)
		}
	}
	for lines.Scan() {
	}
	s.exits(0)
}

// openStream opens the GET stream of a legacy client.
func (s *httpServer) openStream(t *testing.T, c *conn) *bufio.Scanner {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, s.url, nil)
	if err != nil {
		t.Fatal(err)
	}
	req.Header = c.wire.(*webClient).header("", nil)
	resp, err := s.http.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { resp.Body.Close() })
	if resp.StatusCode != http.StatusOK || resp.Header.Get("X-Accel-Buffering") != "no" {
		t.Fatalf("the stream began with %s, %v", resp.Status, resp.Header)
	}
	return bufio.NewScanner(resp.Body)
}

// A pin is told to every client that can be told, of this process and of others, and to
// nobody before the answer to the call that made it.
func TestPinIsTold(t *testing.T) {
	t.Parallel()
	api, url := newSandbox(t)
	fn := api.AddFunction(sandbox.Function{Name: "Weather"})
	store := filepath.Join(t.TempDir(), "state")
	pinner := newHost(t, url, "--state-dir", store)
	c := pinner.connect(legacy)
	neighbour := newHost(t, url, "--state-dir", store).connect(modern)
	server := newHTTPServer(t, url, nil, "--state-dir", store)
	remote := server.connect(t, modern)
	stream := server.openStream(t, server.connect(t, legacy))

	subscribed, abroad := neighbour.listen("toolsListChanged"), remote.listen("toolsListChanged")
	for n := range 5 {
		name := "weather_" + string(rune('a'+n))
		id := c.call("pin_function", args{"function_id": fn, "name": name})
		if out := c.outcome(id); out.isError {
			t.Fatal(out.text)
		}
		told := 0
		for _, m := range pinner.stdout.messages(t) {
			if m.answers(id) && told != n {
				t.Errorf("pin %d was answered after %d notices", n, told)
			}
			if m.Method == toolsChanged {
				told++
			}
		}
		awaitToolNotice(t, &pinner.stdout, 0, n+1)
		awaitToolNotice(t, neighbour.journal(subscribed), subscribed, n+1)
		awaitToolNotice(t, remote.journal(abroad), abroad, n+1)
		for stream.Scan() && !strings.Contains(stream.Text(), toolsChanged) {
		}
		for _, client := range []*conn{c, neighbour, remote} {
			if m := client.answer(client.request("tools/list", nil)); !strings.Contains(string(m.Result), `"name":"`+name+`"`) {
				t.Errorf("%s is not listed after the notice", name)
			}
		}
	}
}

// The end of a build is told to clients that know the list of resources.
func TestEndedBuildIsTold(t *testing.T) {
	forEachTransport(t, []era{modern}, func(t *testing.T, api *service, c *conn, p *process) {
		c.answer(c.request("resources/list", nil))
		subscribed := c.listen("resourcesListChanged")
		out := c.outcome(c.build("fetch a post"))
		c.journal(subscribed).await(t, "a notice", func(_ string, m message) bool {
			return m.Method == "notifications/resources/list_changed" && m.tells(subscribed)
		})
		if m := c.answer(c.request("resources/list", nil)); !strings.Contains(string(m.Result), "build://"+out.BuildID) {
			t.Errorf("the build %s is not listed: %s", out.BuildID, m.Result)
		}
	})
}
