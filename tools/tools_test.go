package tools_test

import (
	"bytes"
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"log/slog"
	"os"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/mark3labs/mcp-go/mcp"
	"github.com/mark3labs/mcp-go/server"

	"github.com/anything-mcp/anything-mcp/jobs"
	"github.com/anything-mcp/anything-mcp/jobs/jobstest"
	"github.com/anything-mcp/anything-mcp/notte"
	"github.com/anything-mcp/anything-mcp/notte/sandbox"
	"github.com/anything-mcp/anything-mcp/progress"
	"github.com/anything-mcp/anything-mcp/tools"
)

var update = flag.Bool("update", false, "rewrite the snapshots in testdata")

const key = "sk-test-3141592653589793"

// bench is the tools with the sandbox at their other end, in a bubble.
type bench struct {
	t     *testing.T
	notte *sandbox.Server
	jobs  *jobs.Manager
	srv   *server.MCPServer
	log   *bytes.Buffer
}

func inBubble(t *testing.T, test func(*testing.T, *bench)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, key)
		defer b.notte.Close()
		defer b.jobs.Stop(context.Background())
		test(t, b)
		if strings.Contains(b.log.String(), key) || strings.Contains(b.log.String(), "s3cret") {
			t.Errorf("a secret is in the log:\n%s", b.log)
		}
	})
}

func newBench(t *testing.T, key notte.APIKey) *bench {
	t.Helper()
	b := &bench{t: t, notte: sandbox.New(), log: new(bytes.Buffer)}
	client, err := notte.NewClient(notte.Config{
		Key: key, APIURL: "http://api.test", AnythingURL: "http://anything.test", HTTPClient: b.notte.Client(),
	})
	if err != nil {
		t.Fatal(err)
	}
	logger := slog.New(slog.NewTextHandler(b.log, &slog.HandlerOptions{Level: slog.LevelDebug}))
	b.jobs = jobs.NewManager(jobstest.NewMemory(), jobs.Options{Logger: logger})
	b.srv = tools.NewServer(tools.Config{Client: client, Jobs: b.jobs, Version: "test", Logger: logger},
		server.WithOutputSchemaValidation())
	return b
}

type object = map[string]any

// result is what a client makes of a tool's result.
type result struct {
	object
	isError bool
	text    string
}

func (r result) str(field string) string { s, _ := r.object[field].(string); return s }

// call calls a tool the way a client does: as a JSON-RPC message.
func (b *bench) call(tool string, args any) result {
	b.t.Helper()
	return b.callContext(b.t.Context(), tool, args)
}

func (b *bench) callContext(ctx context.Context, tool string, args any) result {
	b.t.Helper()
	message, err := json.Marshal(object{
		"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": object{"name": tool, "arguments": args},
	})
	if err != nil {
		b.t.Fatal(err)
	}
	raw, err := json.Marshal(b.srv.HandleMessage(ctx, message))
	if err != nil {
		b.t.Fatal(err)
	}
	if strings.Contains(string(raw), key) {
		b.t.Errorf("the key is in a result: %s", raw)
	}
	var answer struct {
		Result struct {
			Content           []struct{ Text string }
			StructuredContent json.RawMessage
			IsError           bool
		}
		Error json.RawMessage
	}
	if err := json.Unmarshal(raw, &answer); err != nil || answer.Error != nil || len(answer.Result.Content) != 1 {
		b.t.Fatalf("%s(%v) = %s (%v)", tool, args, raw, err)
	}
	r := result{isError: answer.Result.IsError, text: answer.Result.Content[0].Text}
	if s := answer.Result.StructuredContent; s != nil {
		if err := json.Unmarshal(s, &r.object); err != nil {
			b.t.Fatal(err)
		}
		var fromText object
		if err := json.Unmarshal([]byte(r.text), &fromText); err != nil {
			b.t.Errorf("the text is not the JSON: %v", err)
		}
		if fmt.Sprint(fromText) != fmt.Sprint(r.object) {
			b.t.Errorf("text and structured content differ:\n%v\n%v", fromText, r.object)
		}
	}
	return r
}

