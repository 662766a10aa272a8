package tools_test

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/mark3labs/mcp-go/mcp"
	"github.com/tidwall/gjson"

	"github.com/anything-mcp/anything-mcp/notte/sandbox"
	"github.com/anything-mcp/anything-mcp/tools"
	"github.com/anything-mcp/anything-mcp/ui"
)

// showsApps is the capabilities of a client that shows the build monitor.
var showsApps = object{"extensions": object{"io.modelcontextprotocol/ui": object{"mimeTypes": []any{"text/html;profile=mcp-app"}}}}

// legacySession is a client before 2026-07-28 with what it has declared.
type legacySession struct{ caps mcp.ClientCapabilities }

func (s *legacySession) SessionID() string                                   { return "s" }
func (s *legacySession) NotificationChannel() chan<- mcp.JSONRPCNotification { return nil }
func (s *legacySession) Initialize()                                         {}
func (s *legacySession) Initialized() bool                                   { return true }
func (s *legacySession) GetClientInfo() (none mcp.Implementation)            { return none }
func (s *legacySession) SetClientInfo(mcp.Implementation)                    {}
func (s *legacySession) GetClientCapabilities() mcp.ClientCapabilities       { return s.caps }
func (s *legacySession) SetClientCapabilities(capabilities mcp.ClientCapabilities) {
	s.caps = capabilities
}

// told is how a client of an era asks, and what it has declared.
type told struct {
	modern bool
	caps   object
}

// raw returns the server's answer to one message of a client, as it is sent.
func (f *fixture) raw(client told, method string, params object) string {
	f.t.Helper()
	ctx, all := f.t.Context(), object{}
	if client.modern {
		all = modern(client.caps)
	} else {
		session := new(legacySession)
		if err := json.Unmarshal([]byte(mustJSON(f.t, client.caps)), &session.caps); err != nil {
			f.t.Fatal(err)
		}
		ctx = f.server.MCP.WithContext(ctx, session)
	}
	for name, value := range params {
		all[name] = value
	}
	if method == "initialize" {
		all["protocolVersion"], all["capabilities"], all["clientInfo"] = "2025-11-25", client.caps, object{"name": "t", "version": "1"}
	}
	message := mustJSON(f.t, object{"jsonrpc": "2.0", "id": 1, "method": method, "params": all})
	return mustJSON(f.t, f.server.MCP.HandleMessage(ctx, json.RawMessage(message)))
}

// undeclared are clients that do not show the build monitor.
var undeclared = map[string]told{
	"legacy":                    {false, object{}},
	"modern":                    {true, object{}},
	"legacy, another MIME type": {false, object{"extensions": object{"io.modelcontextprotocol/ui": object{"mimeTypes": []any{"text/html"}}}}},
	"modern, another MIME type": {true, object{"extensions": object{"io.modelcontextprotocol/ui": object{}}}},
}

// Clients that do not declare MCP Apps are told byte for byte what they are told
// without it, apart from the server's own declaration.
func TestOthersSeeNothingOfApps(t *testing.T) {
	f := newFixture(t, key)
	without := make(map[string]string)
	ask := func(client told) map[string]string {
		answers := make(map[string]string)
		for method, params := range map[string]object{
			"tools/list": nil, "tools/call": {"name": "get_build", "arguments": object{"build_id": "build_1"}},
		} {
			answers[method] = f.raw(client, method, params)
		}
		return answers
	}
	for name, client := range undeclared {
		for method, answer := range ask(client) {
			without[name+method] = answer
		}
	}
	f.serve(tools.Config{Account: always(f.client(key)), Apps: true})
	for name, client := range undeclared {
		for method, answer := range ask(client) {
			if answer != without[name+method] {
				t.Errorf("%s: the answer to %s has changed:\n%s\nbefore:\n%s", name, method, answer, without[name+method])
			}
		}
		for _, method := range []string{"resources/list", "resources/templates/list"} {
			if answer := f.raw(client, method, nil); strings.Contains(answer, "monitor") || strings.Contains(answer, "error") {
				t.Errorf("%s: the answer to %s is %s", name, method, answer)
			}
		}
	}
}

