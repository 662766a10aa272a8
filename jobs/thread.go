package jobs

import (
	"context"
	"errors"
)

// Errors of a build that is to continue another.
var (
	// ErrNoThread says that a build has no thread that could be continued.
	ErrNoThread = errors.New("the build has no thread to continue; start a new build")
	// ErrThreadBusy says that another build of the thread still runs.
	ErrThreadBusy = errors.New("another turn of this build's thread is still running; wait until it has ended, then continue it")
)

// check returns why the build cannot be continued now.
func (s BuildSpec) check(ctx context.Context, m *Manager) error {
	if s.Continue == nil {
		return nil
	}
	thread := s.Continue.Build.ThreadID
	if thread == "" {
		return ErrNoThread
	}
	if !s.Continue.State.Ended() {
		return ErrThreadBusy
	}
	running, err := m.List(ctx, Query{Owner: s.Client.Owner(), Kind: KindBuild, State: StateRunning, Limit: claimedJobs})
	if err != nil {
		return err
	}
	for _, other := range running {
		b := other.Build
		joins := !s.ForceNew && b.Continues == s.Continue.ID && words(b.Query) == words(s.Client.Redact(s.Query))
		if !joins && (b.ThreadID == thread || b.Continues == s.Continue.ID) {
			return ErrThreadBusy
		}
	}
	return nil
}

// check returns nil: a run waits for nothing.
func (s RunSpec) check(context.Context, *Manager) error { return nil }
