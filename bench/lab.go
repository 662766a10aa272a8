package main

import (
	"context"
	"fmt"
	"path/filepath"
	"time"

	"github.com/anything-mcp/anything-mcp/notte"
)

// lab is what all measurements share: the programs, their upstream, and stores
// of jobs. One goroutine uses it.
type lab struct {
	programs *programs
	upstream *upstream
	owner    string         // of all jobs
	settle   time.Duration  // how long a process is left alone before its memory is read
	states   int            // how many state directories there are
	kept     map[int]string // the state directories with so many kept jobs
}

// openLab builds the programs and starts the upstream.
func openLab(ctx context.Context) (*lab, error) {
	p, err := buildPrograms(ctx)
	if err != nil {
		return nil, err
	}
	u, err := newUpstream()
	if err != nil {
		p.remove()
		return nil, err
	}
	client, err := notte.NewClient(notte.Config{Key: benchKey})
	if err != nil {
		u.close()
		p.remove()
		return nil, err
	}
	return &lab{programs: p, upstream: u, owner: client.Owner(), settle: 3 * time.Second, kept: make(map[int]string)}, nil
}

// newState names a state directory that nobody has used yet. A server makes it
// when it stores its first job.
func (l *lab) newState() string {
	l.states++
	return filepath.Join(l.programs.dir, fmt.Sprint("state-", l.states))
}

func (l *lab) close() {
	l.upstream.close()
	l.programs.remove()
}
