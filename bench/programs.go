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

// programs are the server and what it is held against, built as they ship.
type programs struct {
	dir    string // theirs alone, and their home directory
	server string
	hello  string // prints one line
	relay  string // passes streams on
}

// buildPrograms builds them in a new directory, to be removed. The working
// directory has to be in the module.
func buildPrograms(ctx context.Context) (*programs, error) {
	dir, err := os.MkdirTemp("", "anything-mcp-bench-")
	if err != nil {
		return nil, err
	}
	build := exec.CommandContext(ctx, "go", "build", "-trimpath", "-ldflags", "-s -w",
		"-o", dir+string(filepath.Separator), module, module+"/bench/hello", module+"/bench/relay")
	build.Stderr = os.Stderr
	if err := build.Run(); err != nil {
		return nil, errors.Join(fmt.Errorf("building the programs to measure: %w", err), os.RemoveAll(dir))
	}
	file := func(name string) string {
		if runtime.GOOS == "windows" {
			name += ".exe"
		}
		return filepath.Join(dir, name)
	}
	return &programs{dir: dir, server: file("anything-mcp"), hello: file("hello"), relay: file("relay")}, nil
}

func (p *programs) remove() { os.RemoveAll(p.dir) }

// command is a program about to be started with nothing but these variables
// set: settings of whoever measures must not count.
func (p *programs) command(ctx context.Context, program string, env []string, args ...string) *exec.Cmd {
	cmd := exec.CommandContext(ctx, program, args...)
	cmd.Env = append([]string{"HOME=" + p.dir, "TMPDIR=" + p.dir}, env...)
	cmd.Stderr = os.Stderr
	return cmd
}
