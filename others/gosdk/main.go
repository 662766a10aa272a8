// Command gosdk is a client on the official Go SDK that uses anything-mcp's tools.
//
//	gosdk VERSION COMMAND …   starts the server and speaks MCP over stdio
//	gosdk VERSION URL         speaks Streamable HTTP
//
// VERSION is the protocol version that it asks for, and must get.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log"
	"os"
	"os/exec"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/google/jsonschema-go/jsonschema"
	"github.com/modelcontextprotocol/go-sdk/jsonrpc"
	"github.com/modelcontextprotocol/go-sdk/mcp"
)

func main() {
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	if err := run(ctx, os.Args[1], os.Args[2:]); err != nil {
		log.Fatalf("%s: %v", strings.Join(os.Args[1:], " "), err)
	}
}

func run(ctx context.Context, version string, target []string) error {
	u := &user{}
	client := mcp.NewClient(&mcp.Implementation{Name: "gosdk", Version: "1"}, &mcp.ClientOptions{ProgressNotificationHandler: u.progressed})
	session, err := client.Connect(ctx, transport(target), &mcp.ClientSessionOptions{ProtocolVersion: version})
	if err != nil {
		return err
	}
	defer session.Close()
	if got := session.InitializeResult().ProtocolVersion; got != version {
		return fmt.Errorf("the server speaks %s", got)
	}
	u.session = session
	// A topic of its own, because a build that has just ended is returned to a
	// caller that asks for the same.
	topic := fmt.Sprintf("Go %s %s", version, target[0])
	for _, step := range []func(context.Context, string) error{u.list, u.build, u.runFunction, u.pin, u.giveUp, u.fail} {
		if err := step(ctx, topic); err != nil {
			return err
		}
	}
	return nil
}

func transport(target []string) mcp.Transport {
	if strings.HasPrefix(target[0], "http") {
		return &mcp.StreamableClientTransport{Endpoint: target[0]}
	}
	return &mcp.CommandTransport{Command: exec.Command(target[0], target[1:]...)}
}

// user uses the tools and remembers what it has seen.
type user struct {
	session  *mcp.ClientSession
	schemas  map[string]*jsonschema.Resolved
	function string

	mu       sync.Mutex
	progress []float64 // guarded by mu
	leave    func()    // called at progress, if set; guarded by mu
}

func (u *user) progressed(_ context.Context, req *mcp.ProgressNotificationClientRequest) {
	u.mu.Lock()
	defer u.mu.Unlock()
	u.progress = append(u.progress, req.Params.Progress)
	if u.leave != nil {
		u.leave()
	}
}

// content are the fields that the steps look at.
type content struct {
	BuildID    string   `json:"build_id"`
	FunctionID string   `json:"function_id"`
	Status     string   `json:"status"`
	Cost       *float64 `json:"total_cost_usd"`
	OK         bool     `json:"ok"`
	Joined     bool     `json:"joined"`
}

func (u *user) list(ctx context.Context, _ string) error {
	u.schemas = make(map[string]*jsonschema.Resolved)
	for tool, err := range u.session.Tools(ctx, nil) {
		if err != nil {
			return err
		}
		raw, err := json.Marshal(tool.OutputSchema)
		if err != nil {
			return err
		}
		var schema jsonschema.Schema
		if err := json.Unmarshal(raw, &schema); err != nil {
			return fmt.Errorf("output schema of %s: %w", tool.Name, err)
		}
		if u.schemas[tool.Name], err = schema.Resolve(nil); err != nil {
			return fmt.Errorf("output schema of %s: %w", tool.Name, err)
		}
	}
	return nil
}

// call calls a tool and checks its result against the output schema. want is
// the status that the result must have.
func (u *user) call(ctx context.Context, name string, args map[string]any, want string) (content, error) {
	params := &mcp.CallToolParams{Name: name, Arguments: args}
	params.SetProgressToken(name)
	result, err := u.session.CallTool(ctx, params)
	if err != nil {
		return content{}, err
	}
	if err := u.schemas[name].Validate(result.StructuredContent); err != nil {
		return content{}, fmt.Errorf("%s: %w", name, err)
	}
	raw, err := json.Marshal(result.StructuredContent)
	if err != nil {
		return content{}, err
	}
	var c content
	if err := json.Unmarshal(raw, &c); err != nil {
		return content{}, err
	}
	if c.Status != want {
		return c, fmt.Errorf("%s answered %s, want the status %s", name, raw, want)
	}
	return c, nil
}

