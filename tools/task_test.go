package tools_test

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/mark3labs/mcp-go/mcp"
	"github.com/mark3labs/mcp-go/server"

	"github.com/anything-mcp/anything-mcp/jobs"
	"github.com/anything-mcp/anything-mcp/jobs/jobstest"
	"github.com/anything-mcp/anything-mcp/notte"
	"github.com/anything-mcp/anything-mcp/notte/sandbox"
	"github.com/anything-mcp/anything-mcp/tools"
	"github.com/anything-mcp/anything-mcp/transport"
)

// taskClient is a modern client that takes tasks, at the other end of a pair of
// pipes: what it sees is what goes over the wire.
type taskClient struct {
	t        *testing.T
	caps     object
	in       io.WriteCloser
	out      *bufio.Reader
	lastID   int
	progress []string // messages since the last request was sent
}

// keep is how long the servers of these tests keep jobs.
const keep = 90 * 24 * time.Hour

// taskClient serves the jobs of a bench to the holder of a key.
func (b *bench) taskClient(store *jobs.Manager, key notte.APIKey, on bool) *taskClient {
	b.t.Helper()
	client, err := notte.NewClient(notte.Config{
		Key: key, APIURL: "http://api.test", AnythingURL: "http://anything.test", HTTPClient: b.notte.Client(),
	})
	if err != nil {
		b.t.Fatal(err)
	}
	logger := slog.New(slog.NewTextHandler(b.log, nil))
	cfg := tools.Config{Client: client, Jobs: store, Version: "test", Logger: logger, Tasks: on, Keep: keep}
	opts := transport.StdioOptions{Logger: logger}
	if on {
		opts.Tasks = tools.NewTasks(cfg)
	}
	fromClient, in := io.Pipe()
	out, toClient := io.Pipe()
	srv := tools.NewServer(cfg, server.WithOutputSchemaValidation())
	go func() {
		toClient.CloseWithError(transport.ServeStdio(context.Background(), srv, fromClient, toClient, opts))
	}()
	return &taskClient{
		t: b.t, in: in, out: bufio.NewReader(out),
		caps: object{"extensions": object{"io.modelcontextprotocol/tasks": object{}}},
	}
}

func (c *taskClient) close() {
	c.in.Close()
	if _, err := io.Copy(io.Discard, c.out); err != nil {
		c.t.Error(err)
	}
}

// request sends a request and returns its result, or its error's code.
func (c *taskClient) request(method string, params object) (result object, code float64) {
	c.t.Helper()
	c.lastID++
	params["_meta"] = object{
		"progressToken": "p",
		"io.modelcontextprotocol/protocolVersion":    "2026-07-28",
		"io.modelcontextprotocol/clientCapabilities": c.caps,
	}
	message, err := json.Marshal(object{"jsonrpc": "2.0", "id": c.lastID, "method": method, "params": params})
	if err != nil {
		c.t.Fatal(err)
	}
	c.progress = nil
	fmt.Fprintf(c.in, "%s\n", message)
	for {
		line, err := c.out.ReadBytes('\n')
		if err != nil {
			c.t.Fatal(err)
		}
		var answer struct {
			Params struct{ Message string }
			Result object
			Error  struct{ Code float64 }
			ID     any
		}
		if err := json.Unmarshal(line, &answer); err != nil {
			c.t.Fatalf("%v in %s", err, line)
		}
		if answer.ID != nil {
			return answer.Result, answer.Error.Code
		}
		c.progress = append(c.progress, answer.Params.Message)
	}
}

func (c *taskClient) call(tool string, args object) object {
	c.t.Helper()
	result, code := c.request("tools/call", object{"name": tool, "arguments": args})
	if code != 0 {
		c.t.Fatalf("%s(%v) failed with %v", tool, args, code)
	}
	return result
}

// task asks for a task.
func (c *taskClient) task(id any) object {
	c.t.Helper()
	result, code := c.request("tasks/get", object{"taskId": id})
	if code != 0 {
		c.t.Fatalf("tasks/get of %v failed with %v", id, code)
	}
	return result
}

func (c *taskClient) wants(got, want object) {
	c.t.Helper()
	for name, w := range want {
		g, ok := got[name]
		if w == absent {
			if ok {
				c.t.Errorf("%s = %v, want it left out", name, g)
			}
		} else if fmt.Sprint(g) != fmt.Sprint(w) {
			c.t.Errorf("%s = %v, want %v in %v", name, g, w, got)
		}
	}
}

// withTasks runs a test of a client that takes tasks.
func withTasks(t *testing.T, test func(*bench, *taskClient)) {
	t.Helper()
	inBubble(t, func(t *testing.T, b *bench) {
		c := b.taskClient(b.jobs, key, true)
		defer c.close()
		test(b, c)
	})
}

