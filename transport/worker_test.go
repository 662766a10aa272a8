package transport

import (
	"context"
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

// worker is an MCP server whose one tool, work, does what its arguments say.
type worker struct {
	srv  *server.MCPServer
	stop func()        // makes waiting calls return
	quit chan struct{} // closed by stop

	mu  sync.Mutex // guards saw
	saw []string   // how waiting calls ended, and what became of late updates
}

func newWorker() *worker {
	w := &worker{quit: make(chan struct{})}
	w.stop = sync.OnceFunc(func() { close(w.quit) })
	w.srv = server.NewMCPServer("worker", "1.0.0", server.WithToolCapabilities(false))
	w.srv.AddTool(mcp.NewTool("work", mcp.WithDescription("Does as it is told.")), w.work)
	return w
}

// orders are the arguments of work, carried out from top to bottom.
type orders struct {
	Name    string
	Updates int    // progress updates to send
	Wait    string // a duration that a stop or the context cuts short
	Ignore  bool   // neither cuts it short
	After   int    // updates to try once the wait was cut short
	Panic   string
	Size    int // bytes of text in the result
}

func (w *worker) work(ctx context.Context, req mcp.CallToolRequest) (*mcp.CallToolResult, error) {
	var o orders
	if err := req.BindArguments(&o); err != nil {
		return nil, err
	}
	sink := progress.SinkFrom(ctx)
	send := func(n int) error {
		if sink == nil {
			return nil
		}
		return sink.Send(ctx, fmt.Sprintf("step %d", n))
	}
	for n := range o.Updates {
		if err := send(n + 1); err != nil {
			w.note(o.Name + " update: " + err.Error())
			break
		}
	}
	end := w.wait(ctx, o)
	for n := range o.After {
		if err := send(o.Updates + n + 1); err != nil {
			w.note(o.Name + " late update: " + err.Error())
		}
	}
	if o.Panic != "" {
		panic(o.Panic)
	}
	return mcp.NewToolResultText(end + strings.Repeat("x", o.Size)), nil
}

func (w *worker) wait(ctx context.Context, o orders) string {
	d, _ := time.ParseDuration(o.Wait)
	if d == 0 {
		return "done"
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	quit, gone := w.quit, ctx.Done()
	if o.Ignore {
		quit, gone = nil, nil
	}
	select {
	case <-timer.C:
		return "done"
	case <-quit:
		return "stopped"
	case <-gone:
		w.note(o.Name + " context: " + context.Cause(ctx).Error())
		return "gone"
	}
}

func (w *worker) note(s string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.saw = append(w.saw, s)
}

// notes returns what was noted since the last call.
func (w *worker) notes() []string {
	w.mu.Lock()
	defer w.mu.Unlock()
	saw := w.saw
	w.saw = nil
	return saw
}

// replay runs each transcript of an archive: play gets its steps, which are
// all lines but those that begin with "<" or "~", and returns all lines. With
// -update the archive is rewritten, otherwise it must be as it is.
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
