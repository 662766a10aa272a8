package tools

import (
	"slices"
	"sync"
)

// waits remembers which clients wait for a job, and which have left such a wait.
// Hosts leave a call after a few seconds and then repeat it. If each repetition
// waited anew, such a host would never get the job's ID. The zero value is ready for
// use.
type waits struct {
	mu   sync.Mutex // guards all below
	open map[waiter]int
	left []waiter // of any client; the newest last; at most maxLeft
}

// waiter is a client that waits for a job: see [caller].
type waiter struct{ owner, client, job string }

// maxLeft bounds how many waits that a client has left are remembered.
const maxLeft = 1000

// begin records that a client waits. The caller must call end when the client no
// longer waits; left means that the client has left.
func (w *waits) begin(one waiter) (end func(left bool)) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.open == nil {
		w.open = make(map[waiter]int)
	}
	w.open[one]++
	return func(left bool) { w.end(one, left) }
}

func (w *waits) end(one waiter, left bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.open[one]--; w.open[one] == 0 {
		delete(w.open, one)
	}
	one.client = "" // a client that has left may come back with a new session
	if left && !slices.Contains(w.left, one) {
		w.left = append(w.left[max(0, len(w.left)-maxLeft+1):], one)
	}
}

// again reports whether a call repeats a wait that goes on or that its client has
// left.
func (w *waits) again(one waiter) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.open[one] > 0 || slices.Contains(w.left, waiter{owner: one.owner, job: one.job})
}
