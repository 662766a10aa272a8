package e2e_test

import (
	"strings"
	"testing"

	"github.com/tidwall/gjson"
)

// showsApps is the capabilities of a client that shows pages of its servers.
var showsApps = map[string]any{"extensions": map[string]any{
	"io.modelcontextprotocol/ui": map[string]any{"mimeTypes": []string{"text/html;profile=mcp-app"}},
}}

// connectWith is connect for a client that declares capabilities.
func connectWith(t *testing.T, transport string, e era, caps map[string]any, url string, flags ...string) *conn {
	t.Helper()
	c := &conn{t: t, era: e, caps: caps}
	if transport == "stdio" {
		c.wire = newHost(t, url, flags...)
	} else {
		w := &webClient{t: t, server: newHTTPServer(t, url, nil, flags...), era: e, exchanges: make(map[int]*exchange)}
		t.Cleanup(w.check)
		c.wire = w
	}
	c.handshake()
	return c
}

// Clients that show pages are told of the build monitor, over each transport and in
// each era. All others are told byte for byte what they are told without it.
func TestApps(t *testing.T) {
	t.Parallel()
	_, url := newSandbox(t)
	for _, transport := range []string{"stdio", "http"} {
		for _, e := range bothEras {
			t.Run(transport+"/"+string(e), func(t *testing.T) {
				t.Parallel()
				ask := func(caps map[string]any, flag string) (answers []string) {
					c := connectWith(t, transport, e, caps, url, "--apps", flag)
					for _, method := range []string{"tools/list", "tools/call"} {
						m := c.answer(c.request(method, map[string]any{"name": "build", "arguments": args{}}))
						result := string(m.Result)
						if m.Error != nil {
							result = m.Error.Message
						}
						answers = append(answers, result)
					}
					return answers
				}
				with, without, off := ask(showsApps, "on"), ask(nil, "on"), ask(showsApps, "off")
				for i := range without {
					if without[i] != off[i] {
						t.Errorf("a client that does not declare the extension is told\n%s\nand without the extension\n%s", without[i], off[i])
					}
				}
				names := gjson.Get(with[0], `tools.#(_meta)#.name`).Raw
				for _, name := range []string{"build_automation", "run_function", "follow_job"} {
					if !strings.Contains(names, name) {
						t.Errorf("the tools with _meta are %s, and %s is missing", names, name)
					}
				}
				if strings.Contains(without[1], "follow_job") {
					t.Errorf("the error names the page's tool: %s", without[1])
				}
			})
		}
	}
}

// A page follows a build that its own host waits for, by its query, and stops it. Its
// calls get no progress, although they have a token as those of the official class do.
func TestPageFollowsABuild(t *testing.T) {
	for _, transport := range []string{"stdio", "http"} {
		t.Run(transport, func(t *testing.T) {
			inBothContracts(t, func(t *testing.T, api *service, url string) {
				c := connectWith(t, transport, modern, showsApps, url)
				wait, _ := gate(t)
				api.Script("watched", viewer("https://viewer.example/?token=page"), toolStart("goto"), wait, done("fn"))
				building := c.build("watched")
				page := *c
				page.lastID = 1000
				follow := func(arguments args) (id int, answer gjson.Result) {
					id = page.call("follow_job", arguments)
					return id, gjson.GetBytes(page.answer(id).Result, "structuredContent")
				}
				next, steps, build := 0.0, "", ""
				for build == "" || !strings.Contains(steps, "tool_start") {
					id, answer := follow(args{"query": "watched", "after": next, "wait_seconds": 20})
					if n := c.journal(id).updates(id); n > 0 {
						t.Errorf("a call of the page got %d updates", n)
					}
					next, build = answer.Get("next").Float(), answer.Get("job.build_id").Str
					steps += answer.Get("entries.#.type").Raw
				}
				if out := page.outcome(page.call("cancel_build", args{"build_id": build})); out.Status != "cancelled" {
					t.Errorf("cancel_build returned %s", out.text)
				}
				if _, answer := follow(args{"job_id": build, "after": next, "wait_seconds": 20}); answer.Get("job.status").Str != "cancelled" {
					t.Errorf("after the end: %s", answer.Raw)
				}
				if out := c.outcome(building); out.Status != "cancelled" {
					t.Errorf("the host's call returned %s", out.text)
				}
			})
		})
	}
}
