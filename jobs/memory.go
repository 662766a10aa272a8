package jobs

import (
	"context"
	"slices"
	"sync"
	"time"
)

// Bounds of what a Memory keeps. Running jobs are never dropped; of those that
// have ended the oldest go first.
const (
	memoryJobs  = 1000
	memoryBytes = 256 << 20
)

// Memory is a [Store] that lasts as long as the process.
type Memory struct {
	mu    sync.Mutex         // guards all below
	rows  map[string]*row    // by job ID
	keys  map[joinKey]string // the newest running job of each key
	ended []string           // IDs in the order in which they ended
	bytes int                // of the ended
}

type row struct {
	job     Job
	log     window
	key     joinKey
	fence   int64
	expires time.Time
}

type joinKey struct{ owner, key string }

// NewMemory returns an empty store.
func NewMemory() *Memory {
	return &Memory{rows: make(map[string]*row), keys: make(map[joinKey]string)}
}

func (m *Memory) Create(_ context.Context, job Job, claim Claim) (Job, Lease, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	key := joinKey{job.Owner, claim.JoinKey}
	if claim.Join && claim.JoinKey != "" {
		if id, ok := m.keys[key]; ok {
			return m.rows[id].job, Lease{}, nil
		}
	}
	m.rows[job.ID] = &row{job: job, key: key, fence: 1, expires: claim.Until}
	if claim.JoinKey != "" {
		m.keys[key] = job.ID
	}
	return job, Lease{JobID: job.ID, Fence: 1}, nil
}

func (m *Memory) Get(_ context.Context, id string) (Job, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	r, ok := m.rows[id]
	if !ok {
		return Job{}, ErrNotFound
	}
	return r.job, nil
}

func (m *Memory) Entries(_ context.Context, id string, after int64, limit int) ([]Entry, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	r, ok := m.rows[id]
	if !ok {
		return nil, ErrNotFound
	}
	return slices.Clone(r.log.above(after, limit)), nil
}

func (m *Memory) Update(_ context.Context, lease Lease, job Job) error {
	return m.write(lease, func(r *row) { r.job = job })
}

func (m *Memory) Append(_ context.Context, lease Lease, entries []Entry) error {
	return m.write(lease, func(r *row) { r.log.add(entries...) })
}

func (m *Memory) Finish(_ context.Context, lease Lease, job Job, entries []Entry) error {
	return m.write(lease, func(r *row) {
		r.job = job
		r.log.add(entries...)
		EraseLinks(r.log.entries)
		if m.keys[r.key] == job.ID {
			delete(m.keys, r.key)
		}
		m.ended = append(m.ended, job.ID)
		m.bytes += r.size()
		m.evict()
	})
}

func (m *Memory) Renew(_ context.Context, leases []Lease, until time.Time) error {
	for _, l := range leases {
		// A lost lease is not this call's business.
		_ = m.write(l, func(r *row) { r.expires = until })
	}
	return nil
}

func (m *Memory) Adopt(_ context.Context, claim Claim, now time.Time) ([]Adopted, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	var adopted []Adopted
	for id, r := range m.rows {
		if r.job.State.Ended() || !r.expires.Before(now) {
			continue
		}
		r.fence++
		r.expires = claim.Until
		adopted = append(adopted, Adopted{r.job, Lease{id, r.fence}})
	}
	return adopted, nil
}

// Close does nothing: there is nothing to release.
func (m *Memory) Close() error { return nil }

// write changes a row for the holder of its lease.
func (m *Memory) write(lease Lease, change func(*row)) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	r, ok := m.rows[lease.JobID]
	switch {
	case !ok:
		return ErrNotFound
	case r.job.State.Ended():
		return ErrEnded
	case r.fence != lease.Fence:
		return ErrLeaseLost
	}
	change(r)
	return nil
}

// evict drops the oldest ended jobs until the bounds hold. The newest always
// stays, however large. Callers hold m.mu.
func (m *Memory) evict() {
	for len(m.ended) > 1 && (len(m.ended) > memoryJobs || m.bytes > memoryBytes) {
		m.bytes -= m.rows[m.ended[0]].size()
		delete(m.rows, m.ended[0])
		m.ended = m.ended[1:]
	}
}

// size is about how many bytes an ended job takes.
func (r *row) size() int {
	n := 1 << 10
	if b := r.job.Build; b != nil {
		n += len(b.Query) + len(b.Answer) + len(b.Thinking)
	}
	if run := r.job.Run; run != nil {
		n += len(run.Variables) + len(run.Result) + len(run.Logs)*256
	}
	return n + r.log.bytes
}