func (b *bench) wants(r result, isError bool, fields object) {
	b.t.Helper()
	if r.isError != isError {
		b.t.Errorf("isError = %v, want %v: %s", r.isError, isError, r.text)
	}
	for name, want := range fields {
		got, ok := r.object[name]
		if want == absent {
			if ok {
				b.t.Errorf("%s = %v, want it left out", name, got)
			}
		} else if fmt.Sprintf("%#v", got) != fmt.Sprintf("%#v", want) || !ok {
			b.t.Errorf("%s = %#v, want %#v in %s", name, got, want, r.text)
		}
	}
}

// absent is a field that has to be left out.
var absent = new(int)

func event(typ string, fields ...any) sandbox.Step {
	o := object{"type": typ}
	for i := 0; i < len(fields); i += 2 {
		o[fields[i].(string)] = fields[i+1]
	}
	return sandbox.Event(o)
}

func TestToolsList(t *testing.T) {
	b := newBench(t, "")
	defer b.notte.Close()
	defer b.jobs.Stop(context.Background())
	raw, err := json.Marshal(b.srv.HandleMessage(t.Context(), json.RawMessage(`{"jsonrpc":"2.0","id":1,"method":"tools/list"}`)))
	if err != nil {
		t.Fatal(err)
	}
	var answer struct {
		Result struct{ Tools json.RawMessage }
	}
	if err := json.Unmarshal(raw, &answer); err != nil {
		t.Fatal(err)
	}
	if n := len(answer.Result.Tools); n > 10<<10 {
		t.Errorf("the tools take %d bytes, want at most 10 KiB: each costs context in every conversation", n)
	} else {
		t.Logf("the tools take %d bytes", n)
	}
	for _, banned := range []string{"$ref", "anyOf", "oneOf", "allOf"} {
		if strings.Contains(string(answer.Result.Tools), banned) {
			t.Errorf("the schemas have to be flat and hold %s", banned)
		}
	}
	var pretty bytes.Buffer
	if err := json.Indent(&pretty, answer.Result.Tools, "", "  "); err != nil {
		t.Fatal(err)
	}
	golden(t, "testdata/tools.json", pretty.Bytes())
}

func TestInstructions(t *testing.T) {
	b := newBench(t, "")
	defer b.notte.Close()
	defer b.jobs.Stop(context.Background())
	answer := b.srv.HandleMessage(t.Context(), json.RawMessage(
		`{"jsonrpc":"2.0","id":1,"method":"initialize","params":{"protocolVersion":"2025-11-25","capabilities":{},"clientInfo":{"name":"t","version":"1"}}}`))
	text := answer.(mcp.JSONRPCResponse).Result.(mcp.InitializeResult).Instructions
	if n := len(text); n == 0 || n > 1500 {
		t.Errorf("the instructions have %d characters, want 1 to 1,500", n)
	}
	golden(t, "testdata/instructions.txt", []byte(text))
}

