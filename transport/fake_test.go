package transport

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/mark3labs/mcp-go/mcp"
	"github.com/mark3labs/mcp-go/server"
	"github.com/rogpeppe/go-internal/txtar"

	"github.com/anything-mcp/anything-mcp/progress"
)

var update = flag.Bool("update", false, "rewrite the transcripts in testdata")

// fakeServer is an MCP server whose one tool, work, does what its arguments say.
type fakeServer struct {
	srv  *server.MCPServer
	stop func() // makes waiting calls return

	tasks   Tasks
	toolbox Toolbox
	signal  map[string]func() // what a transcript's other steps do, by the step

	quit chan struct{} // closed by stop

	mu  sync.Mutex // guards saw
	saw []string   // how waiting calls ended, and which updates failed
}

func newFakeServer() *fakeServer {
	f := &fakeServer{quit: make(chan struct{})}
	f.stop = sync.OnceFunc(func() { close(f.quit) })
	f.srv = server.NewMCPServer("worker", "1.0.0", server.WithToolCapabilities(false))
	f.srv.AddTool(mcp.NewTool("work", mcp.WithDescription("Does as it is told.")), f.work)
	return f
}

// workArgs are the arguments of work, carried out from top to bottom.
type workArgs struct {
	Name    string
	Defer   bool   // all that follows
	Updates int    // progress updates to send
	Wait    string // a duration that a stop or the context cuts short
	Ignore  bool   // neither cuts it short
	After   int    // updates to try after the wait was cut short
	Panic   string
	Size    int    // bytes of text in the result
	Fail    string // the error that the handler returns, whatever it has deferred
}

func (f *fakeServer) work(ctx context.Context, req mcp.CallToolRequest) (*mcp.CallToolResult, error) {
	var a workArgs
	if err := req.BindArguments(&a); err != nil {
		return nil, err
	}
	result := new(mcp.CallToolResult)
	if a.Defer {
		progress.Defer(ctx, func(ctx context.Context) { *result = *f.do(ctx, a) })
	} else {
		result = f.do(ctx, a)
	}
	if a.Fail != "" {
		return nil, errors.New(a.Fail)
	}
	return result, nil
}

func (f *fakeServer) do(ctx context.Context, a workArgs) *mcp.CallToolResult {
	sink := progress.SinkFrom(ctx)
	send := func(n int) error {
		if sink == nil {
			return nil
		}
		return sink.Send(ctx, progress.Update{Message: fmt.Sprintf("step %d", n)})
	}
	for n := range a.Updates {
		if err := send(n + 1); err != nil {
			f.note(a.Name + " update: " + err.Error())
			break
		}
	}
	end := f.wait(ctx, a)
	for n := range a.After {
		if err := send(a.Updates + n + 1); err != nil {
			f.note(a.Name + " late update: " + err.Error())
		}
	}
	if a.Panic != "" {
		panic(a.Panic)
	}
	return mcp.NewToolResultText(end + strings.Repeat("x", a.Size))
}

func (f *fakeServer) wait(ctx context.Context, a workArgs) string {
	d, _ := time.ParseDuration(a.Wait)
	if d == 0 {
		return "done"
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	quit, gone := f.quit, ctx.Done()
	if a.Ignore {
		quit, gone = nil, nil
	}
	select {
	case <-timer.C:
		return "done"
	case <-quit:
		return "stopped"
	case <-gone:
		f.note(a.Name + " context: " + context.Cause(ctx).Error())
		return "gone"
	}
}

func (f *fakeServer) note(s string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.saw = append(f.saw, s)
}

// notes returns what was noted since the last call.
func (f *fakeServer) notes() []string {
	f.mu.Lock()
	defer f.mu.Unlock()
	saw := f.saw
	f.saw = nil
	return saw
}

// replay runs each transcript of an archive. play gets its steps, which are the
// lines that do not begin with "<" or "~", and returns all lines. They must be
// those of the archive. With -update replay rewrites the archive.
func replay(t *testing.T, path string, play func(t *testing.T, steps []string) []string) {
	archive, err := txtar.ParseFile(path)
	if err != nil {
		t.Fatal(err)
	}
	for i, file := range archive.Files {
		t.Run(file.Name, func(t *testing.T) {
			var steps []string
			for line := range strings.Lines(string(file.Data)) {
				if line = strings.TrimRight(line, "\n"); !strings.HasPrefix(line, "<") && !strings.HasPrefix(line, "~") {
					steps = append(steps, line)
				}
			}
			got := strings.Join(play(t, steps), "\n") + "\n"
			if *update {
				archive.Files[i].Data = []byte(got)
			} else if got != string(file.Data) {
				t.Errorf("the transcript differs; got\n%s\nwant\n%s", got, file.Data)
			}
		})
	}
	if *update {
		if err := os.WriteFile(path, txtar.Format(archive), 0o644); err != nil {
			t.Fatal(err)
		}
	}
}
