package cli

import (
	"context"
	"errors"
	"log/slog"
	"runtime"
	"sync"
	"time"

	"github.com/anything-mcp/anything-mcp/functions"
	"github.com/anything-mcp/anything-mcp/jobs"
	"github.com/anything-mcp/anything-mcp/jobs/sqlite"
	"github.com/anything-mcp/anything-mcp/notte"
	"github.com/anything-mcp/anything-mcp/notte/sandbox"
	"github.com/anything-mcp/anything-mcp/tools"
	"github.com/anything-mcp/anything-mcp/transport"
)

// stopTime bounds how long jobs may take to end and to be stored when the program
// ends. Docker kills a container after ten seconds.
const stopTime = 9 * time.Second

// The key and the URL of our own sandbox. All processes use the same ones, and no real
// build has them, so that all processes see the same simulated jobs and no others.
const (
	sandboxKey = "sandbox" // it accepts any
	sandboxURL = "http://sandbox.invalid"
)

// app holds what the commands for builds and runs share.
type app struct {
	log       *slog.Logger
	client    *notte.Client // of the user's account; without a key until that is found
	store     *sqlite.Store
	jobs      *jobs.Manager
	functions *functions.Catalogue
	keep      time.Duration // how long jobs are kept
	stateDir  string        // the flag's value
	dir       string        // the directory that it means; "": in memory
	simulated bool          // the sandbox takes Notte's place
	unfit     error         // why no call may be carried out; nil: they may

	mu         sync.Mutex // guards client, settled and accountErr while account may be called
	settled    bool       // the key is not looked for again
	accountErr error      // why there is no key
	open       func(context.Context) (*notte.Client, error)

	closeSandbox func()
	stopping     sync.Once
	stopped      sync.WaitGroup
}

// newApp returns an app with the settings. It makes no request and, without
// --sandbox, opens no file and no port. A missing key is not an error here, but in
// calls of the client. The caller must Close the app.
func (p *program) newApp(s storeFlags, l limitFlags) (*app, error) {
	dir, err := p.keptIn(s.stateDir)
	if err = p.report(p.source("state-dir"), err); err != nil {
		return nil, err
	}
	a := &app{log: p.log, keep: s.keep, stateDir: s.stateDir, dir: dir, simulated: p.settings.sandbox, closeSandbox: func() {}}
	cfg := p.clientConfig()
	if a.simulated {
		a.startSandbox(&cfg, p.sandboxOptions(a.dir))
	}
	if a.client, err = p.newClient(cfg); err != nil {
		a.closeSandbox()
		return nil, err
	}
	a.store = p.newStore(a.dir)
	options := jobOptions(s, l)
	options.InMemory = a.dir == ""
	options.Logger = p.log
	a.jobs = jobs.NewManager(a.store, options)
	a.functions = functions.New(a.store, p.log)
	a.settled, a.open = a.simulated, p.opener(cfg)
	if err := p.openAtStart(a); err != nil {
		a.Close()
		return nil, err
	}
	return a, nil
}

// clientConfig returns the settings as those of a client, without the key.
func (p *program) clientConfig() notte.Config {
	return notte.Config{
		APIURL:      p.settings.apiURL,
		AnythingURL: p.settings.anythingURL,
		Names:       p.settingNames(runtime.GOOS),
		HTTPClient:  notte.NewHTTPClient(p.readBuffer, p.vars.proxies()),
		IdleTimeout: p.settings.idleTimeout,
		UserAgent:   "anything-mcp/" + readVersion().version,
		Logger:      p.log,
	}
}

// openAtStart makes the account of a if its key is at hand, and starts to look after
// jobs that other processes have left. It does not while settings are wrong: jobs might
// be deleted that the user wants to keep.
func (p *program) openAtStart(a *app) error {
	account := a.account
	if p.unfit() != nil {
		account = a.open // does not look after jobs
	}
	if !a.simulated && p.atHand() {
		if _, err := account(context.Background()); err != nil {
			if err = p.report(keyVariable, err); err != nil {
				return err
			}
		}
	}
	if a.unfit = p.unfit(); a.unfit == nil && a.simulated {
		a.jobs.Recover(a.client)
	}
	return nil
}

