package notte

import (
	"encoding/json"
	"fmt"
	"net/url"
	"strings"
	"testing"
)

// quoted returns s as a JSON string.
func quoted(s string) string {
	b, _ := json.Marshal(s)
	return string(b)
}

// findsOf returns what a stream tells of functions, viewers and threads, one a
// line, and its end.
func findsOf(t *testing.T, s *Stream) string {
	t.Helper()
	var finds []string
	for ev, err := range s.Events() {
		if err != nil {
			t.Fatal(err)
		}
		switch ev.Type {
		case EventFunctionUploaded, EventSessionData, EventThread, EventDone, EventError, EventCancelled, EventTimeout:
			finds = append(finds, describe(ev))
		}
	}
	return strings.Join(finds, "\n")
}

// TestFunctionIsFound looks for a function in the data of a chunk "data-x", in
// metadata and in a tool's output.
func TestFunctionIsFound(t *testing.T) {
	deep := func(n int, v string) string {
		return strings.Repeat(`{"a":`, n) + v + strings.Repeat("}", n)
	}
	text := func(s string) string { return `{"content":[{"type":"text","text":` + quoted(s) + `}]}` }
	for _, tt := range []struct{ name, payload, want string }{
		{"function_id", `{"function_id":"f1"}`, "f1"},
		{"functionId", `{"functionId":"f1"}`, "f1"},
		{"workflow_id", `{"workflow_id":"f1"}`, "f1"},
		{"workflowId", `{"workflowId":"f1"}`, "f1"},
		{"both names of one ID", `{"function_id":"f1","workflow_id":"f1"}`, "f1"},
		{"two IDs", `{"function_id":"f1","workflow_id":"f2"}`, ""},
		{"with a name and more", `{"function_id":"f1","function_name":"top","version":2,"created_at":"2026-01-02"}`, "f1 top 2026-01-02 v2"},
		{"with a plain name", `{"functionId":"f1","name":"top","latest_version":"3"}`, "f1 top v3"},
		{"with a label", `{"functionId":"f1","label":"top"}`, "f1 top"},
		{"with two names", `{"name":"run 7","functionId":"f1","functionName":"top"}`, "f1 top"},
		{"with a name elsewhere", `{"function_name":"top","result":{"function_id":"f1"}}`, "f1 top"},
		{"in a function", `{"function":{"id":"f1","name":"top"}}`, "f1 top"},
		{"in a workflow", `{"status":"ok","workflow":{"id":"f1"}}`, "f1"},
		{"told twice", `{"function_id":"f1","function":{"id":"f1","name":"top"}}`, "f1 top"},
		{"a plain id", `{"id":"f1"}`, ""},
		{"a plain id deeper in a function", `{"function":{"owner":{"id":"u1"}}}`, ""},
		{"in a list of one", `[{"function_id":"f1"}]`, "f1"},
		{"in a list of two", `[{"function_id":"f1"},{"function_id":"f2"}]`, ""},
		{"in a list of ten that are one", `[` + strings.Repeat(`{"function_id":"f1"},`, 9) + `{"function_id":"f1","name":"top"}]`, "f1 top"},
		{"in a page of functions", `{"items":[{"function_id":"f1"},{"function_id":"f2"},{"function_id":"f3"}]}`, ""},
		{"the new one beside old ones", `{"created":{"function_id":"f1"},"existing":[{"function_id":"f2"}]}`, ""},
		{"six levels deep", deep(6, `{"function_id":"f1"}`), "f1"},
		{"too deep", deep(20, `{"function_id":"f1"}`), ""},
		{"a string that is JSON", quoted(`{"function_id":"f1"}`), "f1"},
		{"a string with JSON in it", quoted(`done: {"function_id":"f1"}`), ""},
		{"prose", quoted("the function_id is f1"), ""},
		{"text content", text(`{"function_id":"f1","name":"top"}`), "f1 top"},
		{"text content in spaces", text("\n{\"function_id\": \"f1\"}\n"), "f1"},
		{"text content, six levels deep", text(deep(6, `{"function_id":"f1"}`)), "f1"},
		{"text content of prose", text(`The page says {"function_id":"f1"}.`), ""},
		{"a member that is JSON", `{"result":` + quoted(`{"function_id":"f1"}`) + `}`, "f1"},
		{"quoted JSON beside the function", `{"function_id":"f1","page":` + quoted(`{"function_id":"f2","functionName":"x"}`) + `}`, "f1 x"},
		{"quoted JSON with two", `{"page":` + quoted(`[{"function_id":"f1"},{"function_id":"f2"}]`) + `}`, ""},
		{"HTML", `{"html":"<script>{\"function_id\":\"f1\"}</script>"}`, ""},
		{"no ID", `{"function_id":null}`, ""},
		{"a number", `{"function_id":12}`, ""},
		{"a path", `{"function_id":"../runs"}`, ""},
		{"too long", `{"function_id":"` + strings.Repeat("f", 129) + `"}`, ""},
		{"a path beside an ID", `{"function_id":"a/b","workflow_id":"f1"}`, "f1"},
		{"null", `null`, ""},
		{"not JSON", `{"page":"{\"function_id\":"}`, ""},
	} {
		for place, chunk := range map[string]string{
			FunctionFromData:     `{"type":"data-x","data":` + tt.payload + `}`,
			FunctionFromMetadata: `{"type":"message-metadata","messageMetadata":` + tt.payload + `}`,
			FunctionFromTool:     `{"type":"tool-output-available","toolCallId":"c","output":` + tt.payload + `}`,
		} {
			got := ""
			for ev, err := range testStream(strings.NewReader(chunks(chunk, finish, end))).Events() {
				if err != nil {
					t.Fatal(err)
				}
				if ev.Type == EventFunctionUploaded {
					got = strings.Join(strings.Fields(ev.FunctionID+" "+ev.FunctionName+" "+ev.CreatedAt), " ")
					if ev.FunctionVersion != "" {
						got += " v" + ev.FunctionVersion
					}
					if ev.FunctionFrom != place {
						t.Errorf("%s in %s: from %q", tt.name, place, ev.FunctionFrom)
					}
				}
			}
			if got != tt.want {
				t.Errorf("%s in %s: got %q, want %q", tt.name, place, got, tt.want)
			}
		}
	}
}

