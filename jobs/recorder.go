package jobs

import (
	"context"
	"errors"
	"log/slog"
	"slices"
	"sync/atomic"
	"time"
)

// A lease outlives several missed renewals. Renewals are frequent because they also
// bring the cancellations that other processes have asked for.
const (
	leaseTime  = 12 * time.Second
	leaseRenew = 2 * time.Second
)

// saveDelay is how long a change of a job waits for further changes, to be saved with
// them. Followers in other processes see it that much later.
const saveDelay = 25 * time.Millisecond

// saveMost is how many jobs are saved in one call of the store.
const saveMost = 256

// recorder saves what all jobs of this process have pending. It is the only
// goroutine that saves, so no stream waits for the store, and jobs that end
// together cost one flush of the disk.
type recorder struct {
	m      *Manager
	due    chan struct{} // holds a value when there is something to save
	urgent chan struct{} // holds a value when it must be saved at once
	done   chan struct{} // closed when no job runs any more
	ended  chan struct{} // closed when run has returned

	failing atomic.Bool // a failure of the store has been logged, and no success since
}

func newRecorder(m *Manager) *recorder {
	return &recorder{
		m: m, due: make(chan struct{}, 1), urgent: make(chan struct{}, 1), done: make(chan struct{}), ended: make(chan struct{}),
	}
}

// mark notes that there is something to save. It never waits.
func (c *recorder) mark(urgent bool) {
	signal(c.due)
	if urgent {
		signal(c.urgent)
	}
}

// signal puts a value into ch, which holds one, unless it is full.
func signal(ch chan struct{}) {
	select {
	case ch <- struct{}{}:
	default:
	}
}

// run saves and renews until done is closed.
func (c *recorder) run() {
	defer close(c.ended)
	tick := time.NewTicker(leaseRenew)
	defer tick.Stop()
	var retry <-chan time.Time // of what the store did not take
	for {
		select {
		case <-c.due:
			select {
			case <-c.urgent:
			case <-time.After(saveDelay):
			case <-c.done:
			}
		case <-retry:
			retry = nil
		case <-tick.C:
			c.renew(time.Now().Add(leaseTime))
			c.m.evict(time.Now())
		case <-c.done:
			return
		}
		if !c.save() && retry == nil {
			retry = time.After(retryEvery)
		}
	}
}

// finish saves what is left when no job runs any more. While the store fails it goes
// on trying until ctx ends. Then it lets go of the jobs that go on without this
// process, so that another can take them over at once.
func (c *recorder) finish(ctx context.Context) {
	close(c.done)
	<-c.ended
	for attempt := 1; ; attempt++ {
		c.save()
		left := c.unsaved()
		if len(left) == 0 || ctx.Err() != nil {
			break
		}
		for _, job := range left {
			if attempt == 1 {
				c.m.logJob(slog.LevelWarn, job, "is not stored yet: this process waits for the database before it ends")
			}
		}
		select {
		case <-time.After(saveDelay):
		case <-ctx.Done():
		}
	}
	c.renew(time.Now())
}

// unsaved returns the jobs that the store does not have as they are.
func (c *recorder) unsaved() (left []Job) {
	for _, r := range c.m.all() {
		if r.isUnsaved() {
			left = append(left, r.latest())
		}
	}
	return left
}

// save saves what all jobs have pending, and reports whether the store did not fail.
func (c *recorder) save() bool {
	ok := true
	for batch := range slices.Chunk(c.m.all(), saveMost) {
		ok = c.saveBatch(batch) && ok
	}
	return ok
}

func (c *recorder) saveBatch(batch []*record) bool {
	now, ok := time.Now(), true
	var changes []Change
	var records []*record
	for _, r := range batch {
		change, due, later := r.pending(now)
		if due {
			changes, records = append(changes, change), append(records, r)
		}
		if later {
			c.mark(false)
		}
	}
	if len(changes) == 0 {
		return true
	}
	for i, err := range c.m.store.Save(context.Background(), changes) {
		if records[i].confirm(changes[i], err) {
			c.m.log.Debug("a job is stored after all", "job", records[i].id)
		}
		ok = c.note(err, records[i].id) && ok
	}
	return ok
}

// note logs the first failure of the store in a series, and the end of the series. It
// reports whether err is no failure. It may be called by any goroutine.
func (c *recorder) note(err error, id string) (ok bool) {
	ok = IsAnswer(err)
	attrs := []any{"err", err}
	if id != "" {
		attrs = []any{"job", id, "err", err}
	}
	switch {
	case errors.Is(err, context.Canceled), errors.Is(err, context.DeadlineExceeded): // the store was not awaited
	case !ok && !c.failing.Swap(true):
		c.m.log.Error("jobs cannot be stored for now, so they are kept in memory and stored later", attrs...)
	case ok && c.failing.Swap(false):
		c.m.log.Info("jobs are stored again")
	}
	return ok
}

// renew keeps the leases of this process's jobs until a time, and ends the jobs that
// another process has cancelled.
func (c *recorder) renew(until time.Time) {
	held := make(map[string]*record)
	var leases []Lease
	for _, r := range c.m.all() {
		if lease, ok := r.held(); ok {
			held[r.id] = r
			leases = append(leases, lease)
		}
	}
	if len(leases) == 0 {
		return
	}
	renewal, err := c.m.store.Renew(context.Background(), leases, until)
	if err != nil {
		c.note(err, "")
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