// newClient returns a client, without a key if calls are to tell what is wrong with
// cfg.
func (p *program) newClient(cfg notte.Config) (*notte.Client, error) {
	client, err := notte.NewClient(cfg)
	setting, wrong := errors.AsType[*notte.SettingError](err)
	if !wrong {
		return client, err
	}
	if err = p.report(setting.Setting, err); err != nil {
		return nil, err
	}
	return notte.NewClient(notte.Config{})
}

// withJobs calls do with an app, or fails if the app has no key.
func (p *program) withJobs(s storeFlags, l limitFlags, do func(*app) error) error {
	a, err := p.newApp(s, l)
	if err != nil {
		return err
	}
	defer a.Close()
	client, err := a.account(context.Background())
	switch {
	case err != nil:
		return usageErrorf("%w", err)
	case client.Ready() != nil:
		return client.Ready()
	}
	return do(a)
}

// startSandbox starts a sandbox and makes cfg use it. Calls stay in this process.
// The port is for a browser that opens a viewer URL.
func (a *app) startSandbox(cfg *notte.Config, opts []sandbox.Option) {
	var s *sandbox.Server
	l, err := sandbox.Listen("127.0.0.1:0", opts...)
	if err == nil {
		s, a.closeSandbox = l.Server, l.Close
	} else {
		a.log.Debug("the sandbox has no port, so no browser can open its viewer", "err", err)
		s = sandbox.New(opts...)
		a.closeSandbox = s.Close
	}
	cfg.Key, cfg.HTTPClient, cfg.APIURL, cfg.AnythingURL = sandboxKey, s.Client(), sandboxURL, sandboxURL
	stop := a.closeSandbox
	a.closeSandbox = func() {
		stop()
		if err := s.FileError(); err != nil {
			a.log.Warn("the functions of the sandbox were not kept", "err", err)
		}
	}
}

// stopJobs starts stopping all jobs and returns at once, so that waiting calls
// are answered. Close waits for it.
func (a *app) stopJobs() {
	a.stopping.Do(func() {
		a.stopped.Go(func() {
			ctx, cancel := context.WithTimeout(context.Background(), stopTime)
			defer cancel()
			if err := a.jobs.Stop(ctx); err != nil {
				a.log.Warn("this process ends before all jobs have ended and are stored", "err", err)
			}
		})
	})
}

// Close stops all jobs, waits for them, and closes the store and the sandbox.
func (a *app) Close() {
	a.stopJobs()
	a.stopped.Wait()
	if err := a.store.Close(); err != nil {
		a.log.Warn("the store of jobs could not be closed", "err", err)
	}
	a.closeSandbox()
}

// served is what a transport serves.
type served struct {
	tools.Server
	tasks transport.Tasks // nil: none
}

// server returns the tools for the callers of an account.
func (a *app) server(s serverFlags, account func(context.Context) (*notte.Client, error)) served {
	cfg := tools.Config{
		Account:   account,
		Jobs:      a.jobs,
		Functions: a.functions,
		Wait:      s.wait,
		Version:   readVersion().version,
		Sandbox:   a.simulated,
		Detach:    s.limits.detach,
		MaxBatch:  s.maxBatch,
		Logger:    a.log,
		Tasks:     s.tasks && a.unfit == nil,
		Apps:      s.apps,
		Keep:      a.keep,
		Advice:    advice,
		Unfit:     a.unfit,
		Pins:      tools.PinConfig{Off: !s.pins, Most: s.maxPins, Set: s.pin.pins},
		Minimal:   s.tools == "minimal",
	}
	if s.wait == 0 {
		cfg.Wait = -1 // to tools 0 means the default
	}
	srv := tools.NewServer(cfg)
	out := served{Server: srv}
	if cfg.Tasks {
		out.tasks = srv.Tasks
	}
	return out
}

// logReady logs that a server is ready, and why its calls will be refused.
func (a *app) logReady(message string, args ...any) {
	switch {
	case a.unfit != nil:
		a.log.Warn("the tools are listed, and each call answers with what is wrong", "err", a.unfit)
	case a.simulated:
		args = append(args, "notte", "sandbox", "results", "simulated")
	case !a.settled:
		args = append(args, "key", "looked for when a call needs it")
	}
	a.log.Info(message, args...)
}
