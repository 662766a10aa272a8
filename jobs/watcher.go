package jobs

import (
	"context"
	"maps"
	"slices"
	"sync"
	"time"
)

// pollEvery is how often the jobs of other processes are looked at while they
// are followed.
const pollEvery = 200 * time.Millisecond

// watcher follows the jobs of other processes by their positions in the store:
// one query for all of them, however many follow.
type watcher struct {
	store   Store
	entered chan struct{} // holds a value when a follower has begun to wait

	mu      sync.Mutex // guards waiting
	waiting map[*waiter]bool
}

// waiter is a follower that waits for a job to get past a position.
type waiter struct {
	id    string
	after int64
	moved chan error // holds a value once the job has moved, or cannot be read
}

func newWatcher(store Store) *watcher {
	return &watcher{store: store, entered: make(chan struct{}, 1), waiting: make(map[*waiter]bool)}
}

// nextElsewhere is Next for a job that this process does not run.
func (m *Manager) nextElsewhere(ctx context.Context, owner, id string, after int64, wait time.Duration) ([]Entry, error) {
	ctx, leave := context.WithCancelCause(ctx)
	defer leave(nil)
	// The job goes on in its own process when this one stops.
	defer context.AfterFunc(m.ctx, func() { leave(context.Cause(m.ctx)) })()
	entries, err := m.watcher.next(ctx, owner, id, after, wait)
	for i := range entries {
		openLink(m.client(owner), &entries[i].ViewerURL)
	}
	return entries, err
}

// next waits for entries of a job above after, at most as long as wait says.
func (w *watcher) next(ctx context.Context, owner, id string, after int64, wait time.Duration) ([]Entry, error) {
	within, stop := context.WithTimeout(ctx, wait)
	defer stop()
	for {
		positions, err := w.store.Positions(ctx, []string{id})
		if err != nil {
			return nil, err
		}
		if len(positions) == 0 || positions[0].Owner != owner {
			return nil, ErrNotFound
		}
		entries, err := w.read(ctx, positions[0], after)
		if err != nil || len(entries) > 0 {
			return entries, err
		}
		switch err = w.await(within, id, after); {
		case within.Err() != nil && ctx.Err() == nil:
			return nil, nil
		case err != nil:
			return nil, err
		}
	}
}

// await waits until a job is past a position or has ended, or ctx ends.
func (w *watcher) await(ctx context.Context, id string, after int64) error {
	one := &waiter{id: id, after: after, moved: make(chan error, 1)}
	w.mu.Lock()
	w.waiting[one] = true
	w.mu.Unlock()
	defer func() {
		w.mu.Lock()
		defer w.mu.Unlock()
		delete(w.waiting, one)
	}()
	signal(w.entered)
	select {
	case err := <-one.moved:
		return err
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// read returns the entries above after of a job that is at p.
func (w *watcher) read(ctx context.Context, p Position, after int64) ([]Entry, error) {
	if p.Seq > after {
		entries, err := w.store.Entries(ctx, p.ID, after, followBatch)
		if err != nil || len(entries) > 0 {
			return entries, err
		}
	}
	if !p.State.Ended() {
		return nil, nil
	}
	// The follower's position is past the end.
	job, err := w.store.Get(ctx, p.ID)
	return []Entry{{Seq: after, At: job.EndedAt, Final: true}}, err
}

// run polls while a follower waits, until ctx ends.
func (w *watcher) run(ctx context.Context) {
	for {
		select {
		case <-w.entered:
		case <-ctx.Done():
			return
		}
		for len(w.watched()) > 0 {
			select {
			case <-time.After(pollEvery):
			case <-ctx.Done():
				return
			}
			positions, err := w.store.Positions(ctx, w.watched())
			w.wake(positions, err)
		}
	}
}

// watched returns the jobs that are waited for.
func (w *watcher) watched() []string {
	w.mu.Lock()
	defer w.mu.Unlock()
	ids := make(map[string]bool)
	for one := range w.waiting {
		ids[one.id] = true
	}
	return slices.Collect(maps.Keys(ids))
}

// wake wakes the waiters whose job has moved, has ended or is gone.
func (w *watcher) wake(positions []Position, err error) {
	at := make(map[string]Position, len(positions))
	for _, p := range positions {
		at[p.ID] = p
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	for one := range w.waiting {
		p, found := at[one.id]
		if err != nil || !found || p.Seq > one.after || p.State.Ended() {
			delete(w.waiting, one)
			one.moved <- err
		}
	}
}
