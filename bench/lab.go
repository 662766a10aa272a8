package main

import (
	"context"
	"fmt"
	"os/exec"
	"path/filepath"
	"time"

	"github.com/anything-mcp/anything-mcp/notte"
	"github.com/anything-mcp/anything-mcp/notte/sandbox"
)

// lab holds what all measurements use: the programs, their upstream and the
// state directories. It must be used by one goroutine at a time.
type lab struct {
	programs *programs
	upstream *sandbox.Listener // of all programs: Notte's APIs, in this process, on loopback
	owner    string            // of all jobs
	settle   time.Duration     // pause before the memory of a process is read
	states   int               // number of state directories so far
	kept     map[int]string    // state directories by their number of kept jobs
}

// openLab builds the programs and starts the upstream.
func openLab(ctx context.Context) (*lab, error) {
	p, err := buildPrograms(ctx)
	if err != nil {
		return nil, err
	}
	l, err := newLab(p)
	if err != nil {
		p.remove()
		return nil, err
	}
	return l, nil
}

// newLab returns a lab with these programs, which close removes.
func newLab(p *programs) (*lab, error) {
	client, err := notte.NewClient(notte.Config{Key: benchKey})
	if err != nil {
		return nil, err
	}
	u, err := sandbox.Listen("127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	return &lab{programs: p, upstream: u, owner: client.Owner(), settle: 3 * time.Second, kept: make(map[int]string)}, nil
}

// command returns the command that starts a contender, which uses the upstream, keeps
// its jobs in state and logs errors only. It serves stdio if addr is empty.
func (l *lab) command(ctx context.Context, c contender, addr, state string) *exec.Cmd {
	env := []string{
		"NOTTE_API_KEY=" + benchKey, "NOTTE_API_URL=" + l.upstream.URL, "NOTTE_ANYTHING_URL=" + l.upstream.URL,
		"ANYTHING_MCP_LOG_LEVEL=error",
	}
	return l.programs.command(ctx, c.program, env, c.args(addr, state)...)
}

// newState returns the path of a new state directory. The server makes it with
// its first job.
func (l *lab) newState() string {
	l.states++
	return filepath.Join(l.programs.dir, fmt.Sprint("state-", l.states))
}

func (l *lab) close() {
	l.upstream.Close()
	l.programs.remove()
}
