package e2e_test

import (
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"
)

// message is one JSON-RPC message from the server.
type message struct {
	JSONRPC string          `json:"jsonrpc"`
	ID      json.RawMessage `json:"id"`
	Method  string          `json:"method"`
	Params  struct {
		Token    json.RawMessage `json:"progressToken"`
		Progress float64         `json:"progress"`
		Total    *float64        `json:"total"`
		Message  string          `json:"message"`
		Meta     struct {
			Subscription json.RawMessage `json:"io.modelcontextprotocol/subscriptionId"`
		} `json:"_meta"`
	} `json:"params"`
	Result json.RawMessage `json:"result"`
	Error  *struct {
		Code    int    `json:"code"`
		Message string `json:"message"`
	} `json:"error"`
}

// parse parses a line. It returns an error unless the line is a response or a
// notification.
func parse(line string) (message, error) {
	var m message
	err := json.Unmarshal([]byte(line), &m)
	switch {
	case err != nil:
		return message{}, fmt.Errorf("not JSON: %w: %.200q", err, line)
	case m.JSONRPC != "2.0" || (m.Method == "") == (m.ID == nil):
		return message{}, fmt.Errorf("neither a response nor a notification: %.200q", line)
	}
	return m, nil
}

func (m message) isProgress() bool { return m.Method == "notifications/progress" }

// answers reports whether m is the response to the request.
func (m message) answers(id int) bool { return m.Method == "" && string(m.ID) == strconv.Itoa(id) }

// tells reports whether m is a notice to the subscriptions/listen with this ID.
func (m message) tells(id int) bool { return string(m.Params.Meta.Subscription) == strconv.Itoa(id) }

// updates reports whether m is progress of the request, whose ID is its token.
func (m message) updates(id int) bool {
	return m.isProgress() && string(m.Params.Token) == strconv.Itoa(id)
}

// outcome holds the fields of a tool's structured content that tests check.
type outcome struct {
	BuildID      string          `json:"build_id"`
	RunID        string          `json:"run_id"`
	Status       string          `json:"status"`
	FunctionID   string          `json:"function_id"`
	TotalCostUSD *float64        `json:"total_cost_usd"`
	Answer       string          `json:"answer"`
	ViewerURL    string          `json:"viewer_url"`
	Steps        []string        `json:"steps"`
	Joined       bool            `json:"joined"`
	OK           *bool           `json:"ok"`
	Result       json.RawMessage `json:"result"`
	Error        string          `json:"error"`
	Query        string          `json:"query"`
	Durable      *bool           `json:"durable"`
	Candidates   []struct {
		FunctionID string `json:"function_id"`
	} `json:"candidates"`
	ThreadURL       string    `json:"thread_url"`
	FunctionFrom    string    `json:"function_from"`
	FunctionVersion string    `json:"function_version"`
	Continues       string    `json:"continues"`
	Builds          []outcome `json:"builds"`
	Runs            []outcome `json:"runs"`
	BatchID         string    `json:"batch_id"`
	Total           int       `json:"total"`
	Succeeded       int       `json:"succeeded"`
	Failed          int       `json:"failed"`
	NotStarted      int       `json:"not_started"`
	Results         []outcome `json:"results"`
	Index           int       `json:"index"`
	Spent           *float64  `json:"spent_today_usd"`

	isError bool
	text    string
}

// outcome parses the result of a tool. A refusal has only text.
func (m message) outcome(t *testing.T) outcome {
	t.Helper()
	var r struct {
		IsError    bool                    `json:"isError"`
		Content    []struct{ Text string } `json:"content"`
		Structured json.RawMessage         `json:"structuredContent"`
	}
	if m.Error != nil {
		t.Fatalf("the call was answered with error %d: %s", m.Error.Code, m.Error.Message)
	}
	if err := json.Unmarshal(m.Result, &r); err != nil || len(r.Content) == 0 {
		t.Fatalf("not the result of a tool: %v: %s", err, m.Result)
	}
	var out outcome
	if r.Structured != nil {
		if err := json.Unmarshal(r.Structured, &out); err != nil {
			t.Fatalf("structured content: %v: %s", err, r.Structured)
		}
	}
	out.isError, out.text = r.IsError, r.Content[0].Text
	return out
}

