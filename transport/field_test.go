package transport

import (
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"testing"
)

// fieldReport is a message that a real client sends, and what it gets.
type fieldReport struct{ situation, message, want string }

const (
	pong = `"result":{}`
	done = `"text":"done"`

	noMethod  = `"code":-32600,"message":"The message has no method: give its name as a string."`
	noTool    = `"code":-32602,"message":"There is no tool of that name: the tools are work."`
	noObjects = `"code":-32602,"message":"The params of the request, and their _meta, must be objects."`
	noCursor  = `"code":-32602,"message":"This server gives no cursors, because each of its lists fits into one answer. Leave out the cursor."`
	started   = `"serverInfo":{"name":"worker","version":"1.0.0"}`
)

func twice(name string) string {
	return `"code":-32600,"message":"The message has the member \"` + name + `\" twice in one object: send it once."`
}

// fieldReports are messages of clients that begin with initialize.
var fieldReports = []fieldReport{
	// A gateway checks one member, and the server must not take another for it.
	{"Method beside method", `{"jsonrpc":"2.0","id":1,"method":"ping","Method":"tools/list"}`, pong},
	{"Method before method", `{"jsonrpc":"2.0","id":1,"METHOD":"tools/list","method":"ping"}`, pong},
	{"Method alone", `{"jsonrpc":"2.0","id":1,"Method":"ping"}`, noMethod},
	{"Params beside params", `{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"work"},"Params":{"name":"nope"}}`, done},
	{"Params alone", `{"jsonrpc":"2.0","id":1,"method":"tools/call","Params":{"name":"work"}}`, noTool},
	{"long s in params", `{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"work"},"paramſ":{"name":"nope"}}`, done},
	{"long s alone", `{"jsonrpc":"2.0","id":1,"method":"tools/call","paramſ":{"name":"work"}}`, noTool},
	{"ID beside id", `{"jsonrpc":"2.0","id":1,"method":"ping","ID":2,"Id":3}`, pong},
	{"Jsonrpc alone", `{"Jsonrpc":"2.0","id":1,"method":"ping"}`, `it needs \"jsonrpc\": \"2.0\"`},
	{"Name beside name", `{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"work","Name":"nope","NAME":"nope"}}`, done},
	{"Name alone", `{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"Name":"work"}}`, noTool},
	{"Arguments beside arguments", `{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"work","arguments":{"size":1},"Arguments":{"size":9}}}`, `"text":"donex"`},
	{"argumentſ beside arguments", `{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"work","arguments":{"size":1},"argumentſ":{"size":9}}}`, `"text":"donex"`},
	{"_Meta beside _meta", `{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"work","_Meta":7,"_meta":{}}}`, done},
	{"Cursor", `{"jsonrpc":"2.0","id":1,"method":"tools/list","params":{"Cursor":"zzz"}}`, `"tools":[`},
	{"ProtocolVersion", `{"jsonrpc":"2.0","id":1,"method":"initialize","params":{"protocolVersion":"2025-06-18","ProtocolVersion":"2024-11-05"}}`, `"protocolVersion":"2025-06-18"`},
	{"result beside method", `{"jsonrpc":"2.0","id":1,"method":"ping","result":{}}`, pong},
	{"escaped name", `{"jsonrpc":"2.0","id":1,"\u006dethod":"ping"}`, pong},
	{"escaped capital", `{"jsonrpc":"2.0","id":1,"method":"ping","\u004dethod":"tools/list"}`, pong},

	{"method twice", `{"jsonrpc":"2.0","id":1,"method":"ping","method":"tools/list"}`, twice("method")},
	{"the same method twice", `{"jsonrpc":"2.0","id":1,"method":"ping","method":"ping"}`, twice("method")},
	{"method twice, once escaped", `{"jsonrpc":"2.0","id":1,"method":"ping","m\u0065thod":"tools/list"}`, twice("method")},
	{"jsonrpc twice", `{"jsonrpc":"2.0","id":1,"method":"ping","jsonrpc":"2.0"}`, twice("jsonrpc")},
	{"id twice", `{"jsonrpc":"2.0","id":1,"id":2,"method":"ping"}`, `"id":1,"error":{` + twice("id")},
	{"method twice, then the ID", `{"jsonrpc":"2.0","method":"ping","method":"ping","id":1}`, `"id":1,"error":{` + twice("method")},
	{"params twice", `{"jsonrpc":"2.0","id":1,"method":"ping","params":{},"params":{}}`, twice("params")},
	{"unknown member twice", `{"jsonrpc":"2.0","id":1,"method":"ping","x":1,"x":1}`, twice("x")},
	{"name twice", `{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"nope","name":"work"}}`, twice("name")},
	{"arguments twice", `{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"work","arguments":{},"arguments":{"size":9}}}`, twice("arguments")},
	{"_meta twice", `{"jsonrpc":"2.0","id":1,"method":"ping","params":{"_meta":{},"_meta":{}}}`, twice("_meta")},
	{"token twice", `{"jsonrpc":"2.0","id":1,"method":"ping","params":{"_meta":{"progressToken":1,"progressToken":2}}}`, twice("progressToken")},

	// Windows writes a byte order mark, some at each message.
	{"byte order mark", "\ufeff" + `{"jsonrpc":"2.0","id":1,"method":"ping"}`, pong},
	{"byte order mark and blanks", " \ufeff\t" + `{"jsonrpc":"2.0","id":1,"method":"ping"}` + " \r", pong},
	{"two byte order marks", "\ufeff\ufeff" + `{"jsonrpc":"2.0","id":1,"method":"ping"}`, pong},
	{"byte order mark within", `{` + "\ufeff" + `"jsonrpc":"2.0","id":1,"method":"ping"}`, `"code":-32700,"message":"The message is not valid JSON."`},

	// PHP writes an empty object as [].
	{"params []", `{"jsonrpc":"2.0","id":1,"method":"ping","params":[]}`, pong},
	{"params [] with blanks", `{"jsonrpc":"2.0","id":1,"method":"tools/list","params":[ ]}`, `"tools":[`},
	{"_meta []", `{"jsonrpc":"2.0","id":1,"method":"ping","params":{"_meta":[]}}`, pong},
	{"arguments []", `{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"work","arguments":[]}}`, done},
	{"capabilities []", `{"jsonrpc":"2.0","id":1,"method":"initialize","params":{"protocolVersion":"2025-06-18","capabilities":[],"clientInfo":[]}}`, started},
	{"capabilities of []", `{"jsonrpc":"2.0","id":1,"method":"initialize","params":{"protocolVersion":"2025-06-18",` +
		`"capabilities":{"experimental":[],"roots":[],"sampling":[],"elicitation":{"form":[]},"tasks":{"requests":{"sampling":[]}},"extensions":{"a":[]}}}}`, started},
	{"arguments null", `{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"work","arguments":null,"_meta":null}}`, done},
	{"params [1]", `{"jsonrpc":"2.0","id":1,"method":"ping","params":[1]}`, noObjects},
	{"_meta [{}]", `{"jsonrpc":"2.0","id":1,"method":"ping","params":{"_meta":[{}]}}`, noObjects},

	// Values of another type are refused in plain words, or not read at all.
	{"name 7", `{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":7}}`, `"code":-32602,"message":"The name must be a string."`},
	{"name []", `{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":[]}}`, `"code":-32602,"message":"The name must be a string."`},
	{"protocolVersion 7", `{"jsonrpc":"2.0","id":1,"method":"initialize","params":{"protocolVersion":7}}`, `"code":-32602,"message":"The protocolVersion must be a string."`},
	{"protocolVersion {}", `{"jsonrpc":"2.0","id":1,"method":"initialize","params":{"protocolVersion":{}}}`, `"code":-32602,"message":"The protocolVersion must be a string."`},
	{"clientInfo text", `{"jsonrpc":"2.0","id":1,"method":"initialize","params":{"protocolVersion":"2025-06-18","capabilities":7,"clientInfo":"x"}}`, started},
	{"clientInfo of numbers", `{"jsonrpc":"2.0","id":1,"method":"initialize","params":{"protocolVersion":"2025-06-18","clientInfo":{"name":7,"version":1.0,"icons":{}}}}`, started},
	{"task 7", `{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"work","task":7,"inputResponses":[],"requestState":7}}`, done},
	{"inputResponses 7", `{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"work","inputResponses":7}}`, `"code":-32602,"message":"The inputResponses must be an object."`},
	{"inputResponses of numbers", `{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"work","inputResponses":{"a":7}}}`, done},
	{"cursor of nobody", `{"jsonrpc":"2.0","id":1,"method":"tools/list","params":{"cursor":"zzz"}}`, noCursor},
	{"cursor in base64", `{"jsonrpc":"2.0","id":1,"method":"tools/list","params":{"cursor":"Zm9v"}}`, noCursor},
	{"cursor 7", `{"jsonrpc":"2.0","id":1,"method":"tools/list","params":{"cursor":7}}`, noCursor},
	{"cursor []", `{"jsonrpc":"2.0","id":1,"method":"tools/list","params":{"cursor":[]}}`, noCursor},
	{"cursor empty", `{"jsonrpc":"2.0","id":1,"method":"tools/list","params":{"cursor":""}}`, `"tools":[`},
	{"cursor null", `{"jsonrpc":"2.0","id":1,"method":"tools/list","params":{"cursor":null}}`, `"tools":[`},
	{"huge argument", `{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"work","arguments":{"size":1e400}}}`, `"code":-32602,"message":"A number in the request is too large."`},
	{"huge token", `{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"work","_meta":{"progressToken":1e400}}}`, `"code":-32602,"message":"A number in the request is too large."`},
	{"huge ID", `{"jsonrpc":"2.0","id":1e400,"method":"ping"}`, `"id":1e400,"error":{"code":-32602,"message":"A number in the request is too large."`},
	{"uri 7", `{"jsonrpc":"2.0","id":1,"method":"resources/read","params":{"uri":7}}`, `"code":-32602,"message":"The uri must be a string."`},
	{"level 7", `{"jsonrpc":"2.0","id":1,"method":"logging/setLevel","params":{"level":7}}`, `"code":-32601,"message":"logging not supported"`},
	{"completion of 7", `{"jsonrpc":"2.0","id":1,"method":"completion/complete","params":{"ref":7,"argument":7}}`, `"code":-32601,"message":"completions not supported"`},
	{"taskId 7", `{"jsonrpc":"2.0","id":1,"method":"tasks/get","params":{"taskId":7}}`, `"code":-32601,"message":"tasks not supported"`},
}

