package cli

import (
	"strings"
	"time"

	"github.com/spf13/pflag"

	"github.com/anything-mcp/anything-mcp/jobs"
	"github.com/anything-mcp/anything-mcp/notte"
	"github.com/anything-mcp/anything-mcp/notte/sandbox"
	"github.com/anything-mcp/anything-mcp/text"
	"github.com/anything-mcp/anything-mcp/tools"
)

const (
	day  = 24 * time.Hour
	many = 1_000_000 // more than any count needs
)

// harmless are the flags whose default may take the place of a value that cannot be
// read. The others guard money, access or what is kept.
var harmless = []string{
	"wait", "grace", "tasks", "pin", "max-pins", "apps", "idle-timeout", "detached-timeout", "log-level", "log-format", "sandbox-speed", "sandbox-api",
}

// guards are the flags that must not stay at their default because a host passed on a
// placeholder: builds would be billed, or billed beyond a limit.
var guards = []string{"sandbox", "api-url", "anything-url", "daily-budget", "max-concurrent-builds"}

// settings are the settings of every command.
type settings struct {
	sandbox      bool
	sandboxSpeed float64
	sandboxAPI   string // of package sandbox
	keyFile      string
	keyCommand   string
	keyring      bool
	apiURL       string
	anythingURL  string
	idleTimeout  time.Duration
	logLevel     string
	logFormat    string
}

func (s *settings) add(f *pflag.FlagSet) {
	f.SortFlags = false
	addBool(f, &s.sandbox, "sandbox", "Use the built-in sandbox: no key, no web, no bill. Results are simulated.")
	f.Var(numberValue(&s.sandboxSpeed, 1, many, "FACTOR"), "sandbox-speed", "Make the sandbox FACTOR times as fast; 0: no pauses.")
	f.Var(choiceValue(&s.sandboxAPI, string(sandbox.V2), string(sandbox.V1)), "sandbox-api", "Have the sandbox speak this `VERSION` of the Anything API: v2, or v1, which Notte retired in August 2026.")
	f.StringVar(&s.keyFile, "api-key-file", "", "Read the key from `FILE`.")
	f.StringVar(&s.keyCommand, "api-key-command", "", "Take the key from what `CMD` prints, in a shell: that of a password manager.")
	s.keyring = true
	f.Var(boolValue(&s.keyring, "WORD", "on", "off"), "keyring", "Look for the key in the system's keyring: `on|off`.")
	f.StringVar(&s.apiURL, "api-url", notte.DefaultAPIURL, "`URL` of Notte's Functions API.")
	f.StringVar(&s.anythingURL, "anything-url", notte.DefaultAnythingURL, "`URL` of Notte's Anything API.")
	idle := timeValue(&s.idleTimeout, 0, time.Second, day)
	idle.get = func() string { return strings.TrimPrefix(text.Duration(s.idleTimeout), "0s") } // no default: it depends on the stream
	f.Var(idle, "idle-timeout", "Give up on a stream from Notte after this long without an event. Default: 10m, or 5m for v1 of the API and for runs.")
	f.Var(choiceValue(&s.logLevel, "info", "debug", "warn", "error"), "log-level", "Log this `LEVEL` and above: debug, info, warn or error.")
	f.Var(choiceValue(&s.logFormat, "text", "json"), "log-format", "Log to stderr in this `FORMAT`: text or json.")
	f.MarkHidden("sandbox-speed")
}

// storeFlags say where jobs are kept, and how long. They are those of every
// command that has jobs.
type storeFlags struct {
	stateDir        string // "" is the system's default; inMemory is no directory
	keep            time.Duration
	detachedTimeout time.Duration // of every command, because each may take over a build
}

func (s *storeFlags) add(f *pflag.FlagSet) {
	addStateDir(f, &s.stateDir, "builds and runs")
	f.Var(timeValue(&s.keep, 90*day, 0, 36500*day), "keep", "How long to keep a build or run after its end; 0: for ever.")
	f.Var(timeValue(&s.detachedTimeout, 30*time.Minute, 0, 7*day), "detached-timeout", "How long to look for the function of a build that goes on at Notte after its stream has ended here; 0: not at all.")
}

// addStateDir adds the flag that says where something is kept.
func addStateDir(f *pflag.FlagSet, target *string, what string) {
	f.StringVar(target, "state-dir", "", "Keep "+what+" in `DIR`; memory: only in this process. Default: $XDG_STATE_HOME/anything-mcp, or this system's directory for such files.")
}

// limitFlags say how builds are made, and how many.
type limitFlags struct {
	detach       bool
	reuseWindow  time.Duration
	buildTimeout time.Duration
	dailyBudget  float64
	maxBuilds    int
}

func (l *limitFlags) add(f *pflag.FlagSet) {
	addBool(f, &l.detach, "detach", "Have Notte go on with a build by itself: it outlives this process, and reports no steps.")
	f.Var(timeValue(&l.reuseWindow, 15*time.Minute, 0, 365*day), "reuse-window", "Return a finished build to a caller that asks for the same within this time; 0: never.")
	f.Var(timeValue(&l.buildTimeout, time.Hour, time.Second, 7*day), "build-timeout", "End a build after this long, with the status timeout and what it has so far.")
	f.Var(dollarsValue(&l.dailyBudget, 1e9), "daily-budget", "Refuse a build that could take a day's cost above this sum in US dollars; 0: no limit. A build is expected to cost $1 until the costs of five are known.")
	f.Var(countValue(&l.maxBuilds, 0, 0, many), "max-concurrent-builds", "Refuse a build while this many are running; 0: no limit.")
}

// jobOptions returns the settings as options of a Manager.
func jobOptions(s storeFlags, l limitFlags) jobs.Options {
	return jobs.Options{
		ReuseWindow:     l.reuseWindow,
		BuildTimeout:    l.buildTimeout,
		DetachedTimeout: s.detachedTimeout,
		MaxBuilds:       l.maxBuilds,
		DailyBudgetUSD:  l.dailyBudget,
		Keep:            s.keep,
	}
}

// serverFlags are the settings of both MCP servers.
type serverFlags struct {
	wait     time.Duration
	tasks    bool
	apps     bool
	maxCalls int
	tools    string // default or minimal
	pin      pinsValue
	pins     bool
	maxPins  int
	maxBatch int

	store  storeFlags
	limits limitFlags
}

func (s *serverFlags) add(f *pflag.FlagSet, maxCalls int) {
	f.Var(timeValue(&s.wait, tools.DefaultWait, 0, tools.MaxWait), "wait", "How long a call waits for its build or run before it answers with a handle.")
	f.Var(countValue(&s.maxCalls, maxCalls, 1, many), "max-calls", "Refuse a call while this many are running.")
	s.tasks = true
	f.Var(boolValue(&s.tasks, "WORD", "on", "off"), "tasks", "Offer MCP tasks to clients that declare them: `on|off`.")
	s.apps = true
	f.Var(boolValue(&s.apps, "WORD", "on", "off"), "apps", "Show builds and runs in the chat, in clients that declare MCP Apps: `on|off`.")
	f.Var(choiceValue(&s.tools, "default", "minimal"), "tools", "List all tools, or minimal: five that build and run.")
	f.Var(&s.pin, "pin", "Make the function `ID[=NAME]` a tool of its own in this server; may be repeated.")
	s.pins = true
	f.Var(boolValue(&s.pins, "WORD", "on", "off"), "pins", "List pinned functions as tools, and let clients pin: `on|off`.")
	addMaxPins(f, &s.maxPins)
	s.store.add(f)
	s.limits.add(f)
	addMaxBatch(f, &s.maxBatch)
}