// TestPlainIDInAFunctionChunk reads chunks whose name says that they are about a
// function. Only there does a plain "id" count.
func TestPlainIDInAFunctionChunk(t *testing.T) {
	for chunk, want := range map[string]string{
		`{"type":"data-function","data":{"id":"f1","owner":{"id":"u1"}}}`:                     "f1",
		`{"type":"data-function","data":[{"id":"f1"}]}`:                                       "f1",
		`{"type":"data-workflow","data":{"id":"f1"}}`:                                         "f1",
		`{"type":"data-function-id","data":"f1"}`:                                             "f1",
		`{"type":"data-functionId","data":"f1"}`:                                              "f1",
		`{"type":"data-new-function","data":{"id":"f1","steps":[{"id":"s1"}]}}`:               "f1",
		`{"type":"data-notteFunction","data":{"id":"f1","owner":{"function_id":"f2"}}}`:       "f2",
		`{"type":"data-function-uploaded","data":{"session":{"id":"s1"},"user":{"id":"u1"}}}`: "",
		`{"type":"data-functions","data":[{"id":"f1"},{"id":"f2"}]}`:                          "",
		`{"type":"data-session","data":{"id":"s1"}}`:                                          "",
		`{"type":"data-function","id":"f1","data":{}}`:                                        "",
		`{"type":"data-function","data":"f1"}`:                                                "",
	} {
		got, _, _ := strings.Cut(findsOf(t, testStream(strings.NewReader(chunks(chunk, end)))), "\ndone")
		if want != "" {
			want = "function_uploaded " + want + " data"
		}
		if !strings.HasPrefix(got, want) || want == "" && strings.Contains(got, "uploaded") {
			t.Errorf("%s: got %q, want %q", chunk, got, want)
		}
	}
}

