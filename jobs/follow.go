package jobs

import (
	"context"
	"time"
)

// followBatch is how many entries a follower takes at a time.
const followBatch = 256

// next returns entries above after that are shown. It waits for them at most as
// long as wait says.
func (r *record) next(ctx context.Context, after int64, wait time.Duration) ([]Entry, error) {
	timer := time.NewTimer(wait)
	defer timer.Stop()
	for {
		batch, changed := r.above(after)
		if len(batch) > 0 {
			return batch, nil
		}
		if changed == nil {
			return nil, errStopped
		}
		select {
		case <-changed:
		case <-timer.C:
			return nil, nil
		case <-ctx.Done():
			return nil, context.Cause(ctx)
		}
	}
}

// above returns the entries above after that are shown, or what is closed when
// there are more. Both are nil if the job was released.
func (r *record) above(after int64) ([]Entry, <-chan struct{}) {
	r.mu.Lock()
	defer r.mu.Unlock()
	batch := r.log.above(after)
	for i, e := range batch {
		if e.Seq > r.shown {
			batch = batch[:i]
			break
		}
	}
	if len(batch) > 0 {
		return append([]Entry(nil), batch[:min(followBatch, len(batch))]...), nil
	}
	if r.visible == nil && r.job.State.Ended() {
		// The follower's position is past the end.
		return []Entry{{Seq: after, At: r.job.EndedAt, Final: true}}, nil
	}
	if r.released {
		return nil, nil
	}
	if r.changed == nil {
		r.changed = make(chan struct{})
	}
	return nil, r.changed
}
