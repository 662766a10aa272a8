package transport

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/mark3labs/mcp-go/mcp"
	"github.com/mark3labs/mcp-go/server"

	"github.com/anything-mcp/anything-mcp/apps"
	"github.com/anything-mcp/anything-mcp/progress"
)

// TestToolboxTranscripts plays tools and notices of a toolbox over both transports, in
// the steps of TestStdioTranscripts and TestHTTPTranscripts, and those that
// newFakeToolbox lists.
func TestToolboxTranscripts(t *testing.T) {
	replay(t, "testdata/toolbox-stdio.txtar", func(t *testing.T, steps []string) (lines []string) {
		synctest.Test(t, func(t *testing.T) {
			f, _ := newFakeToolbox()
			lines = playStdio(t, f, steps)
		})
		return lines
	})
	replay(t, "testdata/toolbox-http.txtar", func(t *testing.T, steps []string) (lines []string) {
		synctest.Test(t, func(t *testing.T) {
			f, _ := newFakeToolbox()
			lines = playHTTP(t, f, steps)
		})
		return lines
	})
}

// fakeToolbox is a Toolbox. Its server's tool pin adds a tool to it.
type fakeToolbox struct {
	note func(string)

	mu      sync.Mutex // guards what follows
	tools   map[string]server.ServerTool
	broken  bool
	changes []chan string
}

// newFakeToolbox returns a server and its toolbox. "# tools" and "# resources" are
// changes that another process makes, and "# broken" makes the toolbox fail.
func newFakeToolbox() (*fakeServer, *fakeToolbox) {
	f := newFakeServer()
	b := &fakeToolbox{note: f.note}
	f.toolbox = b
	server.WithToolCapabilities(true)(f.srv)
	server.WithResourceCapabilities(false, true)(f.srv)
	server.WithPromptCapabilities(false)(f.srv)
	f.srv.AddTool(mcp.NewTool("pin", mcp.WithString("name", mcp.Required())), b.pin)
	pages := mcp.NewTool("pages", mcp.WithDescription("Is for pages."))
	pages.Meta = apps.ForPages()
	f.srv.AddTool(pages, func(ctx context.Context, _ mcp.CallToolRequest) (*mcp.CallToolResult, error) {
		client := server.ClientSessionFromContext(ctx).(server.SessionWithClientInfo)
		caps := client.GetClientCapabilities()
		return mcp.NewToolResultText(fmt.Sprint("The client shows pages: ", apps.Declared(&caps))), nil
	})
	addThings(f.srv)
	f.signal = map[string]func(){
		"# tools":     func() { b.say(mcp.MethodNotificationToolsListChanged) },
		"# resources": func() { b.say(mcp.MethodNotificationResourcesListChanged) },
		"# prompts":   func() { b.say(mcp.MethodNotificationPromptsListChanged) },
		"# broken":    func() { b.mu.Lock(); b.broken = true; b.mu.Unlock() },
	}
	return f, b
}

// pin adds the tool name. It takes the time before, and the time after it has done so.
func (b *fakeToolbox) pin(ctx context.Context, req mcp.CallToolRequest) (*mcp.CallToolResult, error) {
	name := req.GetString("name", "")
	before, _ := time.ParseDuration(req.GetString("before", ""))
	after, _ := time.ParseDuration(req.GetString("after", ""))
	progress.HoldNotices(ctx)
	time.Sleep(before)
	b.mu.Lock()
	tools := maps.Clone(b.tools)
	if tools == nil {
		tools = make(map[string]server.ServerTool)
	}
	tools[name] = server.ServerTool{
		Tool: mcp.NewTool(name, mcp.WithDescription("Is pinned.")),
		Handler: func(context.Context, mcp.CallToolRequest) (*mcp.CallToolResult, error) {
			return mcp.NewToolResultText("This is " + name + "."), nil
		},
	}
	b.tools = tools
	b.mu.Unlock()
	b.say(mcp.MethodNotificationToolsListChanged)
	time.Sleep(after)
	if oops := req.GetString("panic", ""); oops != "" {
		panic(oops)
	}
	return mcp.NewToolResultText("pinned"), nil
}

// addThings adds resources and a prompt.
func addThings(srv *server.MCPServer) {
	things := mcp.NewResourceTemplate("thing://{id}", "thing")
	srv.AddResourceTemplate(things, func(_ context.Context, req mcp.ReadResourceRequest) ([]mcp.ResourceContents, error) {
		switch id := req.Params.Arguments["id"].([]string)[0]; id {
		case "1":
			return []mcp.ResourceContents{mcp.TextResourceContents{URI: req.Params.URI, Text: "one"}}, nil
		case "broken":
			return nil, errors.New("no answer from Notte")
		case "panic":
			panic("oops")
		default:
			return nil, fmt.Errorf("looking for %s: %w", id, server.ErrResourceNotFound)
		}
	})
	greet := mcp.NewPrompt("greet", mcp.WithArgument("who", mcp.RequiredArgument()))
	srv.AddPrompt(greet, func(_ context.Context, req mcp.GetPromptRequest) (*mcp.GetPromptResult, error) {
		who := req.Params.Arguments["who"]
		if who == "" {
			return nil, errors.New("greet needs the argument who")
		}
		greeting := mcp.NewPromptMessage(mcp.RoleUser, mcp.NewTextContent("Greet "+who+"."))
		return mcp.NewGetPromptResult("", []mcp.PromptMessage{greeting}), nil
	})
}

func (b *fakeToolbox) Tools(context.Context) (map[string]server.ServerTool, error) {
	b.note("the toolbox was asked")
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.broken {
		return nil, errors.New("the disk is full")
	}
	return b.tools, nil
}

func (b *fakeToolbox) Changes(ctx context.Context) <-chan string {
	b.note("changes are watched")
	changes := make(chan string, 1000)
	b.mu.Lock()
	b.changes = append(b.changes, changes)
	b.mu.Unlock()
	context.AfterFunc(ctx, func() {
		b.note("changes are no longer watched")
		b.mu.Lock()
		defer b.mu.Unlock()
		b.changes = slices.DeleteFunc(b.changes, func(other chan string) bool { return other == changes })
		close(changes)
	})
	return changes
}

func (b *fakeToolbox) Refresh(context.Context) { b.note("the toolbox looks for changes") }

// say says a change to who watches.
func (b *fakeToolbox) say(method string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, changes := range b.changes {
		changes <- method
	}
}
