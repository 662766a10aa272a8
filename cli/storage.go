package cli

import (
	"cmp"
	"errors"
	"path/filepath"
	"runtime"

	"github.com/anything-mcp/anything-mcp/jobs"
	"github.com/anything-mcp/anything-mcp/jobs/sqlite"
	"github.com/anything-mcp/anything-mcp/notte/sandbox"
)

// inMemory is the --state-dir that stores nothing on disk.
const inMemory = "memory"

// keptIn returns the directory that the value of --state-dir means, or "" to store
// nothing on disk.
func (p *program) keptIn(flag string) string {
	switch flag {
	case inMemory:
		return ""
	case "":
		dir, err := stateDir(p.vars, runtime.GOOS)
		if err != nil {
			p.log.Warn("all is kept in memory only", "err", err)
		}
		return dir
	}
	return flag
}

// newStore returns the store of jobs in dir, or in memory if dir is "". The store
// opens its database when it is first used.
func newStore(dir string) jobs.Store {
	if dir == "" {
		return sqlite.NewMemory()
	}
	disk := sqlite.New(dir)
	disk.DirName = "--state-dir"
	return disk
}

// sandboxOptions returns the settings as options of a sandbox. Unless dir is "", the
// sandbox keeps its functions there, and all sandboxes of a directory share them.
func (p *program) sandboxOptions(dir string) []sandbox.Option {
	opts := []sandbox.Option{sandbox.WithSpeed(p.settings.sandboxSpeed), sandbox.WithAPI(sandbox.API(p.settings.sandboxAPI))}
	if dir != "" {
		opts = append(opts, sandbox.WithFile(filepath.Join(dir, "sandbox.json")))
	}
	return opts
}

// stateDir returns where the programs of a user keep their state on goos:
// $XDG_STATE_HOME, or what the system has in its place.
func stateDir(vars environment, goos string) (string, error) {
	const name = "anything-mcp"
	if dir := vars["XDG_STATE_HOME"]; filepath.IsAbs(dir) {
		return filepath.Join(dir, name), nil
	}
	if dir := vars["LOCALAPPDATA"]; goos == "windows" && dir != "" {
		return filepath.Join(dir, name), nil
	}
	home := cmp.Or(vars["HOME"], vars["USERPROFILE"])
	switch {
	case home == "":
		return "", errors.New("this user has no home directory: set a directory with --state-dir")
	case goos == "darwin":
		return filepath.Join(home, "Library", "Application Support", name), nil
	}
	return filepath.Join(home, ".local", "state", name), nil
}