// What clients that declare MCP Apps are told, beside what all are told.
func TestClientsThatShowApps(t *testing.T) {
	f := newFixture(t, key)
	f.serve(tools.Config{Account: always(f.client(key)), Apps: true, Tasks: true})
	for era, client := range map[string]told{"legacy": {false, showsApps}, "modern": {true, showsApps}} {
		t.Run(era, func(t *testing.T) {
			hello := "initialize"
			if client.modern {
				hello = "server/discover"
			}
			transcript := gjson.Get(f.raw(client, hello, nil), "result.capabilities.extensions").Raw
			for _, c := range []struct{ method, of, path string }{
				{"tools/list", "the _meta of tools", `result.tools.#(_meta)#|@ugly|#.{name,_meta}`},
				{"tools/list", "follow_job", `result.tools.#(name="follow_job")`},
				{"resources/list", "resources", `result.resources.#(name="monitor")#`},
				{"resources/templates/list", "templates", `result.resourceTemplates.#(name="monitor")#`},
			} {
				transcript += "\n\n" + c.of + "\n" + gjson.Get(f.raw(client, c.method, nil), c.path+"|@pretty").Raw
			}
			golden(t, "testdata/apps-"+era+".txt", []byte(strings.ReplaceAll(transcript, ui.Version(), "VERSION")))
		})
	}
}

// follow_job is called by its name even if the client has not declared MCP Apps on the
// very request, because some hosts forget that.
func TestFollowWithoutDeclaration(t *testing.T) {
	f := newFixture(t, key)
	f.serve(tools.Config{Account: always(f.client(key)), Apps: true})
	for name, client := range undeclared {
		answer := f.raw(client, "tools/call", object{"name": "follow_job", "arguments": object{"query": "none"}})
		if !strings.Contains(answer, `"structuredContent":{"entries":[],"next":0}`) {
			t.Errorf("%s: %s", name, answer)
		}
	}
}

// Hosts keep addresses, so that every one of them has today's page.
func TestMonitorByAnyAddress(t *testing.T) {
	f := newFixture(t, key)
	f.serve(tools.Config{Account: always(f.client(key)), Apps: true})
	for _, uri := range []string{"ui://anything-mcp/monitor", "ui://anything-mcp/monitor?v=" + ui.Version(), "ui://anything-mcp/monitor?v=old"} {
		for name, client := range map[string]told{"legacy": {false, showsApps}, "modern": {true, showsApps}, "undeclared": {true, object{}}} {
			var answer struct {
				Result struct {
					Contents []struct {
						URI, MIMEType, Text string
						Meta                json.RawMessage `json:"_meta"`
					}
				}
			}
			raw := f.raw(client, "resources/read", object{"uri": uri})
			if err := json.Unmarshal([]byte(raw), &answer); err != nil || len(answer.Result.Contents) != 1 {
				t.Fatalf("%s, %s: %s (%v)", uri, name, raw, err)
			}
			c := answer.Result.Contents[0]
			if c.URI != uri || c.MIMEType != "text/html;profile=mcp-app" || c.Text != ui.Page() || string(c.Meta) != `{"ui":{"csp":{},"prefersBorder":true}}` {
				t.Errorf("%s, %s: URI %q, type %q, _meta %s, %d bytes", uri, name, c.URI, c.MIMEType, c.Meta, len(c.Text))
			}
		}
	}
	if raw := f.raw(told{true, showsApps}, "resources/read", object{"uri": "ui://anything-mcp/other"}); !strings.Contains(raw, `"error"`) {
		t.Errorf("another page: %s", raw)
	}
}

