package cli

import (
	"errors"
	"fmt"
	"path/filepath"
	"runtime"
	"strings"

	"github.com/anything-mcp/anything-mcp/jobs/sqlite"
	"github.com/anything-mcp/anything-mcp/notte/sandbox"
)

// inMemory is the --state-dir that stores nothing on disk.
const inMemory = "memory"

// keptIn returns the directory that the value of --state-dir means, or "" to store
// nothing on disk.
func (p *program) keptIn(value string) (string, error) {
	switch {
	case strings.EqualFold(value, inMemory):
		return "", nil
	case value == "":
		dir, err := stateDir(p.vars, runtime.GOOS)
		if err != nil {
			p.log.Warn("builds and runs are kept in memory only", "err", err)
		}
		return dir, nil
	}
	dir, err := expandHome(value, p.vars, runtime.GOOS)
	if err == nil && !p.typed("state-dir") && !isAbs(dir, runtime.GOOS) {
		err = errors.New("it is relative to the directory in which the program starts, which differs from host to host")
	}
	if err != nil {
		return "", fmt.Errorf("the directory %.200q in %s cannot be used: %w; write its whole path, or memory", value, p.source("state-dir"), err)
	}
	return dir, nil
}

// expandHome returns path with the user's home in the place of a leading ~/, which
// only a shell replaces.
func expandHome(path string, vars environment, goos string) (string, error) {
	rest, ok := strings.CutPrefix(path, "~")
	switch home := vars.home(); {
	case !ok:
		return path, nil
	case rest != "" && rest[0] != '/' && (goos != "windows" || rest[0] != '\\'):
		return "", errors.New("a ~ stands only for the home of the user who runs this, as in ~/dir")
	case home == "":
		return "", errors.New("this user has no home directory")
	default:
		return filepath.Join(home, strings.TrimLeft(rest, `/\`)), nil
	}
}

// home returns the user's home directory, or "".
func (e environment) home() string {
	for _, name := range []string{"HOME", "USERPROFILE"} {
		if filepath.IsAbs(e[name]) {
			return e[name]
		}
	}
	return ""
}

// newStore returns the store of jobs in dir, or in memory if dir is "". The store
// opens its database when it is first used.
func (p *program) newStore(dir string) *sqlite.Store {
	if dir == "" {
		return sqlite.NewMemory()
	}
	disk := sqlite.New(dir)
	disk.DirName = p.source("state-dir")
	return disk
}

// sandboxOptions returns the settings as options of a sandbox. Unless dir is "", the
// sandbox keeps its functions there, and all sandboxes of a directory share them.
func (p *program) sandboxOptions(dir string) []sandbox.Option {
	opts := []sandbox.Option{
		sandbox.WithSpeed(p.settings.sandboxSpeed), sandbox.WithAPI(sandbox.API(p.settings.sandboxAPI)), sandbox.WithExamples(),
	}
	if dir != "" {
		opts = append(opts, sandbox.WithFile(filepath.Join(dir, "sandbox.json")))
	}
	return opts
}

// appDir is the name of the directory.
const appDir = "anything-mcp"

// stateDir returns where the programs of a user keep their state on goos:
// $XDG_STATE_HOME, or what the system has in its place.
func stateDir(vars environment, goos string) (string, error) {
	if dir := vars["XDG_STATE_HOME"]; filepath.IsAbs(dir) {
		return filepath.Join(dir, appDir), nil
	}
	return usualStateDir(vars, goos)
}

// usualStateDir is stateDir for a program that gets no variables but those of the
// system: not all hosts hand down others.
func usualStateDir(vars environment, goos string) (string, error) {
	if dir := vars["LOCALAPPDATA"]; goos == "windows" && filepath.IsAbs(dir) {
		return filepath.Join(dir, appDir), nil
	}
	home := vars.home()
	switch {
	case home == "":
		return "", errors.New("this user has no home directory: set a directory with --state-dir or " + variable("state-dir"))
	case goos == "darwin":
		return filepath.Join(home, "Library", "Application Support", appDir), nil
	}
	return filepath.Join(home, ".local", "state", appDir), nil
}
