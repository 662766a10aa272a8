package cli

import (
	"cmp"
	"errors"
	"path/filepath"
	"runtime"
	"time"

	"github.com/anything-mcp/anything-mcp/jobs"
	"github.com/anything-mcp/anything-mcp/jobs/sqlite"
)

// inMemory is the --state-dir that keeps nothing.
const inMemory = "memory"

// keeping is the settings of where jobs are kept.
type keeping struct {
	StateDir string   `placeholder:"DIR" help:"Where builds and runs are kept; memory: nowhere. Default: $XDG_STATE_HOME/anything-mcp, or the place for state of this system and user; memory with --sandbox."`
	Keep     duration `default:"2160h" placeholder:"TIME" help:"How long they are kept after their end; 0: for ever."`
}

// spending is the settings of what may be built.
type spending struct {
	ReuseWindow         duration `default:"15m" placeholder:"TIME" help:"Asked for the same again within this time, return the finished build; 0: never."`
	DailyBudget         float64  `placeholder:"USD" help:"Refuse builds beyond this sum in US dollars a day; 0: no limit. The next build is taken to cost $1 until the costs of five are known."`
	MaxConcurrentBuilds int      `placeholder:"N" help:"Refuse more builds at once; 0: no limit."`
}

func (k keeping) check() error { return k.Keep.within("--keep", 0, 100*365*24*time.Hour) }

func (s spending) check() error {
	switch {
	case !(s.DailyBudget >= 0):
		return errors.New("--daily-budget must be a sum in US dollars; 0 is no limit")
	case s.MaxConcurrentBuilds < 0:
		return errors.New("--max-concurrent-builds must be a number of builds; 0 is no limit")
	}
	return s.ReuseWindow.within("--reuse-window", 0, 365*24*time.Hour)
}

// rules is the settings as a Manager takes them.
func (k keeping) rules(s spending) jobs.Options {
	return jobs.Options{
		ReuseWindow:    time.Duration(s.ReuseWindow),
		MaxBuilds:      s.MaxConcurrentBuilds,
		DailyBudgetUSD: s.DailyBudget,
		Keep:           time.Duration(k.Keep),
	}
}

// store opens nothing: the database is opened when it is first needed. Without
// a place to keep it, jobs are kept in memory, which the log tells.
func (k keeping) store(p *program) jobs.Store {
	dir := k.StateDir
	if dir == "" && !p.opts.Sandbox { // the sandbox forgets its functions, and so do we their builds
		var err error
		if dir, err = stateDir(p.vars); err != nil {
			p.logger().Warn("builds and runs are kept in memory alone", "err", err)
		}
	}
	if dir == "" || dir == inMemory {
		return sqlite.NewMemory()
	}
	disk := sqlite.New(dir)
	disk.DirName = "--state-dir"
	return disk
}

// stateDir is where a user's programs keep their state: $XDG_STATE_HOME, or
// what stands for it on the platform.
func stateDir(vars environment) (string, error) {
	const name = "anything-mcp"
	if dir := vars["XDG_STATE_HOME"]; filepath.IsAbs(dir) {
		return filepath.Join(dir, name), nil
	}
	home := vars["HOME"]
	switch {
	case runtime.GOOS == "windows" && cmp.Or(vars["LocalAppData"], vars["LOCALAPPDATA"]) != "":
		return filepath.Join(cmp.Or(vars["LocalAppData"], vars["LOCALAPPDATA"]), name), nil
	case home == "":
		return "", errors.New("this user has no home directory: name a place with --state-dir")
	case runtime.GOOS == "darwin":
		return filepath.Join(home, "Library", "Application Support", name), nil
	}
	return filepath.Join(home, ".local", "state", name), nil
}
