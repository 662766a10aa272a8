package cli

import (
	"context"
	"time"
)

// parentEvery is how often a server asks whether its parent process has ended.
const parentEvery = 2 * time.Second

// closeWhenOrphaned closes orphaned, and logs why, when hasEnded says that the parent
// process has ended. It returns then, or when ctx ends.
func (a *app) closeWhenOrphaned(ctx context.Context, hasEnded func() bool, orphaned chan<- struct{}) {
	if awaitOrphaned(ctx, hasEnded) {
		a.log.Info("the process that started the server has ended")
		close(orphaned)
	}
}

// awaitOrphaned waits until hasEnded says that the parent process has ended, and
// returns true. If ctx ends first, or hasEnded is nil, it returns false.
//
// It asks again and again, because the signal that Linux can send (PR_SET_PDEATHSIG)
// comes when the thread that started this process ends, and hosts end threads.
func awaitOrphaned(ctx context.Context, hasEnded func() bool) bool {
	if hasEnded == nil {
		return false
	}
	tick := time.NewTicker(parentEvery)
	defer tick.Stop()
	for {
		select {
		case <-tick.C:
			if hasEnded() {
				return true
			}
		case <-ctx.Done():
			return false
		}
	}
}