// TestFinds reads streams that tell more than once of a function, or plant one.
func TestFinds(t *testing.T) {
	tool := func(output string) string {
		return `{"type":"tool-output-available","toolCallId":"c","output":` + output + `}`
	}
	for _, tt := range []struct {
		name   string
		chunks []string
		want   string
	}{
		{"the same twice", []string{tool(`{"function_id":"f1"}`), tool(`{"function_id":"f1"}`), finish}, "function_uploaded f1 tool\ndone"},
		{"the same in a better place", []string{tool(`{"function_id":"f1"}`), `{"type":"data-x","data":{"function_id":"f1"}}`, finish}, "function_uploaded f1 tool\nfunction_uploaded f1 data\ndone"},
		{"the same in a worse place", []string{`{"type":"data-x","data":{"function_id":"f1"}}`, tool(`{"function_id":"f1"}`), finish}, "function_uploaded f1 data\ndone"},
		{"the same with a name", []string{tool(`{"function_id":"f1"}`), tool(`{"function_id":"f1","name":"top"}`), finish}, "function_uploaded f1 tool\nfunction_uploaded f1 top tool\ndone"},
		{"one, another, the one", []string{tool(`{"function_id":"f1"}`), tool(`{"function_id":"f2"}`), tool(`{"function_id":"f1"}`), finish}, "function_uploaded f1 tool\nfunction_uploaded f2 tool\nfunction_uploaded f1 tool\ndone"},
		{"in the metadata of the finish", []string{`{"type":"finish","messageMetadata":{"function_id":"f1","cost":0.1}}`}, "function_uploaded f1 metadata\ndone cost=0.1"},
		{"a transient chunk alone", []string{`{"type":"data-x","data":{"workflowId":"f1"},"transient":true}`, finish}, "function_uploaded f1 data\ndone"},
		{"behind an error", []string{`{"type":"error","errorText":"no luck"}`, tool(`{"function_id":"f1"}`), finish}, "function_uploaded f1 tool\nerror no luck"},
		{"behind the finish", []string{finish, `{"type":"data-x","data":{"function_id":"f1"}}`}, "function_uploaded f1 data\ndone"},
		{"in a tool's input", []string{`{"type":"tool-input-available","toolCallId":"c","toolName":"t","input":{"function_id":"f1"}}`, finish}, "done"},
		{"in a failed tool's text", []string{`{"type":"tool-output-error","toolCallId":"c","errorText":"{\"function_id\":\"f1\"}"}`, finish}, "done"},
		{"in the agent's text", []string{textOf("t", `{\"function_id\":\"f1\"}`), finish}, "done"},
		{"in a preliminary output", []string{`{"type":"tool-output-available","toolCallId":"c","output":{"function_id":"f1"},"preliminary":true}`, tool(`{}`), finish}, "done"},
		{"in an unknown chunk", []string{`{"type":"novel-chunk","function_id":"f1"}`, finish}, "done"},
		{"in an event of v1", []string{`{"type":"function_uploaded","function_id":"f1","function_name":"top"}`, finish}, "function_uploaded f1 top\ndone"},
		{"in a large tool output", []string{tool(`{"function_id":"f1","page":"` + strings.Repeat("x", 900<<10) + `"}`), finish}, "function_uploaded f1 tool\ndone"},
		{"in a tool output that is too large", []string{tool(`{"function_id":"f1","page":"` + strings.Repeat("x", 10<<20) + `"}`), finish}, "done"},
		{"in data that is too large", []string{`{"type":"data-x","data":{"function_id":"f1","page":"` + strings.Repeat("x", 1<<20) + `"}}`, finish}, "done"},
		{"the thread in metadata", []string{`{"type":"start","messageMetadata":{"threadId":"t1"}}`, `{"type":"data-x","data":{"threadId":"t2"}}`, finish}, "thread t1\ndone t1"},
		{"the thread in a tool's output", []string{tool(`{"thread_id":"t1"}`), finish}, "done"},
		{"a thread that is none", []string{`{"type":"start","messageMetadata":{"threadId":"a b"}}`, finish}, "done"},
		{"the viewer twice", []string{`{"type":"data-x","data":{"viewerUrl":"https://viewer.notte.cc/1"}}`, tool(`{"viewer_url":"https://viewer.notte.cc/1"}`), finish}, "notte_session_data https://viewer.notte.cc/1\ndone"},
		{"two viewers", []string{`{"type":"data-x","data":{"viewerUrl":"https://viewer.notte.cc/1"}}`, tool(`{"session":{"viewer_url":"https://viewer.notte.cc/2"}}`), finish}, "notte_session_data https://viewer.notte.cc/1\nnotte_session_data https://viewer.notte.cc/2\ndone"},
		{"a viewer of somebody else", []string{tool(`{"viewer_url":"https://notte.cc.evil.test/1"}`), finish}, "done"},
		{"a cost in a tool's output", []string{tool(`{"total_cost_usd":9}`), finish}, "done"},
		{"a cost in a list", []string{`{"type":"data-products","data":[{"cost":9}]}`, finish}, "done"},
		{"a cost that cannot be", []string{`{"type":"data-x","data":{"cost":-1,"total_cost":"much"}}`, finish}, "done"},
		{"the last cost", []string{`{"type":"data-x","data":{"cost":1}}`, `{"type":"data-x","data":{"cost":2}}`, finish}, "done cost=2"},
		{"the clearest cost", []string{`{"type":"data-x","data":{"step":{"cost":9},"cost":1,"total_cost_usd":2}}`, `{"type":"data-x","data":{"cost":3}}`, finish}, "done cost=2"},
		{"the least deep cost", []string{`{"type":"data-x","data":{"step":{"cost":9},"cost":1}}`, finish}, "done cost=1"},
		{"tokens", []string{`{"type":"finish","messageMetadata":{"usage":{"inputTokens":10,"totalTokens":20}}}`}, "done"},
	} {
		if got := findsOf(t, testStream(strings.NewReader(chunks(append(tt.chunks, end)...)))); got != tt.want {
			t.Errorf("%s:\ngot  %s\nwant %s", tt.name, got, tt.want)
		}
	}
}