func golden(t *testing.T, name string, got []byte) {
	t.Helper()
	if *update {
		if err := os.WriteFile(name, got, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, want) {
		t.Errorf("%s has changed: what models read is part of the contract. If the change is meant, run the test with -update.\ngot:\n%s", name, got)
	}
}

func TestBuildToTheEnd(t *testing.T) {
	inBubble(t, func(t *testing.T, b *bench) {
		b.notte.Script("q",
			event("status", "status", "running"),
			event("notte_session_data", "viewer_url", "https://v.test/?token=s3cret"),
			event("tool_start", "name", "goto\x1b[31m"), sandbox.Delay(30*time.Second),
			event("text_delta", "delta", "Top 3:\n1. \x1b]0;x\x07a"),
			event("function_uploaded", "function_id", "f-1", "function_name", "hn"),
			event("done", "total_cost_usd", 0.43, "function_id", "f-1", "metadata", object{"thread_id": "t-1"}),
		)
		b.wants(b.call("build_automation", object{"query": " q "}), false, object{
			"status": "done", "query": "q", "function_id": "f-1", "function_name": "hn", "total_cost_usd": 0.43,
			"thread_id": "t-1", "answer": "Top 3:\n1. a", "steps": []any{"goto"}, "elapsed_seconds": 30.0,
			"viewer_url": absent, "joined": absent, "error": absent, "started_at": "2000-01-01T00:00:00Z",
		})
		if !strings.Contains(b.log.String(), "cost_usd=0.43") {
			t.Errorf("the call's line in the log lacks its cost:\n%s", b.log)
		}
	})
}

func TestBuildLongerThanTheCall(t *testing.T) {
	inBubble(t, func(t *testing.T, b *bench) {
		b.notte.Script("q", event("notte_session_data", "viewer_url", "https://v.test/?token=s3cret"),
			sandbox.Delay(4*time.Minute), event("done"))
		start := time.Now()
		running := b.call("build_automation", object{"query": "q"})
		if took := time.Since(start); took != tools.DefaultWait {
			t.Errorf("returned after %v, want %v", took, tools.DefaultWait)
		}
		b.wants(running, false, object{"status": "running", "viewer_url": "https://v.test/?token=s3cret", "total_cost_usd": absent})
		if !strings.Contains(running.str("next_step"), "get_build") {
			t.Errorf("next_step = %q", running.str("next_step"))
		}
		again := b.call("build_automation", object{"query": "q", "wait_seconds": 0})
		b.wants(again, false, object{"status": "running", "joined": true, "build_id": running.str("build_id")})
		b.wants(b.call("get_build", object{"build_id": running.str("build_id"), "wait_seconds": 3600}), false,
			object{"status": "done", "total_cost_usd": nil, "elapsed_seconds": 240.0})
		if n := len(b.notte.Requests()); n != 1 {
			t.Errorf("%d requests went to Notte, want 1", n)
		}
	})
}

func TestBuildFailures(t *testing.T) {
	uploaded := event("function_uploaded", "function_id", "f-1", "function_name", "n")
	for _, c := range []struct {
		why    string
		steps  []sandbox.Step
		fields object
		next   string
	}{
		{"error", []sandbox.Step{event("error", "error", "E", "detail", "D")},
			object{"status": "error", "error": "E", "detail": "D", "total_cost_usd": nil, "function_id": absent}, "billed anew"},
		{"timeout", []sandbox.Step{event("timeout", "reason", "R", "detail", "D")},
			object{"status": "timeout", "reason": "R", "detail": "D"}, "billed anew"},
		{"cancelled", []sandbox.Step{event("cancelled", "reason", "R")},
			object{"status": "cancelled", "reason": "R"}, "only if the user asks"},
		{"cut after the function was made", []sandbox.Step{uploaded, sandbox.Cut()},
			object{"status": "interrupted", "function_id": "f-1", "total_cost_usd": nil}, "run_function"},
		{"cut before", []sandbox.Step{sandbox.Cut()},
			object{"status": "interrupted", "function_id": absent, "total_cost_usd": nil}, "not known"},
		{"401", []sandbox.Step{sandbox.Status(401, "application/json", `{"detail":"bad key `+key+`"}`)},
			object{"status": "error"}, ""},
	} {
		t.Run(c.why, func(t *testing.T) {
			inBubble(t, func(t *testing.T, b *bench) {
				b.notte.Script("q", c.steps...)
				r := b.call("build_automation", object{"query": "q"})
				b.wants(r, true, c.fields)
				if !strings.Contains(r.str("next_step"), c.next) {
					t.Errorf("next_step = %q, want it to speak of %q", r.str("next_step"), c.next)
				}
			})
		})
	}
}

func TestCancelBuild(t *testing.T) {
	inBubble(t, func(t *testing.T, b *bench) {
		b.notte.Script("q", sandbox.Stall())
		id := b.call("build_automation", object{"query": "q", "wait_seconds": 1}).str("build_id")
		b.wants(b.call("cancel_build", object{"build_id": id}), false, object{"status": "cancelled", "build_id": id})
		b.wants(b.call("cancel_build", object{"build_id": id}), false, object{"status": "cancelled"})
		b.wants(b.call("get_build", object{"build_id": id}), true, object{"status": "cancelled"})
	})
}

func TestBadInput(t *testing.T) {
	inBubble(t, func(t *testing.T, b *bench) {
		long := strings.Repeat("é", 20_001)
		for _, c := range []struct {
			tool string
			args any
			want string
		}{
			{"build_automation", object{}, "query must be text of 1 to 20,000 characters: it is missing or blank."},
			{"build_automation", nil, "query must be"},
			{"build_automation", []int{1}, "must be one JSON object"},
			{"build_automation", object{"query": " \n"}, "missing or blank"},
			{"build_automation", object{"query": nil}, "missing or blank"},
			{"build_automation", object{"query": 7}, "query must be text of 1 to 20,000 characters: it is a number."},
			{"build_automation", object{"query": []int{}}, "it is an array."},
			{"build_automation", object{"query": long}, "it has 20001"},
			{"build_automation", object{"query": "q", "wait_seconds": "10"}, "wait_seconds must be a whole number of seconds from 0 to 3600: it is a string."},
			{"build_automation", object{"query": "q", "wait_seconds": 1.5}, "it is 1.5."},
			{"build_automation", object{"query": "q", "wait_seconds": -1}, "it is -1."},
			{"build_automation", object{"query": "q", "wait_seconds": 3601}, "it is 3601."},
			{"build_automation", object{"query": "q", "force_new": "yes"}, "force_new must be true or false: it is a string."},
			{"build_automation", object{"query": "q", "url": "x"}, `build_automation takes no argument "url"; it takes query, wait_seconds, force_new.`},
			{"get_build", object{}, "build_id must be the build_id that build_automation returned: it is missing."},
			{"get_build", object{"build_id": "build_x"}, "there is none with this ID, or it has expired."},
			{"cancel_build", object{"build_id": "build_x"}, "there is none with this ID, or it has expired."},
			{"run_function", object{}, "function_id must be a function's ID: 1 to 128 letters, digits, - or _: it is missing."},
			{"run_function", object{"function_id": "../x"}, `it is "../x".`},
			{"run_function", object{"function_id": "f", "variables": []int{1}}, "variables must be an object with a value for each variable"},
			{"run_function", object{"function_id": "f", "variables": "x"}, "variables must be an object"},
			{"run_function", object{"function_id": "f", "variables": object{"x": strings.Repeat("y", 256<<10)}}, "variables must be an object"},
			{"get_run", object{"run_id": "run_x", "offset": -1}, "offset must be a whole number of bytes below result_bytes: it is -1."},
			{"get_run", object{"run_id": 3}, "run_id must be the run_id that run_function returned: it is a number."},
			{"cancel_run", object{"run_id": ""}, "it is missing."},
		} {
			r := b.call(c.tool, c.args)
			if !r.isError || !strings.Contains(r.text, c.want) || r.object != nil {
				t.Errorf("%s(%.80v): isError %v, %q\nwant %q", c.tool, c.args, r.isError, r.text, c.want)
			}
			if len(r.text) > 400 {
				t.Errorf("%s: %d bytes are more than a sentence or two: %s", c.tool, len(r.text), r.text)
			}
		}
		if n := len(b.notte.Requests()); n != 0 {
			t.Errorf("bad input made %d requests", n)
		}
	})
}

func TestWithoutKey(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, "")
		defer b.notte.Close()
		defer b.jobs.Stop(context.Background())
		for tool, args := range map[string]object{
			"build_automation": {"query": "q"}, "get_build": {"build_id": "b"}, "cancel_build": {"build_id": "b"},
			"run_function": {"function_id": "f"}, "get_run": {"run_id": "r"}, "cancel_run": {"run_id": "r"},
		} {
			r := b.call(tool, args)
			if !r.isError || !strings.Contains(r.text, "NOTTE_API_KEY") {
				t.Errorf("%s without a key: isError %v, %q", tool, r.isError, r.text)
			}
		}
		if n := len(b.notte.Requests()); n != 0 {
			t.Errorf("%d requests went out without a key", n)
		}
	})
}

// sink keeps the updates that it is sent.
type sink struct{ got []string }

func (s *sink) Send(_ context.Context, message string) error {
	s.got = append(s.got, message)
	return nil
}

func TestProgressOfACallAndOfALatePickUp(t *testing.T) {
	inBubble(t, func(t *testing.T, b *bench) {
		b.notte.Script("q", sandbox.Delay(time.Second), event("tool_start", "name", "goto"),
			sandbox.Delay(time.Minute), event("tool_start", "name", "click"), sandbox.Delay(time.Second), event("done"))
		first, late := new(sink), new(sink)
		id := b.callContext(progress.WithSink(t.Context(), first), "build_automation", object{"query": "q", "wait_seconds": 30}).str("build_id")
		b.callContext(progress.WithSink(t.Context(), late), "get_build", object{"build_id": id})
		if told := fmt.Sprint(first.got); !strings.Contains(told, "goto") || strings.Contains(told, "click") || len(first.got) < 4 {
			t.Errorf("the first call was told %s", told)
		}
		if told := fmt.Sprint(late.got); !strings.Contains(told, "click") {
			t.Errorf("the late pick-up was told %s", told)
		}
	})
}
