package jobs

import (
	"context"
	"errors"
	"time"

	"github.com/anything-mcp/anything-mcp/notte"
)

// retryEvery is how often the store is offered what it did not take, apart from
// the end of a job, which it is offered at once too.
const retryEvery = time.Second

// stateEvery is how often the state of a running job is saved at most, apart
// from what names a thing at Notte. Its entries are saved sooner.
const stateEvery = 500 * time.Millisecond

// keeping is what a record knows of its copy in the store. The record's mu
// guards it.
type keeping struct {
	lease      Lease
	unrecorded bool      // the store could not take the job; it is offered again
	failed     bool      // the last attempt to save failed; it is repeated
	lost       bool      // another process has taken the job over
	inMemory   bool      // the store itself is lost with the process
	sync       bool      // the next change must be durable
	settled    bool      // the store has the end, or refuses it for good
	released   bool      // the job goes on without this process
	late       bool      // a save has failed, and the store has not caught up since
	retryAt    time.Time // when to offer a running job again that the store did not take

	stateVersion int // counts changes of the state
	stateStored  int // the version that the store has
	stateSaved   time.Time
	saved        chan struct{} // closed after the next attempt to save; nil while none waits for it
}

// volatile reports whether the job would be lost with this process.
func (k *keeping) volatile() bool {
	return k.unrecorded || k.failed || k.lost || k.inMemory
}

// setLease notes that the store has taken the job as it was created.
func (r *record) setLease(lease Lease, inMemory bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.lease, r.inMemory = lease, inMemory
	r.unrecorded, r.failed, r.lost = false, false, false
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
	r.lease, r.unrecorded, r.late, r.stored, r.stateStored = Lease{}, true, true, 0, -1
}

// thaw shows all that has come. The caller holds mu.
func (r *record) thaw() {
	r.visible = nil
	r.show(r.seq)
}

// creation returns the job for another attempt to create it, as it was when it
// ran, and reports whether it is time for one.
func (r *record) creation(now time.Time) (Job, bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if !r.unrecorded || r.settled || !r.mayRetry(now) {
		return Job{}, false
	}
	r.retryAt = now.Add(retryEvery)
	job := r.sealed(r.job.clone())
	job.State, job.EndedAt = StateRunning, time.Time{}
	return job, true
}

// mayRetry reports whether the store may be offered the job again. The caller
// holds mu.
func (r *record) mayRetry(now time.Time) bool {
	return r.job.State.Ended() || !now.Before(r.retryAt)
}

// version is how far a saved change brings the store.
type version struct {
	seq   int64
	state int  // 0 if the change has no state
	ended bool // the change ends the job
}

// pending returns what the store does not have yet, if it is time to save it.
func (r *record) pending(now time.Time) (Change, version, bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	ended := r.job.State.Ended()
	if r.lease == (Lease{}) || r.settled || r.lost && !ended || r.failed && !r.mayRetry(now) {
		return Change{}, version{}, false
	}
	change := Change{Lease: r.lease, Sync: r.sync || r.mustStore > r.stored}
	v := version{seq: r.stored}
	for _, e := range r.log.above(r.stored) {
		e.ViewerURL = r.client.Seal(e.ViewerURL)
		change.Entries = append(change.Entries, e)
		v.seq = e.Seq
	}
	if r.stateVersion != r.stateStored && (change.Sync || ended || now.Sub(r.stateSaved) >= stateEvery) {
		job := r.job.clone()
		if ended {
			job = r.current()
		}
		job = r.sealed(job)
		change.Job, v.state, v.ended = &job, r.stateVersion, ended
		r.stateSaved = now
	}
	return change, v, change.Job != nil || len(change.Entries) > 0
}

// waits reports whether a state has to be saved later, because stateEvery has not
// passed yet.
func (r *record) waits() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.lease != (Lease{}) && !r.settled && !r.lost && !r.failed && r.stateVersion != r.stateStored
}

// sealed seals the link in a job that is to be stored.
func (r *record) sealed(job Job) Job {
	if job.Build != nil {
		job.Build.ViewerURL = r.client.Seal(job.Build.ViewerURL)
	}
	return job
}

