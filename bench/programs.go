package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
)

const module = "github.com/anything-mcp/anything-mcp"

// programs are the server and the programs of its baselines, built as they are
// released.
type programs struct {
	dir    string // holds nothing else; it is the programs' home directory too
	server string
	hello  string // prints one line
	relay  string // is net/http's ReverseProxy
}

// buildPrograms builds the programs in a new directory, which remove deletes.
// The working directory must be in the module.
func buildPrograms(ctx context.Context) (*programs, error) {
	dir, err := os.MkdirTemp("", "anything-mcp-bench-")
	if err != nil {
		return nil, err
	}
	err = goBuild(ctx, "", dir+string(filepath.Separator), module, module+"/bench/hello", module+"/bench/relay")
	if err != nil {
		return nil, errors.Join(fmt.Errorf("building the programs to measure: %w", err), os.RemoveAll(dir))
	}
	return &programs{
		dir:    dir,
		server: executable(dir, "anything-mcp"),
		hello:  executable(dir, "hello"),
		relay:  executable(dir, "relay"),
	}, nil
}

// goBuild builds packages into output, stripped and without cgo. An empty dir is
// the working directory.
func goBuild(ctx context.Context, dir, output string, packages ...string) error {
	args := []string{"build", "-trimpath", "-ldflags", "-s -w", "-o", output}
	build := exec.CommandContext(ctx, "go", append(args, packages...)...)
	build.Dir, build.Env, build.Stderr = dir, append(os.Environ(), "CGO_ENABLED=0"), os.Stderr
	return build.Run()
}

// executable returns the path of a built program.
func executable(dir, name string) string {
	if runtime.GOOS == "windows" {
		name += ".exe"
	}
	return filepath.Join(dir, name)
}

func (p *programs) remove() { os.RemoveAll(p.dir) }

// command returns a command with only these variables set, because the user's
// own settings must not change the figures.
func (p *programs) command(ctx context.Context, program string, env []string, args ...string) *exec.Cmd {
	cmd := exec.CommandContext(ctx, program, args...)
	cmd.Env = append([]string{"HOME=" + p.dir, "TMPDIR=" + p.dir}, env...)
	cmd.Stderr = os.Stderr
	return cmd
}
