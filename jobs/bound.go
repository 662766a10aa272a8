package jobs

import (
	"sync"
	"time"
)

// How long nothing is started after Notte refused a run and did not say how long to
// wait: twice as long after each refusal.
const (
	refusedFirst   = time.Second
	refusedLongest = 30 * time.Second
)

// bound is how many runs the batches of an owner may have at once in this process: as
// many as the most modest of them asks for, and fewer after Notte has refused runs.
type bound struct {
	mu        sync.Mutex      // guards all below
	asked     map[*record]int // by the batches that run
	open      int
	most      int           // less than MaxConcurrency after a refusal
	refusals  int           // since the last run that was taken on
	notBefore time.Time     // of the next run
	changed   chan struct{} // closed when a run may be started that might not before
}

func newBound() *bound {
	return &bound{asked: make(map[*record]int), most: MaxConcurrency, changed: make(chan struct{})}
}

// join adds a batch that asks for so many runs at once, until it leaves.
func (b *bound) join(r *record, asks int) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.asked[r] = asks
}

func (b *bound) leave(r *record) {
	b.mu.Lock()
	defer b.mu.Unlock()
	delete(b.asked, r)
	b.wake()
}

// enter counts a run that is to start. If it may not start now, it may when changed is
// closed or, unless it is 0, pause has passed.
func (b *bound) enter(now time.Time) (ok bool, changed <-chan struct{}, pause time.Duration) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if pause = b.notBefore.Sub(now); pause > 0 {
		return false, b.changed, pause
	}
	if b.open >= b.limit() {
		return false, b.changed, 0
	}
	b.open++
	return true, nil, 0
}

// exit counts a run that has ended. Notte took it on unless it was refused.
func (b *bound) exit(takenOn bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.open--
	if takenOn {
		b.most, b.refusals = min(b.most+1, MaxConcurrency), 0
	}
	b.wake()
}

// refuse notes that Notte refused a run and asks to wait for after; 0: it did not say.
// fewer means that it had too many. It returns how long nothing is started now.
func (b *bound) refuse(now time.Time, after time.Duration, fewer bool) time.Duration {
	b.mu.Lock()
	defer b.mu.Unlock()
	if fewer {
		b.most = max(1, b.limit()/2)
	}
	if after <= 0 {
		after = min(refusedFirst<<min(b.refusals, 10), refusedLongest)
	}
	b.refusals++
	if until := now.Add(after); until.After(b.notBefore) {
		b.notBefore = until
	}
	return b.notBefore.Sub(now)
}

// limit returns how many runs there may be. The caller holds mu.
func (b *bound) limit() int {
	limit := b.most
	for _, asks := range b.asked {
		limit = min(limit, asks)
	}
	return limit
}

// wake wakes the batches that wait. The caller holds mu.
func (b *bound) wake() {
	close(b.changed)
	b.changed = make(chan struct{})
}