// faults returns what is wrong with the messages of one stream. MCP requires that
// progress has the token of its call, here the request's ID, and does not come
// after the answer. We promise that it counts 1, 2, 3 or, with a total, rises up to
// that, and that its message is one line of at most 200 characters.
func faults(messages []message) (found []string) {
	add := func(format string, args ...any) { found = append(found, fmt.Sprintf(format, args...)) }
	last := map[string]float64{}
	answered := map[string]bool{}
	for _, m := range messages {
		id, token, p := string(m.ID), string(m.Params.Token), m.Params
		switch {
		case m.isProgress():
			if answered[token] {
				add("progress %v of call %s came after its answer", p.Progress, token)
			}
			before, seen := last[token]
			if p.Total == nil && p.Progress != before+1 || p.Total != nil && seen && p.Progress <= before {
				add("progress of call %s went from %v to %v", token, before, p.Progress)
			}
			if p.Total != nil && p.Progress > *p.Total {
				add("progress %v of call %s is above the total", p.Progress, token)
			}
			if n := utf8.RuneCountInString(p.Message); n == 0 || n > 200 || strings.ContainsFunc(p.Message, unicode.IsControl) {
				add("the message of progress %v of call %s is not one line of 1 to 200 characters: %q", p.Progress, token, p.Message)
			}
			last[token] = p.Progress
		case m.Method == "" && id != "null":
			if answered[id] {
				add("request %s was answered twice", id)
			}
			answered[id] = true
		}
	}
	return found
}

func checkOrder(t *testing.T, messages []message) {
	t.Helper()
	for _, fault := range faults(messages) {
		t.Error(fault)
	}
}

// faults finds each kind of fault. All tests rely on it.
func TestFaults(t *testing.T) {
	progress := func(token string, n int, text, more string) string {
		return fmt.Sprintf(`{"jsonrpc":"2.0","method":"notifications/progress","params":{"progressToken":%s,"progress":%d,"message":%q%s}}`, token, n, text, more)
	}
	const answer = `{"jsonrpc":"2.0","id":1,"result":{}}`
	for _, test := range []struct {
		name, want string
		lines      []string
	}{
		{"none", "", []string{progress("1", 1, "a", ""), progress(`"x"`, 1, "b", ""), progress("1", 2, "c", ""), answer, progress(`"x"`, 2, "d", "")}},
		{"late", "progress 1 of call 1 came after its answer", []string{answer, progress("1", 1, "a", "")}},
		{"lost", "progress of call 1 went from 0 to 2", []string{progress("1", 2, "a", "")}},
		{"fallen", "progress of call 1 went from 1 to 1", []string{progress("1", 1, "a", ""), progress("1", 1, "a", "")}},
		{"rises", "", []string{progress("1", 0, "a", `,"total":9`), progress("1", 5, "b", `,"total":9`), progress("1", 9, "c", `,"total":9`)}},
		{"falls", "progress of call 1 went from 5 to 4", []string{progress("1", 5, "a", `,"total":9`), progress("1", 4, "b", `,"total":9`)}},
		{"too high", "progress 10 of call 1 is above the total", []string{progress("1", 10, "a", `,"total":9`)}},
		{"lines", `the message of progress 1 of call 1 is not one line of 1 to 200 characters: "a\nb"`, []string{progress("1", 1, "a\nb", "")}},
		{"twice", "request 1 was answered twice", []string{answer, answer}},
	} {
		t.Run(test.name, func(t *testing.T) {
			var j journal
			for _, line := range test.lines {
				j.add(line)
			}
			if got := strings.Join(faults(j.messages(t)), "; "); got != test.want {
				t.Errorf("got %q, want %q", got, test.want)
			}
		})
	}
	if _, err := parse(`{"jsonrpc":"2.0"}`); err == nil {
		t.Error("a message without ID and method is accepted")
	}
	if _, err := parse("log line"); err == nil {
		t.Error("a line that is not JSON is accepted")
	}
}

// checkSecrets checks that an output does not contain the API key, the access
// token or the given secrets.
func checkSecrets(t *testing.T, where, output string, secrets ...string) {
	t.Helper()
	for _, secret := range append(secrets, apiKey, accessToken) {
		if i := strings.Index(output, secret); i >= 0 {
			t.Errorf("%s contains a secret: …%s…", where, output[max(0, i-80):min(len(output), i+len(secret)+20)])
		}
	}
}