func TestTaskOfALongBuild(t *testing.T) {
	withTasks(t, func(b *bench, c *taskClient) {
		b.notte.Script("q", sandbox.Delay(time.Minute),
			event("notte_session_data", "viewer_url", "https://v.test/?token=s3cret"),
			event("tool_start", "name", "goto"), sandbox.Delay(time.Minute),
			event("function_uploaded", "function_id", "f-1", "function_name", "hn"), sandbox.Delay(2*time.Minute),
			event("done", "total_cost_usd", 0.43))
		start := time.Now()
		created := c.call("build_automation", object{"query": "q", "wait_seconds": 3600})
		if took := time.Since(start); took < 300*time.Millisecond || took > 350*time.Millisecond {
			t.Errorf("the call took %v, want 300ms and the gap after progress", took)
		}
		if fmt.Sprint(c.progress) != "[Build started]" {
			t.Errorf("progress = %q", c.progress)
		}
		c.wants(created, object{
			"resultType": "task", "status": "working", "statusMessage": "Build started", "ttlMs": float64(keep.Milliseconds()), "pollIntervalMs": 2000.0,
			"createdAt": "2000-01-01T00:00:00Z", "lastUpdatedAt": "2000-01-01T00:00:00Z",
			"content": absent, "structuredContent": absent, "result": absent, "isError": absent,
		})
		id := created["taskId"]
		time.Sleep(90 * time.Second)
		c.wants(c.task(id), object{
			"resultType": "complete", "taskId": id, "status": "working", "result": absent,
			"statusMessage": "Using goto. Watch live: https://v.test/?token=s3cret", "lastUpdatedAt": "2000-01-01T00:01:30Z",
		})
		time.Sleep(time.Minute)
		c.wants(c.task(id), object{"statusMessage": "Function created: hn (f-1). Watch live: https://v.test/?token=s3cret"})
		time.Sleep(time.Hour)
		ended := c.task(id)
		c.wants(ended, object{
			"resultType": "complete", "status": "completed", "statusMessage": "Build done. Function created: hn (f-1)",
			"createdAt": "2000-01-01T00:00:00Z", "lastUpdatedAt": "2000-01-01T00:04:00Z",
		})
		waited := c.call("get_build", object{"build_id": id})
		delete(waited, "_meta")
		c.wants(ended, object{"result": waited})
		c.wants(waited, object{"resultType": "complete", "isError": absent})
		if n := len(b.notte.Requests()); n != 1 {
			t.Errorf("%d requests went to Notte, want 1", n)
		}
	})
}

func TestTaskOfARun(t *testing.T) {
	withTasks(t, func(b *bench, c *taskClient) {
		f := b.notte.AddFunction(sandbox.Function{Name: "f", Run: &sandbox.Outcome{
			Result: object{"n": 1}, Logs: []string{"12:00 | INFO | main | page 1"}, After: time.Minute,
		}})
		created := c.call("run_function", object{"function_id": f, "wait_seconds": 0})
		c.wants(created, object{"resultType": "task", "status": "working"})
		time.Sleep(2 * time.Minute)
		ended := c.task(created["taskId"])
		c.wants(ended, object{"status": "completed", "statusMessage": "Run closed", "lastUpdatedAt": "2000-01-01T00:01:00Z"})
		c.wants(ended["result"].(object)["structuredContent"].(object), object{"status": "closed", "ok": true, "result": object{"n": 1}})
	})
}

func TestWhatEndsAtOnceIsNoTask(t *testing.T) {
	withTasks(t, func(b *bench, c *taskClient) {
		b.notte.Script("q", sandbox.Delay(299*time.Millisecond), event("done", "total_cost_usd", 0.01))
		built := c.call("build_automation", object{"query": "q", "wait_seconds": 0})
		c.wants(built, object{"resultType": "complete", "taskId": absent})
		c.wants(built["structuredContent"].(object), object{"status": "done"})
		refused := c.call("build_automation", object{"query": ""})
		c.wants(refused, object{"resultType": "complete", "taskId": absent, "isError": true})
		// What ended is a task all the same, to whoever asks.
		c.wants(c.task(built["structuredContent"].(object)["build_id"]), object{"status": "completed"})
	})
}

func TestJobThatEndsBadlyIsACompletedTask(t *testing.T) {
	withTasks(t, func(b *bench, c *taskClient) {
		b.notte.Script("q", sandbox.Delay(time.Minute), event("error", "error", "the page\x1b[31m is gone"))
		id := c.call("build_automation", object{"query": "q"})["taskId"]
		time.Sleep(time.Hour)
		ended := c.task(id)
		c.wants(ended, object{"status": "completed", "statusMessage": "Build error: the page is gone", "error": absent})
		c.wants(ended["result"].(object), object{"resultType": "complete", "isError": true})
	})
}

