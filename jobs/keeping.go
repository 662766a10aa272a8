package jobs

import (
	"errors"
	"time"

	"github.com/anything-mcp/anything-mcp/notte"
)

// retryEvery is how often the store is offered what it did not take. The end of a job
// is offered at once too.
const retryEvery = 500 * time.Millisecond

// stateEvery is how often the state of a running job is saved at most, apart
// from what names a thing at Notte. Its entries are saved sooner.
const stateEvery = 500 * time.Millisecond

// keeping is what a record knows of its copy in the store. The record's mu
// guards it.
type keeping struct {
	holder   string    // this process
	inMemory bool      // the store is lost with it
	lease    Lease     // zero: the store does not have the job
	behind   bool      // the store has failed, and has not caught up since
	retryAt  time.Time // when it is offered a running job that is behind again
	lost     bool      // another process has taken the job over
	released bool      // the job goes on without this process
	settled  bool      // the store has the end, or refuses it for good

	dirty      bool // the state has changed since it was saved
	stateSaved time.Time
}

// stale reports whether the store has failed, so that it lacks the job or its latest
// changes.
func (k *keeping) stale() bool { return k.lease == Lease{} || k.behind }

// volatile reports whether the job would be lost with this process.
func (k *keeping) volatile() bool { return k.stale() || k.lost || k.inMemory }

// setLease notes that the store has the job, under this lease.
func (r *record) setLease(lease Lease) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.lease, r.lost = lease, false
}

// setUnrecorded notes that the store does not have the job, or no longer.
func (r *record) setUnrecorded() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.loseRow()
	r.thaw()
}

// loseRow notes that the store has nothing of the job. The caller holds mu.
func (r *record) loseRow() {
	r.lease, r.behind, r.stored, r.dirty = Lease{}, true, 0, true
}

// setLost notes that another process has taken the job over.
func (r *record) setLost() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.lost = true
	r.thaw()
}

// release notes that the job goes on without this process, and makes its followers
// leave.
func (r *record) release() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.released = true
	r.wake()
}

// thaw lets followers see the job as it is, with all its entries. The caller holds mu.
func (r *record) thaw() {
	r.visible = nil
	r.show(r.seq)
}

// pending returns what the store does not have yet, if it is time to save it. later
// means that the state is to be saved when stateEvery has passed.
func (r *record) pending(now time.Time) (change Change, ok, later bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	ended := r.job.State.Ended()
	if r.settled || r.lost && !ended || r.behind && !ended && now.Before(r.retryAt) {
		return Change{}, false, false
	}
	change = Change{Lease: r.lease, Oldest: r.log.oldest(), Sync: r.mustStore > r.stored}
	if r.lease == (Lease{}) {
		change.Lease = Lease{JobID: r.id, Fence: 1}
		change.Create = &CreateOptions{Holder: r.holder, Until: now.Add(leaseTime), JoinKey: r.joinKey}
	}
	for _, e := range r.log.above(r.stored) {
		e.ViewerURL = r.client.Seal(e.ViewerURL)
		change.Entries = append(change.Entries, e)
	}
	if r.dirty && (change.Create != nil || change.Sync || ended || now.Sub(r.stateSaved) >= stateEvery) {
		job := r.job.clone()
		if ended {
			job = r.current()
		}
		if job.Build != nil {
			job.Build.ViewerURL = r.client.Seal(job.Build.ViewerURL)
		}
		change.Job, r.dirty, r.stateSaved = &job, false, now
	}
	return change, change.Job != nil || len(change.Entries) > 0, r.dirty
}

// confirm notes what became of a pending change, and lets followers see what they
// may see now. It reports whether the store has caught up with the job after a
// failure.
func (r *record) confirm(c Change, err error) (caughtUp bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.dirty = r.dirty || c.Job != nil && err != nil
	ends := c.Job != nil && c.Job.State.Ended()
	switch {
	case err == nil:
		r.lost, r.settled = false, ends
		if c.Create != nil {
			r.lease = c.Lease
		}
		if n := len(c.Entries); n > 0 {
			r.stored = c.Entries[n-1].Seq
		}
		if r.mustStore > r.stored {
			r.show(r.stored)
			return false
		}
		caughtUp, r.behind = r.behind, false
	case errors.Is(err, ErrEnded), errors.Is(err, ErrLeaseLost):
		r.lost = true
		// A known outcome still replaces an unknown one, when the job's new
		// holder has ended it. It may have come after the change was saved.
		r.settled = ends && (errors.Is(err, ErrEnded) || r.job.State == StateInterrupted)
	case errors.Is(err, ErrNotFound):
		r.loseRow()
	default:
		r.behind, r.retryAt = true, time.Now().Add(retryEvery)
	}
	r.thaw()
	return caughtUp
}

// held returns the lease to be renewed, if there is one.
func (r *record) held() (Lease, bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.lease, r.lease != (Lease{}) && !r.settled && !r.lost
}

func (r *record) isStale() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.stale()
}

// isStored reports whether the store has the entries up to seq. The error says that
// another process has the job.
func (r *record) isStored(seq int64) (bool, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.stored < seq && (r.lost || r.settled) {
		return false, ErrLeaseLost
	}
	return r.stored >= seq, nil
}

// isUnsaved reports whether the store does not have all of the job, and may still take
// it.
func (r *record) isUnsaved() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return !r.settled && !r.lost && (r.stale() || r.dirty || r.stored < r.seq)
}

// retained reports whether the job has ended and is still needed here, and about how
// many bytes the record takes: the store does not have it, or it may be reused while the
// store fails.
func (r *record) retained(now time.Time, reuse time.Duration) (ended, needed bool, bytes int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	reusable := r.joinKey != "" && r.job.Succeeded() && now.Sub(r.job.EndedAt) <= reuse
	bytes = 1<<10 + r.log.bytes + cap(r.answer.head) + cap(r.answer.tail) + cap(r.thinking.head) + cap(r.thinking.tail)
	if run := r.job.Run; run != nil {
		bytes += len(run.Variables) + len(run.Result)
	}
	return r.job.State.Ended(), !r.settled || reusable, bytes
}

// openLink opens a link that a store has kept sealed, or empties it if client, which
// may be nil, cannot open it.
func openLink(client *notte.Client, link *string) {
	if client == nil {
		*link = ""
	} else {
		*link, _ = client.Open(*link)
	}
}
