package cli

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"os/exec"
	"runtime"
	"strings"
	"sync"
	"time"

	"github.com/mark3labs/mcp-go/mcp"

	"github.com/anything-mcp/anything-mcp/jobs"
	"github.com/anything-mcp/anything-mcp/pages"
	"github.com/anything-mcp/anything-mcp/tools"
	"github.com/anything-mcp/anything-mcp/transport"
)

// openMonitor shows a build in the user's browser, until the function that it returns is
// called at the end of the build. It prints the address, which opens the page once, for
// whoever has no browser here. A failure is printed, and the build goes on.
func (p *program) openMonitor(ctx context.Context, a *app, job jobs.Job) (end func()) {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		fmt.Fprintf(p.screen, "No browser can show the build, because this machine gives no port: %v.\n", err)
		return func() {}
	}
	srv := a.server(serverFlags{}, p.callerAccount(a))
	m, code := &monitor{server: srv.Server}, rand.Text()
	handler, err := transport.NewPages(
		pages.New(pages.Options{Call: m.call, Code: code, Simulated: a.simulated, Logger: a.log}),
		transport.HTTPOptions{Addr: ln.Addr().String()})
	if err != nil { // impossible on loopback
		_ = ln.Close()
		return func() {}
	}
	m.http = &http.Server{
		Handler: handler, ReadHeaderTimeout: 10 * time.Second,
		ErrorLog: slog.NewLogLogger(a.log.Handler(), slog.LevelDebug),
	}
	var serving sync.WaitGroup
	serving.Go(func() { _ = m.http.Serve(ln) }) // until end
	address := "http://" + ln.Addr().String() + "/builds/" + job.ID + "?code=" + code
	fmt.Fprintln(p.screen, "Watch it at "+address)
	openBrowser(p.vars, p.env.Environ, address)
	return func() {
		m.end(ctx)
		serving.Wait()
	}
}

// monitor serves the page of a build from this process.
type monitor struct {
	server tools.Server
	http   *http.Server

	mu      sync.Mutex // guards what follows
	running int        // calls of the page
	last    time.Time  // when the last one began or ended; zero: no page is open
	told    bool       // the page knows that the build has ended
}

const (
	// pageOpen is how long a page that is open is silent at most.
	pageOpen = 25 * time.Second
	// endWait is how long the end of the command waits for the page.
	endWait = 5 * time.Second
	// pageIdle is how long the page is silent once it shows the end of the build with
	// the function.
	pageIdle = 700 * time.Millisecond
)

// call calls a tool for the page.
func (m *monitor) call(ctx context.Context, name string, arguments json.RawMessage) (*mcp.CallToolResult, bool) {
	m.count(1, false)
	result, found := m.server.Call(ctx, name, arguments)
	var answer struct{ Job struct{ Status jobs.State } }
	tells := found && name == "follow_job" && json.Unmarshal(result.RawStructuredContent, &answer) == nil
	m.count(-1, tells && answer.Job.Status != "" && answer.Job.Status.Ended())
	return result, found
}

func (m *monitor) count(n int, told bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.running, m.last, m.told = m.running+n, time.Now(), m.told || told
}

// isDone reports whether no page is open, or an open one shows all that it can.
func (m *monitor) isDone() bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	quiet := time.Since(m.last)
	return quiet > pageOpen || m.told && m.running == 0 && quiet > pageIdle
}

// end stops serving, as soon as an open page shows the end of the build.
func (m *monitor) end(ctx context.Context) {
	ctx, stop := context.WithTimeout(context.WithoutCancel(ctx), endWait)
	defer stop()
	for !m.isDone() && ctx.Err() == nil {
		select {
		case <-time.After(pageIdle / 7):
		case <-ctx.Done():
		}
	}
	if m.http.Shutdown(ctx) != nil {
		_ = m.http.Close()
	}
}

// openBrowser opens an address in the user's browser, and does nothing if there is none.
// The browser gets none of the settings of this program, which hold the key.
func openBrowser(vars environment, environ []string, address string) {
	var cmd *exec.Cmd
	switch runtime.GOOS {
	case "darwin":
		cmd = exec.Command("open", address)
	case "windows":
		cmd = exec.Command("rundll32", "url.dll,FileProtocolHandler", address)
	default:
		if vars["DISPLAY"] == "" && vars["WAYLAND_DISPLAY"] == "" {
			return // a text browser would take this terminal
		}
		cmd = exec.Command("xdg-open", address)
	}
	for _, pair := range environ {
		if name := strings.ToUpper(pair); !strings.HasPrefix(name, prefix) && !strings.HasPrefix(name, nottePrefix) {
			cmd.Env = append(cmd.Env, pair)
		}
	}
	if cmd.Start() == nil {
		go func() { _ = cmd.Wait() }() // until the opener ends, which this program does not wait for
	}
}
