package tools_test

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/mark3labs/mcp-go/mcp"

	"github.com/anything-mcp/anything-mcp/notte/sandbox"
	"github.com/anything-mcp/anything-mcp/tools"
)

// read returns the text of a resource.
func (f *fixture) read(uri string) string {
	f.t.Helper()
	document := f.readAs("application/json", uri)
	if !json.Valid([]byte(document)) {
		f.t.Errorf("%s is no JSON: %.300s", uri, document)
	}
	return document
}

// readAs returns the text of a resource of a type.
func (f *fixture) readAs(mimeType, uri string) string {
	f.t.Helper()
	var got struct {
		Contents []struct{ URI, MIMEType, Text string }
	}
	f.request(f.t.Context(), "resources/read", object{"uri": uri}, &got)
	if len(got.Contents) != 1 || got.Contents[0].URI != uri || got.Contents[0].MIMEType != mimeType {
		f.t.Fatalf("%s: %.300v", uri, got)
	}
	return got.Contents[0].Text
}

// refusal returns the error that a request is answered with.
func (f *fixture) refusal(method string, params object) string {
	f.t.Helper()
	message, _ := json.Marshal(object{"jsonrpc": "2.0", "id": 1, "method": method, "params": params})
	raw, _ := json.Marshal(f.server.MCP.HandleMessage(f.t.Context(), message))
	var answer struct{ Error struct{ Message string } }
	if err := json.Unmarshal(raw, &answer); err != nil || answer.Error.Message == "" {
		f.t.Fatalf("%s(%v) = %s (%v)", method, params, raw, err)
	}
	return answer.Error.Message
}

// listed returns the URIs of the resources that are listed.
func (f *fixture) listed() (uris []string) {
	f.t.Helper()
	var got struct{ Resources []struct{ URI, Title string } }
	f.request(f.t.Context(), "resources/list", object{}, &got)
	for _, r := range got.Resources {
		if r.Title == "" {
			f.t.Errorf("%s has no title", r.URI)
		}
		uris = append(uris, r.URI)
	}
	return uris
}

// A resource is what the tool returns, and every truncated result links to the whole.
func TestResources(t *testing.T) {
	inBubble(t, func(t *testing.T, f *fixture) {
		build := f.call("build_automation", object{"query": "normal"})
		run := f.runOf(sandbox.Outcome{Result: products(240)}, object{})
		for uri, r := range map[string]result{
			"build://" + build.str("build_id"):       build,
			"run://" + run.str("run_id"):             f.call("get_run", object{"run_id": run.str("run_id")}),
			"function://" + build.str("function_id"): f.call("get_function", object{"function_id": build.str("function_id")}),
		} {
			if got := f.read(uri); got != r.text {
				t.Errorf("%s is\n%s\nand the tool returns\n%s", uri, got, r.text)
			}
		}
		if got := f.read(run.str("result_uri")); len(got) != int(run.object["result_bytes"].(float64)) || !strings.Contains(got, "Item 239") {
			t.Errorf("the whole result has %d bytes", len(got))
		}
		if got := f.listed(); !slices.Equal(got, []string{"build://" + build.str("build_id")}) {
			t.Errorf("listed: %v", got)
		}
	})
}

// What is too large for a resource, or not there, says what to do.
func TestResultsThatAreNoResource(t *testing.T) {
	inBubble(t, func(t *testing.T, f *fixture) {
		large := f.runOf(sandbox.Outcome{Result: strings.Repeat("x", 4<<20)}, object{})
		f.wants(large, false, object{"result_truncated": true, "result_uri": absent})
		if got := f.read("run://" + large.str("run_id") + "/result"); !strings.Contains(got, `"next_step":"The result has 4194306 bytes`) || len(got) > 1000 {
			t.Errorf("got %.300s", got)
		}
		fits := f.runOf(sandbox.Outcome{Result: strings.Repeat("x", 4<<20-2)}, object{})
		if got := f.read(fits.str("result_uri")); len(got) != 4<<20 {
			t.Errorf("%d bytes", len(got))
		}
		running := f.runOf(sandbox.Outcome{After: -1}, object{"wait_seconds": 1})
		if got := f.read("run://" + running.str("run_id") + "/result"); !strings.Contains(got, `"status":"running"`) || !strings.Contains(got, "get_run") {
			t.Errorf("got %s", got)
		}
	})
}

// Only ended builds are listed, 20 of them, the newest first.
func TestListedBuilds(t *testing.T) {
	inBubble(t, func(t *testing.T, f *fixture) {
		var want []string
		for i := range 25 {
			want = append(want, "build://"+f.call("build_automation", object{"query": fmt.Sprint("normal ", i)}).str("build_id"))
			<-time.After(time.Second)
		}
		f.notte.Script("slow", sandbox.Stall())
		f.call("build_automation", object{"query": "slow", "wait_seconds": 1})
		slices.Reverse(want)
		if got := f.listed(); !slices.Equal(got, want[:20]) {
			t.Errorf("listed %v\nwant %v", got, want[:20])
		}
	})
}

// Another owner has none of it, and hears the same of what there is and what there is not.
func TestResourcesOfAnotherOwner(t *testing.T) {
	inBubble(t, func(t *testing.T, f *fixture) {
		build := f.call("build_automation", object{"query": "normal"}).str("build_id")
		run := f.runOf(sandbox.Outcome{Result: 1}, object{}).str("run_id")
		f.serve(tools.Config{Account: always(f.client("sk-test-another"))})
		if got := f.listed(); got != nil {
			t.Errorf("another owner sees %v", got)
		}
		for _, uri := range []string{"build://" + build, "run://" + run, "run://" + run + "/result", "build://" + run, "build://build_none", "run://a%20b", "function://a%20b", "function://none", "no://such", ""} {
			if got := f.refusal("resources/read", object{"uri": uri}); !strings.HasSuffix(got, "resource not found") || strings.Contains(got, "expired") {
				t.Errorf("%q: %s", uri, got)
			}
		}
	})
}

func TestResourcesWithoutKey(t *testing.T) {
	f := newFixture(t, "")
	if got := f.listed(); got != nil {
		t.Errorf("listed %v", got)
	}
	if got := f.refusal("resources/read", object{"uri": "build://x"}); got != "No Notte API key is set. "+noKeyAdvice {
		t.Errorf("refused with %q", got)
	}
}

// A pinned function is listed first, until it is unpinned. Clients are told of both.
func TestListedPins(t *testing.T) {
	inBubble(t, func(t *testing.T, f *fixture) {
		ctx, end := context.WithCancel(t.Context())
		build := f.call("build_automation", object{"query": "normal"})
		f.listed()
		notices := watch(ctx, f.server)
		<-time.After(time.Second / 2) // between two polls
		listed := []string{"function://" + build.str("function_id"), "build://" + build.str("build_id")}
		for _, step := range []struct {
			args object
			want []string
		}{
			{object{"function_id": build.str("function_id"), "name": "mine"}, listed},
			{object{"function_id": "mine", "pinned": false}, listed[1:]},
		} {
			f.pin(step.args)
			<-time.After(2 * time.Second)
			if a, b := <-notices, <-notices; a != mcp.MethodNotificationToolsListChanged || b != mcp.MethodNotificationResourcesListChanged {
				t.Errorf("told %s and %s", a, b)
			}
			if got := f.listed(); !slices.Equal(got, step.want) {
				t.Errorf("listed %v, want %v", got, step.want)
			}
		}
		end()
	})
}