func TestCancelTask(t *testing.T) {
	withTasks(t, func(b *bench, c *taskClient) {
		b.notte.Script("q", event("function_uploaded", "function_id", "f-1", "function_name", "hn"), sandbox.Stall())
		id := c.call("build_automation", object{"query": "q"})["taskId"]
		for range 2 { // the second finds it cancelled
			ack, code := c.request("tasks/cancel", object{"taskId": id})
			if code != 0 {
				t.Fatalf("tasks/cancel failed with %v", code)
			}
			c.wants(ack, object{"resultType": "complete", "taskId": absent, "status": absent})
		}
		cancelled := c.task(id)
		c.wants(cancelled, object{"status": "cancelled", "result": absent})
		for _, want := range []string{"Build cancelled", "may finish the build and bill it", "Function created: hn (f-1)"} {
			if text := cancelled["statusMessage"].(string); !strings.Contains(text, want) {
				t.Errorf("statusMessage = %q, want it to say %q", text, want)
			}
		}
		if ack, code := c.request("tasks/update", object{"taskId": id, "inputResponses": object{}}); code != 0 || ack["resultType"] != "complete" {
			t.Errorf("tasks/update = %v, %v", ack, code)
		}
	})
}

func TestTasksAreTheirOwnersOnly(t *testing.T) {
	withTasks(t, func(b *bench, c *taskClient) {
		b.notte.Script("q", sandbox.Stall())
		id := c.call("build_automation", object{"query": "q"})["taskId"]
		for _, stranger := range []notte.APIKey{"sk-of-someone-else", ""} {
			other := b.taskClient(b.jobs, stranger, true)
			for _, method := range []string{"tasks/get", "tasks/update", "tasks/cancel"} {
				for _, id := range []any{id, "build_x"} {
					if result, code := other.request(method, object{"taskId": id, "inputResponses": object{}}); code != mcp.INVALID_PARAMS {
						t.Errorf("%s of %v = %v, %v, want %v", method, id, result, code, mcp.INVALID_PARAMS)
					}
				}
			}
			other.close()
		}
		c.wants(c.task(id), object{"status": "working"})
		c.request("tasks/cancel", object{"taskId": id})
	})
}

func TestNoTaskUnlessTakenAndOn(t *testing.T) {
	inBubble(t, func(t *testing.T, b *bench) {
		b.notte.Script("q", sandbox.Stall())
		for _, tc := range []struct {
			why  string
			on   bool
			caps object
		}{
			{"off", false, object{"extensions": object{"io.modelcontextprotocol/tasks": object{}}}},
			{"undeclared", true, object{}},
			{"no object", true, object{"extensions": object{"io.modelcontextprotocol/tasks": true}}},
			{"those of 2025-11-25", true, object{"tasks": object{}}},
		} {
			c := b.taskClient(b.jobs, key, tc.on)
			c.caps = tc.caps
			start := time.Now()
			result := c.call("build_automation", object{"query": "q", "wait_seconds": 3})
			if took := time.Since(start); took < 3*time.Second {
				t.Errorf("%s: answered after %v, want 3s or a little more", tc.why, took)
			}
			c.wants(result, object{"resultType": "complete", "taskId": absent})
			c.wants(result["structuredContent"].(object), object{"status": "running"})
			discovered, _ := c.request("server/discover", object{})
			if _, told := discovered["capabilities"].(object)["extensions"]; told != tc.on {
				t.Errorf("%s: the extension is declared: %v", tc.why, told)
			}
			c.close()
		}
		c := b.taskClient(b.jobs, key, true)
		defer c.close()
		c.wants(c.call("list_builds", object{}), object{"resultType": "complete"})
		id := c.call("build_automation", object{"query": "q"})["taskId"]
		c.wants(c.call("get_build", object{"build_id": id, "wait_seconds": 0}), object{"resultType": "complete", "taskId": absent})
		c.request("tasks/cancel", object{"taskId": id})
	})
}

func TestTasksAreNotDeclaredToLegacyClients(t *testing.T) {
	srv := tools.NewServer(tools.Config{Tasks: true})
	answer := srv.HandleMessage(t.Context(), json.RawMessage(
		`{"jsonrpc":"2.0","id":1,"method":"initialize","params":{"protocolVersion":"2025-11-25","capabilities":{},"clientInfo":{"name":"t","version":"1"}}}`))
	if caps := answer.(mcp.JSONRPCResponse).Result.(mcp.InitializeResult).Capabilities; len(caps.Extensions) != 0 || caps.Tasks != nil {
		t.Errorf("capabilities = %+v", caps)
	}
}

func TestTaskOutlivesItsServer(t *testing.T) {
	inBubble(t, func(t *testing.T, b *bench) {
		store := jobstest.NewMemory()
		b.notte.Script("q", event("function_uploaded", "function_id", "f-1"), sandbox.Stall())
		first := jobs.NewManager(store, jobs.Options{})
		c := b.taskClient(first, key, true)
		id := c.call("build_automation", object{"query": "q"})["taskId"]
		if err := first.Stop(t.Context()); err != nil {
			t.Fatal(err)
		}
		c.close()
		second := jobs.NewManager(store, jobs.Options{})
		defer second.Stop(context.Background())
		c = b.taskClient(second, key, true)
		defer c.close()
		ended := c.task(id)
		c.wants(ended, object{"status": "completed"})
		c.wants(ended["result"].(object), object{"isError": true})
		c.wants(ended["result"].(object)["structuredContent"].(object), object{"status": "interrupted", "function_id": "f-1"})
	})
}
