package cli

import (
	"cmp"
	"errors"
	"path/filepath"
	"runtime"

	"github.com/anything-mcp/anything-mcp/jobs"
	"github.com/anything-mcp/anything-mcp/jobs/sqlite"
)

// inMemory is the --state-dir that stores nothing on disk.
const inMemory = "memory"

// newStore returns the store that the settings name. The store opens its database
// when it is first used.
func (p *program) newStore(s storeFlags) jobs.Store {
	dir := s.stateDir
	if dir == "" && !p.settings.sandbox { // a sandbox does not keep functions, so their builds are of no use
		var err error
		if dir, err = stateDir(p.vars, runtime.GOOS); err != nil {
			p.log.Warn("builds and runs are kept in memory only", "err", err)
		}
	}
	if dir == "" || dir == inMemory {
		return sqlite.NewMemory()
	}
	disk := sqlite.New(dir)
	disk.DirName = "--state-dir"
	return disk
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