const (
	version     = `"io.modelcontextprotocol/protocolVersion":"2026-07-28"`
	modernMeta  = `"_meta":{` + version + `,"io.modelcontextprotocol/clientCapabilities":{}}`
	noCaps      = `"code":-32602,"message":"missing or invalid _meta field io.modelcontextprotocol/clientCapabilities"`
	unsupported = `"supported":["2026-07-28",`
)

// modernReports are messages of clients that send their version with each request.
var modernReports = []fieldReport{
	{"params beside", `{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"work","Name":"nope",` + modernMeta + `}}`, done},
	{"capabilities []", `{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"work","arguments":[],"_meta":{` + version + `,"io.modelcontextprotocol/clientCapabilities":[]}}}`, done},
	{"capabilities of []", `{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"work","_meta":{` + version + `,"io.modelcontextprotocol/clientCapabilities":` +
		`{"experimental":[],"roots":[],"sampling":[],"elicitation":[],"tasks":{"requests":[]},"extensions":[]}}}}`, done},
	{"extension []", `{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"work","_meta":{` + version + `,"io.modelcontextprotocol/clientCapabilities":{"extensions":{"io.modelcontextprotocol/ui":[]}}}}}`, done},
	{"capabilities of numbers", `{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"work","_meta":{` + version + `,"io.modelcontextprotocol/clientCapabilities":{"sampling":7,"roots":"x"}}}}`, done},
	{"capabilities 7", `{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"work","_meta":{` + version + `,"io.modelcontextprotocol/clientCapabilities":7}}}`, noCaps},
	{"capabilities null", `{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"work","_meta":{` + version + `,"io.modelcontextprotocol/clientCapabilities":null}}}`, noCaps},
	{"capabilities in capitals", `{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"work","_meta":{` + version + `,"io.modelcontextprotocol/ClientCapabilities":{}}}}`, noCaps},
	{"clientInfo 7", `{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"work","_meta":{` + version + `,"io.modelcontextprotocol/clientCapabilities":{},"io.modelcontextprotocol/clientInfo":7,"io.modelcontextprotocol/logLevel":7}}}`, done},
	{"huge setting", `{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"work","_meta":{` + version + `,"io.modelcontextprotocol/clientCapabilities":{"extensions":{"a":{"b":1e400}}}}}}`, `A number in the request is too large.`},
	{"name 7", `{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":7,` + modernMeta + `}}`, `"code":-32602,"message":"The name must be a string."`},
	{"cursor of nobody", `{"jsonrpc":"2.0","id":1,"method":"tools/list","params":{"cursor":"zzz",` + modernMeta + `}}`, noCursor},
	{"cursor 7", `{"jsonrpc":"2.0","id":1,"method":"tools/list","params":{"cursor":7,` + modernMeta + `}}`, noCursor},
	{"version twice", `{"jsonrpc":"2.0","id":1,"method":"tools/list","params":{"_meta":{` + version + `,` + version + `}}}`, twice("io.modelcontextprotocol/protocolVersion")},
	{"notifications []", `{"jsonrpc":"2.0","id":1,"method":"subscriptions/listen","params":{"notifications":[],` + modernMeta + `}}`, `"resultType":"complete"`},
	{"notifications 7", `{"jsonrpc":"2.0","id":1,"method":"subscriptions/listen","params":{"notifications":7,` + modernMeta + `}}`, `"code":-32602,"message":"The notifications must be an object."`},
	{"notifications of texts", `{"jsonrpc":"2.0","id":1,"method":"subscriptions/listen","params":{"notifications":{"toolsListChanged":"yes","resourceSubscriptions":7},` + modernMeta + `}}`, `"code":-32602,"message":"The toolsListChanged of a subscription must be true or false."`},
	{"notifications of nobody", `{"jsonrpc":"2.0","id":1,"method":"subscriptions/listen","params":{"notifications":{"promptsListChanged":"yes","resourceSubscriptions":7},` + modernMeta + `}}`, `"resultType":"complete"`},
	{"version of tomorrow", `{"jsonrpc":"2.0","id":1,"method":"tools/list","params":{"_meta":{"io.modelcontextprotocol/protocolVersion":"2031-01-01","io.modelcontextprotocol/clientCapabilities":{}}}}`, unsupported},
	{"resource", `{"jsonrpc":"2.0","id":1,"method":"resources/read","params":{"uri":"file:///x",` + modernMeta + `}}`, `"code":-32601,"message":"resources not supported"`},
}

