package transport

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/mark3labs/mcp-go/mcp"
)

func TestParseMessage(t *testing.T) {
	for _, tt := range []struct {
		raw                        string
		id, method, token, version string
	}{
		{`{"jsonrpc":"2.0","id":12345678901234567890,"method":"m"}`, "12345678901234567890", "m", "", ""},
		{`{"jsonrpc":"2.0","id":"7","method":"m","params":{"_meta":{"progressToken":"7"}}}`, `"7"`, "m", `"7"`, ""},
		{`{"jsonrpc":"2.0","id":7,"method":"m","params":{"_meta":{"progressToken":0}}}`, "7", "m", "0", ""},
		{`{"jsonrpc":"2.0","id":7,"method":"m","params":{"_meta":{"progressToken":9007199254740993}}}`, "7", "m", "9007199254740993", ""},
		{`{"jsonrpc":"2.0","id":7,"method":"m","params":{"_meta":{"progressToken":1.5}}}`, "7", "m", "", ""},
		{`{"jsonrpc":"2.0","id":7,"method":"m","params":{"_meta":{"progressToken":null}}}`, "7", "m", "", ""},
		{`{"jsonrpc":"2.0","id":7,"method":"m","params":{"_meta":null}}`, "7", "m", "", ""},
		{`{"jsonrpc":"2.0","method":"m","params":[]}`, "", "m", "", ""},
		{`{"jsonrpc":"2.0","id":1,"method":"m","params":{"_meta":{"io.modelcontextprotocol/protocolVersion":"2026-07-28"}}}`, "1", "m", "", "2026-07-28"},
		{`{"jsonrpc":"2.0","id":1,"method":"m","params":{"_meta":{"io.modelcontextprotocol/protocolVersion":5}}}`, "1", "m", "", ""},
	} {
		m, bad := parseMessage([]byte(tt.raw))
		if bad != nil {
			t.Errorf("%s: %s", tt.raw, bad.text)
		}
		if string(m.id) != tt.id || m.method != tt.method || string(m.token) != tt.token || m.version != tt.version {
			t.Errorf("%s: got %q, %q, %q, %q", tt.raw, m.id, m.method, m.token, m.version)
		}
	}
}

func TestIDKey(t *testing.T) {
	keys := make(map[string]string)
	for _, id := range []string{`7`, `"7"`, `7.0`, `-7`, `""`, `9007199254740992`, `9007199254740993`, `"\"7"`} {
		key := idKey(json.RawMessage(id))
		if other, ok := keys[key]; ok {
			t.Errorf("%s and %s have the same key", id, other)
		}
		keys[key] = id
	}
	if idKey(json.RawMessage(`"a"`)) != idKey(json.RawMessage(`"\u0061"`)) {
		t.Error("the same string, written in two ways, has two keys")
	}
}

// FuzzEnvelope checks what the transports rely on: a message is a request, a
// notification, a response or an error, and its ID and token can be echoed.
func FuzzEnvelope(f *testing.F) {
	for _, seed := range []string{
		`{"jsonrpc":"2.0","id":1,"method":"ping"}`, `{"jsonrpc":"2.0","method":"m","params":{"_meta":{"progressToken":"x"}}}`,
		`[{}]`, `{"jsonrpc":"2.0","id":1.5e3,"result":null}`, `{"id":"\ud800","jsonrpc":"2.0","method":"m"}`, "\xff", `null`,
		`{"jsonrpc":"2.0","ID":1,"id":{},"method":"m"}`, strings.Repeat(`{"a":`, 50),
		`{"jsonrpc":"2.0","id":1,"method":"ping","Method":"x","method":"x"}`, "\ufeff" + `{"jsonrpc":"2.0","method":"m","param\u017f":{}}`,
		`{"jsonrpc":"2.0","id":1,"m\u0065thod":"tools/call","params":{"name":"x","Name":1,"arguments":[ ],"_meta":[],"cursor":""}}`,
		`{"jsonrpc":"2.0","id":1,"method":"m","params":{"_meta":{"io.modelcontextprotocol\/clientCapabilities":{"extensions":{"a":[],"b":null,"a\"":{}}}}}}`,
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, raw []byte) {
		raw = trimMessage(raw)
		m, bad := parseMessage(raw)
		if bad == nil && !json.Valid(raw) {
			t.Error("accepted what is not JSON")
		}
		if bad == nil && m.response == (m.method != "") {
			t.Errorf("neither request nor response: %+v", m)
		}
		if bad != nil && (bad.text == "" || bad.code == 0) {
			t.Errorf("an error without a code or text: %+v", bad)
		}
		for _, value := range []json.RawMessage{m.id, m.token} {
			if value != nil && !json.Valid(value) {
				t.Errorf("%q cannot be echoed", value)
			}
		}
		if bad == nil && !m.response {
			checkExact(t, raw, m)
		}
		line, _ := encodeResponse(m.id, mcp.NewJSONRPCResultResponse(mcp.RequestId{}, struct{}{}))
		if !json.Valid(line) || strings.Count(string(line), "\n") != 1 && !strings.Contains(string(m.id), "\n") {
			t.Errorf("the answer is not a line of JSON: %q", line)
		}
	})
}

// checkExact checks that mcp-go gets what raw says under the exact names, and no
// other names.
func checkExact(t *testing.T, raw []byte, m message) {
	t.Helper()
	var given, got map[string]json.RawMessage // the names of maps match exactly
	if err := json.Unmarshal(raw, &given); err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(m.exact, &got); err != nil {
		t.Fatalf("%s: %v", m.exact, err)
	}
	for _, name := range []string{"jsonrpc", "id", "method"} {
		if string(got[name]) != string(given[name]) {
			t.Errorf("%s: the member %s of %s differs", m.exact, name, raw)
		}
		delete(got, name)
	}
	if string(got["params"]) != string(m.params) || len(got) != 1 {
		t.Errorf("%s: more than the params are left: %v", m.exact, got)
	}
	var params map[string]json.RawMessage
	if err := json.Unmarshal(m.params, &params); err != nil {
		t.Fatalf("%s: %v", m.params, err)
	}
	for name := range params {
		if _, known := paramsShape.members[name]; !known {
			t.Errorf("%s: the member %q is not known", m.exact, name)
		}
	}
	again, bad := parseMessage(m.exact)
	if bad != nil || string(again.exact) != string(m.exact) || again.method != m.method || again.version != m.version ||
		string(again.token) != string(m.token) || string(again.caps) != string(m.caps) {
		t.Errorf("%s was read as %+v, then as %+v, %v", raw, m, again, bad)
	}
}