func TestLinks(t *testing.T) {
	api, _ := url.Parse("http://notte.internal:8080/base")
	for link, want := range map[string][2]bool{ // viewer, thread
		"https://notte.cc/a":                            {true, true},
		"https://viewer.notte.cc/?token=1":              {true, true},
		"https://VIEWER.NOTTE.CC/":                      {true, true},
		"http://viewer.notte.cc/":                       {false, false},
		"https://notnotte.cc/":                          {false, true},
		"https://notte.cc.evil.test/":                   {false, true},
		"https://evil.test/?x=notte.cc":                 {false, true},
		"https://notte.cc@evil.test/":                   {false, false},
		"https://user:pw@notte.cc/":                     {false, false},
		"http://127.0.0.1:4000/viewer/1?token=":         {true, true},
		"http://[::1]:4000/":                            {true, true},
		"http://localhost:4000/":                        {true, true},
		"http://app.localhost/":                         {true, true},
		"http://localhost.evil.test/":                   {false, false},
		"http://192.168.0.1/":                           {false, false},
		"http://notte.internal/a":                       {true, true},
		"https://Notte.Internal:1/a":                    {true, true},
		"javascript:alert(1)":                           {false, false},
		"file:///etc/passwd":                            {false, false},
		"//notte.cc/a":                                  {false, false},
		"https:///a":                                    {false, false},
		"https://notte.cc/a b":                          {false, false},
		"https://notte.cc/\u202e":                       {false, false},
		"https://notte.cc/\n":                           {false, false},
		"":                                              {false, false},
		"https://notte.cc/" + strings.Repeat("x", 3000): {true, false},
		"https://notte.cc/" + strings.Repeat("x", 9000): {false, false},
	} {
		l := links{api}
		if got := [2]bool{l.viewer(link) == link && link != "", l.thread(link) == link && link != ""}; got != want {
			t.Errorf("%.60s: viewer and thread %v, want %v", link, got, want)
		}
	}
}

// TestToolsAreToldOnce begins calls in each way, and more than a turn remembers.
func TestToolsAreToldOnce(t *testing.T) {
	call := func(kind, id, name string) string {
		return fmt.Sprintf(`{"type":"tool-input-%s","toolCallId":"%s","toolName":"%s"}`, kind, id, name)
	}
	stream := chunks(call("start", "a", "one"), call("available", "a", "one"), call("available", "b", "two"),
		`{"type":"tool-approval-request","toolCallId":"b"}`, call("start", "c", "one"), call("error", "c", "one"), call("available", "", "three"))
	for i := range 3 * maxTools {
		stream += chunks(call("start", fmt.Sprint(i), "many"), call("available", fmt.Sprint(i), "many"))
	}
	var begun []string
	s := testStream(strings.NewReader(stream + chunks(end)))
	for ev, err := range s.Events() {
		if err != nil {
			t.Fatal(err)
		}
		if ev.Type == EventToolStart {
			begun = append(begun, ev.Name)
		}
		if strings.Contains(ev.Status, "approval") && !strings.Contains(ev.Status, "approval of two,") {
			t.Errorf("status %q", ev.Status)
		}
		if n := len(s.decoder.turn.tools); n > maxTools {
			t.Fatalf("%d calls are remembered", n)
		}
	}
	if got := strings.Join(begun[:4], " "); got != "one two one three" || len(begun) != 4+3*maxTools {
		t.Errorf("%d tools, the first are %s", len(begun), got)
	}
}
