package main

import (
	"context"
	"time"
)

// lab is what all measurements share: the programs and their upstream.
type lab struct {
	programs *programs
	upstream *upstream
	settle   time.Duration // how long a process is left alone before its memory is read
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
	return &lab{programs: p, upstream: u, settle: 3 * time.Second}, nil
}

func (l *lab) close() {
	l.upstream.close()
	l.programs.remove()
}
