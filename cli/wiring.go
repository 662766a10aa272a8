package cli

import (
	"context"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"sync"
	"time"

	"github.com/mark3labs/mcp-go/server"

	"github.com/anything-mcp/anything-mcp/jobs"
	"github.com/anything-mcp/anything-mcp/notte"
	"github.com/anything-mcp/anything-mcp/notte/sandbox"
	"github.com/anything-mcp/anything-mcp/tools"
	"github.com/anything-mcp/anything-mcp/transport"
)

// stopTime bounds how long jobs may take to end when the program does.
const stopTime = 5 * time.Second

// rig is what builds and runs need, put together from the settings.
type rig struct {
	log     *slog.Logger
	client  *notte.Client
	store   jobs.Store
	jobs    *jobs.Manager
	keep    time.Duration // how long jobs are kept
	sandbox *sandboxHost  // nil: the real Notte

	stopping sync.Once
	stopped  sync.WaitGroup
}

// newRig makes no request and, without --sandbox, opens nothing. A missing key
// is no error here: the client says so when it is needed.
func (p *program) newRig(k keeping, s spending) (*rig, error) {
	for _, err := range []error{p.opts.check(), k.check(), s.check()} {
		if err != nil {
			return nil, usageError{err: err}
		}
	}
	r := &rig{log: p.logger()}
	cfg := notte.Config{
		Key:         notte.APIKey(p.vars[keyVariable]),
		APIURL:      p.opts.APIURL,
		AnythingURL: p.opts.AnythingURL,
		Names:       notte.SettingNames{Key: keyVariable, APIURL: "NOTTE_API_URL", AnythingURL: "NOTTE_ANYTHING_URL"},
		IdleTimeout: time.Duration(p.opts.IdleTimeout),
		UserAgent:   "anything-mcp/" + readVersion().version,
		Logger:      r.log,
	}
	if p.opts.Sandbox {
		r.sandbox = p.hostSandbox(r.log)
		cfg.Key, cfg.APIURL, cfg.AnythingURL = sandboxKey, r.sandbox.url, r.sandbox.url
		cfg.HTTPClient = r.sandbox.Client()
	}
	client, err := notte.NewClient(cfg)
	if err != nil {
		r.close()
		return nil, usageError{err: err}
	}
	r.client = client
	r.keep = time.Duration(k.Keep)
	r.store = k.store(p)
	rules := k.rules(s)
	rules.Logger = r.log
	r.jobs = jobs.NewManager(r.store, rules)
	r.jobs.Recover(client)
	return r, nil
}

// stopJobs ends all jobs, so that whoever waits for them gets an answer, and
// does not wait for that: close does.
func (r *rig) stopJobs() {
	r.stopping.Do(func() {
		r.stopped.Go(func() {
			ctx, cancel := context.WithTimeout(context.Background(), stopTime)
			defer cancel()
			if err := r.jobs.Stop(ctx); err != nil {
				r.log.Warn("stopped before every job had ended", "err", err)
			}
		})
	})
}

// close ends all that the rig has running and waits for it.
func (r *rig) close() {
	if r.jobs != nil {
		r.stopJobs()
		r.stopped.Wait()
		if err := r.store.Close(); err != nil {
			r.log.Warn("the store of jobs could not be closed", "err", err)
		}
	}
	if r.sandbox != nil {
		r.sandbox.close()
	}
}

// serving is the settings that both servers have.
type serving struct {
	Wait  duration `default:"45s" placeholder:"TIME" help:"How long a call waits for its build or run before it answers with a handle; 0 to 1h."`
	Tasks string   `default:"on" enum:"on,off" placeholder:"on|off" help:"MCP tasks, for clients that declare them."`
}

// server is the MCP server, with its view of jobs as tasks, nil if there is to
// be none.
func (r *rig) server(s serving) (*server.MCPServer, transport.Tasks) {
	cfg := tools.Config{
		Client:  r.client,
		Jobs:    r.jobs,
		Wait:    time.Duration(s.Wait),
		Version: readVersion().version,
		Sandbox: r.sandbox != nil,
		Logger:  r.log,
		Tasks:   s.Tasks == "on",
		Keep:    r.keep,
		Advice:  advice,
	}
	if s.Wait == 0 {
		cfg.Wait = -1 // to tools 0 means the default
	}
	srv := tools.NewServer(cfg)
	if !cfg.Tasks {
		return srv.MCP, nil
	}
	return srv.MCP, srv.Tasks
}

// sandboxKey is the key that is sent to our own sandbox, which takes any.
const sandboxKey = "sandbox"

// sandboxHost is a sandbox in this process. Our own calls reach it over pipes;
// the port that it listens on is for the user's browser, which opens the
// viewer's page there.
type sandboxHost struct {
	*sandbox.Server
	url     string
	http    *http.Server
	serving sync.WaitGroup
}

func (p *program) hostSandbox(log *slog.Logger) *sandboxHost {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		log.Debug("the sandbox's viewer cannot be opened in a browser", "err", err)
		return &sandboxHost{Server: sandbox.New(sandbox.WithSpeed(p.opts.SandboxSpeed)), url: "http://sandbox.invalid"}
	}
	return newSandboxHost(ln, p.opts.SandboxSpeed, log)
}

// newSandboxHost serves a sandbox on ln, which it closes in the end.
func newSandboxHost(ln net.Listener, speed float64, log *slog.Logger) *sandboxHost {
	url := "http://" + ln.Addr().String()
	h := &sandboxHost{Server: sandbox.New(sandbox.WithSpeed(speed), sandbox.WithBaseURL(url)), url: url}
	h.http = &http.Server{
		Handler:           h.Server,
		ReadHeaderTimeout: 10 * time.Second,
		ErrorLog:          slog.NewLogLogger(log.Handler(), slog.LevelDebug),
	}
	h.serving.Go(func() { h.http.Serve(ln) })
	return h
}

// close ends the sandbox with all its streams.
func (h *sandboxHost) close() {
	h.Server.Close()
	if h.http != nil {
		h.http.Close()
		h.serving.Wait()
	}
}

// check checks the settings that both servers have.
func (s serving) check(command string, maxCalls int) error {
	if err := s.Wait.within("--wait", 0, tools.MaxWait); err != nil {
		return usageError{err, command}
	}
	if maxCalls < 1 {
		return misused(command, "--max-calls must be 1 or more, and it is %d", maxCalls)
	}
	return nil
}

// welcome logs what a server can and cannot do as it is set up.
func (r *rig) welcome(message string, args ...any) {
	switch {
	case r.sandbox != nil:
		args = append(args, "notte", "sandbox", "results", "simulated")
	case r.client.Ready() != nil:
		r.log.Warn(fmt.Sprintf("%s is not set: the tools are listed, and calls answer with how to set it", keyVariable))
	}
	r.log.Info(message, args...)
}