// A page starts a run with wait_seconds 0. It gets the handle, although its host takes
// tasks, because it can follow only that.
func TestPageGetsNoTask(t *testing.T) {
	inBubble(t, func(t *testing.T, f *fixture) {
		f.serve(tools.Config{Account: always(f.client(key)), Tasks: true, Apps: true})
		id := f.notte.AddFunction(sandbox.Function{Name: "f", Run: &sandbox.Outcome{Result: 1, After: time.Minute}})
		both := object{"extensions": object{
			"io.modelcontextprotocol/tasks": object{},
			"io.modelcontextprotocol/ui":    object{"mimeTypes": []any{"text/html;profile=mcp-app"}},
		}}
		for _, c := range []struct {
			caps object
			args object
			task bool
		}{
			{both, object{"function_id": id, "wait_seconds": 0}, false},
			{both, object{"function_id": id}, true},
			{takesTasks, object{"function_id": id, "wait_seconds": 0}, true},
		} {
			if r := f.callModern(c.caps, "run_function", c.args); (r.resultType == "task") != c.task {
				t.Errorf("run_function(%v) with %v has the result type %q", c.args, c.caps, r.resultType)
			}
		}
	})
}

// Many clients ask at the same time, and none sees what another one is told.
func TestListsAtTheSameTime(t *testing.T) {
	f := newFixture(t, key)
	f.serve(tools.Config{Account: always(f.client(key)), Apps: true})
	with, without := f.raw(told{true, showsApps}, "tools/list", nil), f.raw(told{true, object{}}, "tools/list", nil)
	failed := make(chan string, 20)
	for range cap(failed) {
		go func() {
			why := ""
			for range 20 {
				if f.raw(told{true, showsApps}, "tools/list", nil) != with || f.raw(told{true, object{}}, "tools/list", nil) != without {
					why = "a list has changed"
				}
			}
			failed <- why
		}()
	}
	for range cap(failed) {
		if why := <-failed; why != "" {
			t.Error(why)
		}
	}
}

// names returns the names in the answer of a client's tools/list, with a mark for what
// hosts do with each: ui for a page, app for a tool that models do not see.
func (f *fixture) names(client told) (names []string) {
	f.t.Helper()
	for _, tool := range gjson.Get(f.raw(client, "tools/list", nil), "result.tools").Array() {
		name := tool.Get("name").Str
		if tool.Get("_meta.ui.resourceUri").Exists() {
			name += " ui"
		}
		if tool.Get(`_meta.ui.visibility`).Raw == `["app"]` {
			name += " app"
		}
		names = append(names, name)
	}
	return names
}

// With few tools for the model, the page has its own all the same.
func TestPageWithFewTools(t *testing.T) {
	f := newFixture(t, key)
	f.serve(tools.Config{Account: always(f.client(key)), Minimal: true, Apps: true})
	want := "build_automation ui, cancel_build app, cancel_run app, find_functions, follow_job app, get_build, get_function app, get_run, run_function ui"
	if got := strings.Join(f.names(told{true, showsApps}), ", "); got != want {
		t.Errorf("the tools are %s\nwant %s", got, want)
	}
	want = "build_automation, find_functions, get_build, get_run, run_function"
	if got := strings.Join(f.names(told{true, object{}}), ", "); got != want {
		t.Errorf("without MCP Apps the tools are %s\nwant %s", got, want)
	}
	if got, found := f.server.Call(t.Context(), "list_builds", nil); !found || got.IsError {
		t.Errorf("a person's page cannot list the builds: found %v, %s", found, mustJSON(t, got))
	}
}

// A pinned function is shown with the page, to clients that show it.
func TestPinnedFunctionsHaveThePage(t *testing.T) {
	inBubble(t, func(t *testing.T, f *fixture) {
		f.serve(tools.Config{Account: always(f.client(key)), Apps: true})
		f.pin(object{"function_id": f.notte.AddFunction(posts)})
		for _, c := range []struct {
			caps object
			want string
		}{{showsApps, `{"resourceUri":"ui://anything-mcp/monitor?v=` + ui.Version() + `"}`}, {object{}, ""}} {
			var list json.RawMessage
			f.request(t.Context(), "tools/list", modern(c.caps), &list)
			tool := gjson.GetBytes(list, `tools.#(name="top_posts")`)
			if got := tool.Get("_meta.ui").Raw; !tool.Exists() || got != c.want {
				t.Errorf("with %v the pin is %s", c.caps, tool.Raw)
			}
		}
	})
}