// confirm notes what became of a change that was saved, and lets followers see
// what they may see now. It reports whether the store has caught up with the job
// after a failure, and returns the error if it is a failure of the store.
func (r *record) confirm(v version, err error) (caughtUp bool, failure error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.saved != nil {
		close(r.saved)
		r.saved = nil
	}
	ended := r.job.State.Ended()
	switch {
	case err == nil:
		r.failed, r.lost = false, false
		r.stored = v.seq
		if v.state > 0 {
			r.stateStored = v.state
			r.sync = r.sync && r.stateStored != r.stateVersion
		}
		r.settled = ended && v.state == r.stateVersion
		if r.mustStore > r.stored {
			r.show(r.stored)
			return false, nil
		}
		caughtUp = r.late
		r.late = false
	case errors.Is(err, ErrEnded), errors.Is(err, ErrLeaseLost):
		r.lost = true
		// A known outcome still replaces an unknown one, when the job's new
		// holder has ended it. It may have come after the change was saved.
		r.settled = v.ended && (errors.Is(err, ErrEnded) || r.job.State == StateInterrupted)
	case errors.Is(err, ErrNotFound):
		r.loseRow()
	default:
		r.failed, r.late, r.retryAt = true, true, time.Now().Add(retryEvery)
	}
	r.thaw()
	if r.failed {
		return false, err
	}
	return caughtUp, nil
}

// flush waits until the store has the job's state, or has failed to take it.
func (r *record) flush(ctx context.Context) {
	for {
		r.mu.Lock()
		if r.volatile() || r.stateStored == r.stateVersion {
			r.mu.Unlock()
			return
		}
		if r.saved == nil {
			r.saved = make(chan struct{})
		}
		saved := r.saved
		r.sync = true
		r.mark(r, true)
		r.mu.Unlock()
		select {
		case <-saved:
		case <-ctx.Done():
			return
		}
	}
}

// running returns the lease to be renewed, if there is one.
func (r *record) running() (Lease, bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.lease, r.lease != (Lease{}) && !r.settled && !r.lost
}

// isUnrecorded reports whether the store does not know of the job.
func (r *record) isUnrecorded() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.unrecorded
}

// dispensable reports whether an ended job need not be kept in memory: the store
// has it, and it will not be reused while the store fails.
func (r *record) dispensable(now time.Time, reuse time.Duration) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.settled && (r.joinKey == "" || !r.job.Succeeded() || now.Sub(r.job.EndedAt) > reuse)
}

// size returns about how many bytes the record takes.
func (r *record) size() int {
	r.mu.Lock()
	defer r.mu.Unlock()
	n := 1<<10 + r.log.bytes + cap(r.answer.head) + cap(r.answer.tail) + cap(r.thinking.head) + cap(r.thinking.tail)
	if run := r.job.Run; run != nil {
		n += len(run.Variables) + len(run.Result)
	}
	return n
}

// letGo notes that the job goes on without this process, and makes its followers
// leave.
func (r *record) letGo() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.settled, r.released = true, true
	if r.changed != nil {
		close(r.changed)
		r.changed = nil
	}
}

// setLost notes that another process has taken the job over.
func (r *record) setLost() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.lost = true
	r.thaw()
}

// withLink returns a stored job with its link opened by client, or without it if
// client cannot open it.
func withLink(client *notte.Client, job Job) Job {
	if job.Build != nil && job.Build.ViewerURL != "" {
		job = job.clone()
		job.Build.ViewerURL = openLink(client, job.Build.ViewerURL)
	}
	return job
}

// openLinks is [withLink] for entries that a store returned. It changes them.
func openLinks(client *notte.Client, entries []Entry) {
	for i := range entries {
		if link := &entries[i].ViewerURL; *link != "" {
			*link = openLink(client, *link)
		}
	}
}

func openLink(client *notte.Client, sealed string) string {
	if client == nil {
		return ""
	}
	link, _ := client.Open(sealed)
	return link
}