func (u *user) build(ctx context.Context, topic string) error {
	built, err := u.call(ctx, "build_automation", map[string]any{"query": "fetch posts about " + topic}, "done")
	if err != nil {
		return err
	}
	// The SDK hands on notifications and results by different goroutines.
	time.Sleep(300 * time.Millisecond)
	u.mu.Lock()
	defer u.mu.Unlock()
	if len(u.progress) < 3 || !slices.IsSorted(u.progress) {
		return fmt.Errorf("progress was %v", u.progress)
	}
	u.function = built.FunctionID
	if built.Cost == nil {
		return errors.New("the build has no cost")
	}
	again, err := u.call(ctx, "get_build", map[string]any{"build_id": built.BuildID}, "done")
	if err == nil && again.FunctionID != built.FunctionID {
		err = errors.New("get_build shows another function")
	}
	return err
}

func (u *user) runFunction(ctx context.Context, _ string) error {
	run, err := u.call(ctx, "run_function", map[string]any{"function_id": u.function}, "closed")
	if err == nil && !run.OK {
		err = errors.New("the run is not ok")
	}
	return err
}

// pin makes a tool of the function, calls it and takes it away.
func (u *user) pin(ctx context.Context, _ string) error {
	const name = "pinned_here"
	if _, err := u.call(ctx, "pin_function", map[string]any{"function_id": u.function, "name": name}, ""); err != nil {
		return err
	}
	if err := u.list(ctx, ""); err != nil {
		return err
	}
	if u.schemas[name] == nil {
		return errors.New("the pinned function is not listed")
	}
	run, err := u.call(ctx, name, nil, "closed")
	if err == nil && !run.OK {
		err = errors.New("the run of the pinned function is not ok")
	}
	if err != nil {
		return err
	}
	_, err = u.call(ctx, "pin_function", map[string]any{"function_id": name, "pinned": false}, "")
	return err
}

// giveUp cancels a call at its first progress. The build goes on until cancel_build
// ends it.
func (u *user) giveUp(ctx context.Context, topic string) error {
	query := "follow " + topic + " [sandbox:slow]"
	short, cancel := context.WithCancel(ctx)
	defer cancel()
	u.mu.Lock()
	u.leave = cancel
	u.mu.Unlock()
	if _, err := u.call(short, "build_automation", map[string]any{"query": query}, "running"); !errors.Is(err, context.Canceled) {
		return fmt.Errorf("a cancelled call ended with %v", err)
	}
	build, err := u.call(ctx, "build_automation", map[string]any{"query": query, "wait_seconds": 0}, "running")
	if err != nil {
		return err
	}
	if !build.Joined {
		return errors.New("the build ended with its caller")
	}
	_, err = u.call(ctx, "cancel_build", map[string]any{"build_id": build.BuildID}, "cancelled")
	return err
}

func (u *user) fail(ctx context.Context, topic string) error {
	if _, err := u.call(ctx, "build_automation", map[string]any{"query": topic + " [sandbox:error]"}, "error"); err != nil {
		return err
	}
	refused, err := u.session.CallTool(ctx, &mcp.CallToolParams{Name: "build_automation", Arguments: map[string]any{}})
	if err != nil || !refused.IsError {
		return fmt.Errorf("a build without a query: %+v, %v", refused, err)
	}
	_, err = u.session.CallTool(ctx, &mcp.CallToolParams{Name: "no_such_tool"})
	if wire, ok := errors.AsType[*jsonrpc.Error](err); !ok || wire.Code != jsonrpc.CodeInvalidParams {
		return fmt.Errorf("an unknown tool: %v", err)
	}
	return nil
}
