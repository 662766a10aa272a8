package notte

import (
	"encoding/json"
	"log/slog"
	"math"
	"reflect"
	"strings"
	"testing"
)

// decodeOne returns the event that the data of one holds.
func decodeOne(typ, data string) (ev Event, err error) {
	d := decoder{turn: newTurn(testClient(slog.DiscardHandler), func(string, int) {})}
	_, err = d.decode(typ, data, func(e Event) bool { ev = e; return true })
	return ev, err
}

func TestDecodeEvent(t *testing.T) {
	for _, tt := range []struct{ data, want string }{
		{`{"type":"status","status":"running","name":"not its field"}`, "status running"},
		{`{"type":"status","status":3}`, "status 3"},
		{`{"type":"status","status":{"a":1}}`, "status"},
		{`{"status":"late","type":"status"}`, "status late"},
		{`{"type":"status","status":"a","status":"b"}`, "status b"},
		{`{"type":"thinking_delta","delta":"a\nb\u00e9\ud83d\ude42"}`, "thinking_delta a\nbé🙂"},
		{`{"type":"text_delta","delta":"x"}`, "text_delta x"},
		{`{"type":"text_delta","delta":null}`, "text_delta"},
		{`{"type":"tool_start","name":"page_goto"}`, "tool_start page_goto"},
		{`{"type":"tool_result","content":"secret","name":"n"}`, "tool_result"},
		{`{"type":"message_complete","role":"assistant"}`, "message_complete assistant"},
		{`{"type":"notte_session_data","viewer_url":"https://v.test/?token=1"}`, "notte_session_data https://v.test/?token=1"},
		{`{"type":"function_uploaded","function_id":"f1","function_name":"Top","created_at":"2026-01-02"}`, "function_uploaded f1 Top 2026-01-02"},
		{`{"type":"function_uploaded","function_id":12}`, "function_uploaded 12"},
		{`{"type":"done","metadata":{"thread_id":"t"},"total_cost_usd":0.43,"function_id":"f"}`, "done f cost=0.43 t"},
		{`{"type":"done","metadata":null,"total_cost_usd":null,"function_id":null}`, "done"},
		{`{"type":"done","metadata":"{\"thread_id\":1}"}`, "done"},
		{`{"type":"done","total_cost_usd":"0.43"}`, "done cost=0.43"},
		{`{"type":"done","total_cost_usd":" $0.43 "}`, "done cost=0.43"},
		{`{"type":"done","total_cost_usd":0}`, "done cost=0"},
		{`{"type":"done","total_cost_usd":-1}`, "done"},
		{`{"type":"done","total_cost_usd":1e999}`, "done"},
		{`{"type":"done","total_cost_usd":NaN,"function_id":"NaN"}`, "done NaN"},
		{`{"type":"done","total_cost_usd":"inf"}`, "done"},
		{`{"type":"done","total_cost_usd":true}`, "done"},
		{`{"type":"done","total_cost_usd":[1]}`, "done"},
		{`{"type":"error","error":"E","detail":"d"}`, "error E d"},
		{`{"type":"error","error":{"code":"rate","message":"slow down"},"detail":[{"loc":["body","query"],"msg":"too long"}]}`, "error slow down (rate) query: too long"},
		{`{"type":"error","message":"only this"}`, "error only this"},
		{`{"type":"timeout","reason":"r","detail":"d"}`, "timeout d r"},
		{`{"type":"cancelled","reason":"r"}`, "cancelled r"},
		{`{"type":"log","message":"\u001b[32mhi\u001b[0m"}`, "log \x1b[32mhi\x1b[0m"},
		{`{"type":"session_start","message":"s1"}`, "session_start s1"},
		{`{"type":"result","message":"{\"status\":\"closed\",\"result\":{\"a\": [1, 2]}}"}`, `result result=closed {"a":[1,2]}`},
		{`{"type":"result","message":{"status":"Failed","result":"x"}}`, `result result=failed "x"`},
		{`{"type":"result","status":"closed","result":null}`, `result result=closed `},
		{`{"type":"result","message":"{\"status\":\"closed\",\"result\":NaN}"}`, `result result=closed `},
		{`{"type":"result","message":"no <JSON>"}`, `result result= "no <JSON>"`},
		{`{"type":"novelty","message":"m"}`, "novelty"},
		{`{"type":null}`, "beside"},
		{`{}`, "beside"},
	} {
		ev, err := decodeOne("beside", tt.data)
		if got := describe(ev); got != tt.want || err != nil {
			t.Errorf("%s\n is %q, %v\nwant %q", tt.data, got, err, tt.want)
		}
		if ev.Size != len(tt.data) {
			t.Errorf("%s has size %d", tt.data, ev.Size)
		}
	}
	for _, data := range []string{"", " ", "x", "1", "[]", `{"a":1`, `{"a":1}{`, `{"a":"` + "\n" + `"}`, strings.Repeat("[", 1<<20), `{"a":` + strings.Repeat("[", 5000) + strings.Repeat("]", 5000) + "}"} {
		if ev, err := decodeOne("", data); err == nil {
			t.Errorf("%.40q is %v", data, ev)
		}
	}
}