// internals matches what an answer must not tell: types of Go, and packages.
var internals = regexp.MustCompile(`\bGo \w+|unmarshal|unparsable|json:|base64|mcp\.|\binterface\b|map\[|\bstruct\b`)

func TestFieldReports(t *testing.T) {
	legacyHTTP := newHTTP(t, newFakeServer(), HTTPOptions{})
	session := legacyHTTP.sessions.begin(false)
	for _, report := range fieldReports {
		t.Run(report.situation, func(t *testing.T) {
			checkReport(t, report, overStdio(t, report.message))
			checkReport(t, report, overHTTP(legacyHTTP, report.message, http.Header{"Mcp-Session-Id": {session}}))
		})
	}
	for _, report := range modernReports {
		t.Run("modern "+report.situation, func(t *testing.T) {
			checkReport(t, report, overStdio(t, report.message))
			header := http.Header{"Mcp-Protocol-Version": {"2026-07-28"}, "Mcp-Name": {"work"}}
			if strings.Contains(report.message, "2031") {
				header.Set("Mcp-Protocol-Version", "2031-01-01")
			}
			if strings.Contains(report.message, "uri") {
				header.Set("Mcp-Name", "file:///x")
			}
			m, _ := parseMessage([]byte(report.message))
			header.Set("Mcp-Method", m.method)
			checkReport(t, report, overHTTP(legacyHTTP, report.message, header))
		})
	}
}

