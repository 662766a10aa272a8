package e2e_test

import (
	"fmt"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// Messages as hosts and gateways write them. The answer tells what was meant, and
// nothing about how the server is made.
func TestMessages(t *testing.T) {
	t.Parallel()
	_, url := newSandbox(t)
	h, s := newHost(t, url), newHTTPServer(t, url, nil)
	h.connect(legacy)
	web := s.connect(t, legacy).wire.(*webClient)
	internals := regexp.MustCompile(`json:|unmarshal|Go struct|base64|mcp\.`)
	const (
		modernMeta  = `"_meta":{"io.modelcontextprotocol/protocolVersion":"2026-07-28","io.modelcontextprotocol/clientCapabilities":`
		initialize  = `{"jsonrpc":"2.0","id":ID,"method":"initialize","params":{"protocolVersion":"2025-06-18",`
		initialized = `"protocolVersion":"2025-06-18"`
		cursor      = `"message":"This server gives no cursors`
	)
	for i, a := range []struct {
		why, message string
		want         string
		era          era
	}{
		{"a byte order mark of Windows", "\ufeff" + initialize + `"capabilities":{},"clientInfo":{"name":"t","version":"1"}}}`, initialized, legacy},
		{"capabilities of PHP", initialize + `"capabilities":{"experimental":[]},"clientInfo":[]}}`, initialized, legacy},
		{"empty capabilities of PHP", initialize + `"capabilities":[]}}`, initialized, legacy},
		{"empty params of PHP", `{"jsonrpc":"2.0","id":ID,"method":"tools/list","params":[]}`, `"name":"build_automation"`, legacy},
		{"empty arguments of PHP", `{"jsonrpc":"2.0","id":ID,"method":"tools/call","params":{"name":"list_builds","arguments":[],"_meta":[]}}`, `"builds":[`, legacy},
		{"all of them in 2026-07-28", `{"jsonrpc":"2.0","id":ID,"method":"tools/call","params":{"name":"list_builds","arguments":[],` + modernMeta + `{"experimental":[],"extensions":[]}}}}`, `"builds":[`, modern},
		{"no capabilities of PHP", `{"jsonrpc":"2.0","id":ID,"method":"tools/list","params":{` + modernMeta + `[]}}}`, `"name":"build_automation"`, modern},

		{"a method that a gateway did not see", `{"jsonrpc":"2.0","id":ID,"method":"ping","Method":"tools/list"}`, `"result":{}`, legacy},
		{"a tool that a user did not see", `{"jsonrpc":"2.0","id":ID,"method":"tools/call","params":{"name":"list_builds","Name":"build_automation","arguments":{},"Arguments":{"query":"hidden"}}}`, `"builds":[`, legacy},
		{"the same in 2026-07-28", `{"jsonrpc":"2.0","id":ID,"method":"tools/call","params":{"NAME":"build_automation","name":"list_builds",` + modernMeta + `{}}}}`, `"builds":[`, modern},
		{"arguments with a long s", `{"jsonrpc":"2.0","id":ID,"method":"tools/call","params":{"name":"build_automation","argumentſ":{"query":"hidden"}}}`, "query must be", legacy},
		{"a method twice", `{"jsonrpc":"2.0","id":ID,"method":"ping","method":"tools/list"}`, `the member \"method\" twice`, legacy},
		{"a name twice", `{"jsonrpc":"2.0","id":ID,"method":"tools/call","params":{"name":"list_builds","name":"build_automation"}}`, `the member \"name\" twice`, legacy},
		{"arguments twice", `{"jsonrpc":"2.0","id":ID,"method":"tools/call","params":{"name":"build_automation","arguments":{"query":"shown"},"arguments":{"query":"hidden"}}}`, `the member \"arguments\" twice`, legacy},

		{"a cursor of nobody", `{"jsonrpc":"2.0","id":ID,"method":"tools/list","params":{"cursor":"zzz"}}`, cursor, legacy},
		{"a cursor that is a number", `{"jsonrpc":"2.0","id":ID,"method":"tools/list","params":{"cursor":7,` + modernMeta + `{}}}}`, cursor, modern},
		{"a version that is a number", `{"jsonrpc":"2.0","id":ID,"method":"initialize","params":{"protocolVersion":2025}}`, "The protocolVersion must be a string.", legacy},
		{"a name that is a number", `{"jsonrpc":"2.0","id":ID,"method":"tools/call","params":{"name":7}}`, "The name must be a string.", legacy},
		{"a client that is a string", initialize + `"capabilities":7,"clientInfo":"t"}}`, initialized, legacy},
		{"params that are a list", `{"jsonrpc":"2.0","id":ID,"method":"tools/call","params":[1]}`, "must be objects", legacy},
		{"arguments that are a list", `{"jsonrpc":"2.0","id":ID,"method":"tools/call","params":{"name":"list_builds","arguments":[1]}}`, "must be one JSON object", legacy},
	} {
		id := 1000 + i
		sent := strings.ReplaceAll(a.message, "ID", fmt.Sprint(id))
		h.write(sent + "\n")
		var answer string
		h.stdout.await(t, a.why, func(line string, m message) bool { answer = line; return m.answers(id) })
		header := web.header("tools/call", nil)
		if a.era == modern {
			header = http.Header{"Content-Type": {"application/json"}, "Mcp-Protocol-Version": {string(modern)}, "Mcp-Name": {"list_builds"}, "Mcp-Method": {"tools/list"}}
			if strings.Contains(sent, "tools/call") {
				header.Set("Mcp-Method", "tools/call")
			}
		}
		_, body := s.do(t, http.MethodPost, "/mcp", sent, header)
		for transport, got := range map[string]string{"stdio": answer, "http": body} {
			if !strings.Contains(strings.ReplaceAll(got, `\"builds\"`, `"builds"`), a.want) || internals.MatchString(got) {
				t.Errorf("%s over %s: %s\ngot %s\nwant %s", a.why, transport, sent, got, a.want)
			}
		}
	}
	if n := len(slices.Collect(strings.Lines(h.stderr.String()))); n > 30 {
		t.Errorf("logged %d lines", n)
	}
}

// One client gives all its requests the ID 1, and shares its session between chats.
// Each request is answered on its own response.
func TestSameID(t *testing.T) {
	inBothContracts(t, func(t *testing.T, api *service, url string) {
		s := newHTTPServer(t, url, nil)
		w := s.connect(t, legacy).wire.(*webClient)
		post := func(tool, arguments string) string {
			_, body := s.do(t, http.MethodPost, "/mcp", fmt.Sprintf(
				`{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":%q,"arguments":%s}}`, tool, arguments), w.header("tools/call", nil))
			return body
		}
		wait, open := gate(t)
		api.Script("slow", statusEvent("planning"), wait, done("fn"))
		built := make(chan string)
		go func() { built <- post("build_automation", `{"query":"slow"}`) }()
		for requests(api, "POST", "/start") == 0 {
			// The build has not begun yet.
			if body := post("list_builds", `{}`); !strings.Contains(body, `"result"`) {
				t.Fatalf("got %s", body)
			}
		}
		for range 50 {
			s.http.CloseIdleConnections()
			if body := post("list_builds", `{"limit":1}`); !strings.Contains(body, `slow`) {
				t.Fatalf("got %s", body)
			}
		}
		open()
		if body := <-built; !strings.Contains(body, `"status":"done"`) {
			t.Errorf("the build returned %s", body)
		}
	})
}