// TestEventAsJSON checks that an event's JSON has Notte's own names and gives the
// event back.
func TestEventAsJSON(t *testing.T) {
	usd := 0.0
	all := Event{
		Type: "t", Status: "s", Delta: "d", Name: "n", Role: "r", ViewerURL: "v", FunctionID: "fi", FunctionName: "fn", CreatedAt: "c",
		TotalCostUSD: &usd, ThreadID: "ti", Error: "e", Detail: "de", Reason: "re", Message: "m",
		ThreadURL: "tu", FunctionFrom: "ff", FunctionVersion: "fv", Warning: "w",
		Result: &RunResult{RunID: "not stored"}, Size: 7,
	}
	for _, tt := range []struct {
		ev   Event
		want string
	}{
		{all, `{"type":"t","status":"s","delta":"d","name":"n","role":"r","viewer_url":"v","function_id":"fi","function_name":"fn","created_at":"c","total_cost_usd":0,"thread_id":"ti","error":"e","detail":"de","reason":"re","message":"m","thread_url":"tu","function_from":"ff","function_version":"fv","warning":"w"}`},
		{Event{Type: EventDone}, `{"type":"done"}`},
	} {
		got, err := json.Marshal(tt.ev)
		if string(got) != tt.want || err != nil {
			t.Errorf("got  %s, %v\nwant %s", got, err, tt.want)
		}
		var back Event
		if err := json.Unmarshal(got, &back); err != nil {
			t.Error(err)
		}
		tt.ev.Result, tt.ev.Size = nil, 0
		if !reflect.DeepEqual(back, tt.ev) {
			t.Errorf("read back as %+v", back)
		}
	}
}

func TestDecodeEventLarge(t *testing.T) {
	data := `{"type":"tool_result","content":"` + strings.Repeat(`\n`, 4<<20) + `"}`
	d := decoder{turn: newTurn(testClient(slog.DiscardHandler), nil)}
	if n := testing.AllocsPerRun(3, func() {
		d.decode("", data, func(ev Event) bool {
			if ev.Type != EventToolResult || ev.Size != len(data) {
				t.Error(ev.Type, ev.Size)
			}
			return true
		})
	}); n > 2 {
		t.Errorf("%v allocations for content that is not kept", n)
	}
}

func TestRunResultIDs(t *testing.T) {
	want := RunResult{RunID: "r", SessionID: "s", Status: RunClosed}
	for _, message := range []string{
		`{"function_id":"f","function_run_id":"r","session_id":"s","status":"closed"}`,
		`{"workflow_id":"f","workflow_run_id":"r","session_id":"s","status":"closed"}`,
	} {
		quoted, _ := json.Marshal(message)
		ev, err := decodeOne("", `{"type":"result","message":`+string(quoted)+`}`)
		if err != nil || ev.Result == nil {
			t.Fatal(ev, err)
		}
		if got := *ev.Result; got.RunID != want.RunID || got.SessionID != want.SessionID || got.Status != want.Status || got.Result != nil {
			t.Errorf("%s is %+v", message, got)
		}
	}
}

