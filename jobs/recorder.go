package jobs

import (
	"context"
	"errors"
	"log/slog"
	"slices"
	"sync"
	"sync/atomic"
	"time"
)

// A lease outlives several missed renewals. Renewals are frequent because they also
// bring the cancellations that other processes have asked for.
const (
	leaseTime  = 12 * time.Second
	leaseRenew = 2 * time.Second
)

// saveDelay is how long what is new of a job waits for more, to be saved with
// it. Followers in other processes wait as much longer.
const saveDelay = 25 * time.Millisecond

// saveMost is how many jobs are saved in one call of the store.
const saveMost = 256

// recorder saves what all jobs of this process have pending. It is the only
// goroutine that saves, so no stream waits for the store, and jobs that end
// together cost one flush of the disk.
type recorder struct {
	m      *Manager
	due    chan struct{} // holds a value when a job is marked
	urgent chan struct{} // holds a value when it must be saved at once
	done   chan struct{} // closed when no job runs any more

	mu     sync.Mutex // guards marked
	marked map[*record]bool

	failing atomic.Bool // the failure has been logged, and no success since
}

func newRecorder(m *Manager) *recorder {
	return &recorder{
		m: m, marked: make(map[*record]bool),
		due: make(chan struct{}, 1), urgent: make(chan struct{}, 1), done: make(chan struct{}),
	}
}

// mark tells the recorder that r has something to save. It never waits.
func (c *recorder) mark(r *record, urgent bool) {
	c.mu.Lock()
	c.marked[r] = true
	c.mu.Unlock()
	signal(c.due)
	if urgent {
		signal(c.urgent)
	}
}

// signal puts a value into ch unless there is one.
func signal(ch chan struct{}) {
	select {
	case ch <- struct{}{}:
	default:
	}
}

// run saves and renews until done is closed, and then saves a last time.
func (c *recorder) run() {
	tick := time.NewTicker(leaseRenew)
	defer tick.Stop()
	for {
		select {
		case <-c.due:
			select {
			case <-c.urgent:
			case <-time.After(saveDelay):
			case <-c.done:
			}
			c.save()
		case <-tick.C:
			c.renew()
			c.markAll()
			c.m.evict(time.Now())
		case <-c.done:
			c.markAll()
			c.save()
			return
		}
	}
}

// markAll has everything that is not stored saved again: what failed before,
// what the store could not take, and ends that replace an unknown one.
func (c *recorder) markAll() {
	for _, r := range c.m.all() {
		c.mark(r, false)
	}
}

// take returns the jobs that are marked, and unmarks them.
func (c *recorder) take() []*record {
	c.mu.Lock()
	defer c.mu.Unlock()
	marked := make([]*record, 0, len(c.marked))
	for r := range c.marked {
		marked = append(marked, r)
	}
	clear(c.marked)
	return marked
}

// save saves what the marked jobs have pending.
func (c *recorder) save() {
	marked := c.take()
	c.create(marked)
	for batch := range slices.Chunk(marked, saveMost) {
		c.saveBatch(batch)
	}
}

func (c *recorder) saveBatch(batch []*record) {
	now := time.Now()
	var (
		changes  []Change
		records  []*record
		versions []version
	)
	for _, r := range batch {
		if change, v, ok := r.pending(now); ok {
			changes, records, versions = append(changes, change), append(records, r), append(versions, v)
		} else if r.waits() {
			c.mark(r, false)
		}
	}
	if len(changes) == 0 {
		return
	}
	for i, err := range c.m.store.Save(context.Background(), changes) {
		r := records[i]
		caughtUp, failure := r.confirm(versions[i], err)
		if caughtUp {
			c.m.log.Info("a job is stored after all", "job", r.id)
		}
		c.note(failure, r.id)
		if r.waits() {
			c.mark(r, false)
		}
	}
}

// create offers the store the jobs that it could not take before. It stops at
// the first failure, because each attempt may wait for another process.
func (c *recorder) create(marked []*record) {
	for _, r := range marked {
		job, wanted := r.creation(time.Now())
		if !wanted {
			continue
		}
		opts := CreateOptions{Holder: c.m.holder, Until: time.Now().Add(leaseTime), JoinKey: r.joinKey}
		stored, lease, err := c.m.store.Create(context.Background(), job, opts)
		if err != nil {
			c.note(err, r.id)
			return
		}
		r.setLease(lease, stored.Volatile)
	}
}

// note logs the first failure of a series, and its end. It may be called by any
// goroutine.
func (c *recorder) note(err error, id string) {
	switch {
	case err != nil && !c.failing.Swap(true):
		c.m.log.Error("jobs cannot be stored for now: they are kept in memory and stored later", "job", id, "err", err)
	case err == nil && c.failing.Swap(false):
		c.m.log.Info("jobs are stored again")
	}
}

// renew keeps the leases of this process's jobs, and ends those that another
// process has cancelled.
func (c *recorder) renew() {
	held := make(map[string]*record)
	var leases []Lease
	for _, r := range c.m.all() {
		if lease, ok := r.running(); ok {
			held[r.id] = r
			leases = append(leases, lease)
		}
	}
	if len(leases) == 0 {
		return
	}
	renewal, err := c.m.store.Renew(context.Background(), leases, time.Now().Add(leaseTime))
	if err != nil {
		c.m.log.Warn("the leases of running jobs could not be renewed", "jobs", len(leases), slog.Any("err", err))
		return
	}
	for _, id := range renewal.Cancelled {
		held[id].cancel(errCancelled)
	}
	for _, id := range renewal.Lost {
		held[id].setLost()
		if job, err := c.m.store.Get(context.Background(), id); err == nil && job.State == StateCancelled {
			held[id].cancel(errCancelled)
		}
	}
}

// isRefusal reports whether a store's error is an answer and not a failure.
func isRefusal(err error) bool {
	_, limit := errors.AsType[*LimitError](err)
	return limit || errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded)
}
