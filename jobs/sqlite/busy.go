package sqlite

import (
	"sync"
	"time"

	codes "modernc.org/sqlite/lib"
)

// How long callers wait for a lock of another program. A job can go on without the
// store, and its caller waits for the store before it gets the job's ID.
const (
	busyTimeout = 3 * time.Second
	busyStep    = 50 * time.Millisecond // SQLite itself waits so long, where it waits
	busyPause   = 10 * time.Millisecond // before the next attempt
)

// patience repeats what fails because another program holds a lock, until
// busyTimeout has passed since the lock was first met. After that each caller makes
// one attempt, so that callers do not wait one after another.
type patience struct {
	mu          sync.Mutex // guards all below
	first, last time.Time  // when the lock was met
}

// try calls do until it is done, or fails for another reason than a lock, or the
// time for that is over.
func (p *patience) try(do func() error) error {
	for {
		err := do()
		if !p.again(code(err) == codes.SQLITE_BUSY) {
			return err
		}
		time.Sleep(busyPause)
	}
}

// again reports whether to make another attempt after one that met a lock, or did
// not.
func (p *patience) again(locked bool) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	now := time.Now()
	switch {
	case !locked:
		p.last = time.Time{}
		return false
	case now.Sub(p.last) > busyTimeout:
		p.first = now // of a new lock
	}
	p.last = now
	return now.Sub(p.first) < busyTimeout
}