func checkReport(t *testing.T, report fieldReport, answer string) {
	t.Helper()
	if !strings.Contains(answer, report.want) {
		t.Errorf("%s\ngot  %s\nwant %s", report.message, answer, report.want)
	}
	if found := internals.FindString(answer); found != "" {
		t.Errorf("%s\nthe answer tells %q: %s", report.message, found, answer)
	}
}

// overStdio returns what the server writes to a message.
func overStdio(t *testing.T, message string) string {
	out := &recorder{}
	if err := ServeStdio(t.Context(), newFakeServer().srv, strings.NewReader(message+"\n"), out, StdioOptions{}); err != nil {
		t.Error(err)
	}
	return out.take()
}

// overHTTP returns the body of the response to a message.
func overHTTP(h *HTTP, message string, header http.Header) string {
	r := httptest.NewRequest(http.MethodPost, "http://127.0.0.1:8808/mcp", strings.NewReader(message))
	r.Header = header
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("Accept", "application/json, text/event-stream")
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w.Body.String()
}

// TestWrongParamsOverHTTP checks the status of an answer to wrong params. Clients with
// a session would not read the error otherwise.
func TestWrongParamsOverHTTP(t *testing.T) {
	h := newHTTP(t, newFakeServer(), HTTPOptions{})
	session := h.sessions.begin(false)
	for version, want := range map[string]int{"": 200, "2025-11-25": 200, "2026-07-28": 400} {
		r := httptest.NewRequest(http.MethodPost, "http://127.0.0.1:8808/mcp", strings.NewReader(`{"jsonrpc":"2.0","id":1,"method":"tools/list","params":{"cursor":"zzz"}}`))
		r.Header = http.Header{"Content-Type": {"application/json"}, "Mcp-Session-Id": {session}, "Mcp-Protocol-Version": {version}}
		w := httptest.NewRecorder()
		h.ServeHTTP(w, r)
		if w.Code != want || !strings.Contains(w.Body.String(), noCursor) {
			t.Errorf("version %q: got %d %s, want %d", version, w.Code, w.Body, want)
		}
	}
}