func TestFailure(t *testing.T) {
	const trace = "Traceback (most recent call last):\n  File \"x.py\", line 3, in <module>\n    run()\nValueError: no such page\n"
	for _, tt := range []struct {
		status       RunStatus
		result, want string
	}{
		{RunClosed, `{"items":[]}`, ""},
		{RunClosed, ``, ""},
		{RunClosed, `"all fine"`, ""},
		{RunClosed, `{"log":"` + executionFailed + `"}`, ""},
		{RunClosed, `"Script execution failed: boom"`, "Script execution failed: boom"},
		{RunClosed, quote(trace), "ValueError: no such page"},
		{RunClosed, quote("Script execution failed: " + trace), "Script execution failed: ValueError: no such page"},
		{RunClosed, quote("\n  Script execution failed:\n\x1b[31mboom\x1b[0m\n"), "Script execution failed: boom"},
		{RunFailed, `"boom"`, "boom"},
		{RunFailed, `{"error":"boom"}`, `{"error":"boom"}`},
		{RunFailed, ``, "Notte says that the run failed, but not why"},
		{RunActive, quote(trace), ""},
		{RunClosed, quote("\n " + trace), "ValueError: no such page"},
		{RunClosed, quote("opened the page\n" + trace), "opened the page: ValueError: no such page"},
		{RunClosed, quote("opened the page\r\n" + trace), "opened the page: ValueError: no such page"},
		{RunClosed, quote("  + Exception Group " + trace + "\n"), "+ Exception Group: ValueError: no such page"},
		// Results that quote a traceback.
		{RunClosed, quote("The issue says: " + trace), ""},
		{RunClosed, quote("Post 1\n> " + trace), ""},
		{RunClosed, quote("How to read \"Traceback (most recent call last)\" in Python"), ""},
		{RunClosed, `["` + traceback + `"]`, ""},
		{RunClosed, quote("the page said Script execution failed: boom"), ""},
	} {
		r := RunResult{Status: tt.status, Result: json.RawMessage(tt.result)}
		if got := r.Failure(); got != tt.want {
			t.Errorf("%s %s: %q, want %q", tt.status, tt.result, got, tt.want)
		}
	}
	for _, tt := range []struct {
		status       RunStatus
		result, want string
	}{
		{RunClosed, "{'items': []}", ""},
		{RunClosed, "{'page': 'Traceback (most recent call last)'}", ""},
		{RunClosed, "'fine'", ""},
		{RunClosed, trace, "ValueError: no such page"},
		{RunClosed, `'line 1\nTraceback (most recent call last):\n  File "x"\nKeyError: 1'`, "line 1: KeyError: 1"},
		{RunClosed, "'He asked what Traceback (most recent call last): means\\nand why'", ""},
		{RunClosed, `'Script execution failed: Traceback (most recent call last):\n  File "x"\nKeyError: \'a\''`, "Script execution failed: KeyError: 'a'"},
		{RunFailed, "", "Notte says that the run failed, but not why"},
		{RunCreated, "", ""},
	} {
		if got := (Run{Status: tt.status, Result: tt.result}).Failure(); got != tt.want {
			t.Errorf("%s %s: %q, want %q", tt.status, tt.result, got, tt.want)
		}
	}
	long := RunResult{Status: RunFailed, Result: json.RawMessage(quote(strings.Repeat("é", 9000)))}
	if n := len([]rune(long.Failure())); n != maxMessage {
		t.Errorf("a failure of %d characters", n)
	}
}

func quote(s string) string {
	b, _ := json.Marshal(s)
	return string(b)
}

func FuzzDecodeEvent(f *testing.F) {
	for _, s := range []string{
		`{"type":"done","total_cost_usd":"0.43","metadata":{"thread_id":1}}`,
		`{"type":"result","message":"{\"status\":\"closed\",\"result\":[1,NaN]}"}`,
		`{"type":"error","error":{"error":{"error":[{"loc":["body",1],"msg":"m"}]}}}`,
		`{"type":"log","message":"\ud800 \udfff"}`,
	} {
		f.Add("", s)
	}
	f.Fuzz(func(t *testing.T, typ, data string) {
		ev, err := decodeOne(typ, data)
		if err != nil {
			if json.Valid([]byte(data)) && len(data) < maxNesting && strings.HasPrefix(strings.TrimSpace(data), "{") {
				t.Errorf("%q is an object and was refused", data)
			}
			return
		}
		if c := ev.TotalCostUSD; c != nil && (*c < 0 || math.IsNaN(*c) || math.IsInf(*c, 0)) {
			t.Errorf("a cost of %v", *c)
		}
		if r := ev.Result; r != nil && r.Result != nil && !json.Valid(r.Result) {
			t.Errorf("a result of %q", r.Result)
		}
	})
}
