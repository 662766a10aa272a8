package cli

import (
	"context"
	"time"
)

// parentEvery is how often a server asks whether its parent process has ended.
const parentEvery = 2 * time.Second

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
