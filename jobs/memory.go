package jobs

import (
	"cmp"
	"context"
	"slices"
	"strings"
	"sync"
	"time"
)

// Bounds of what a Memory keeps. Running jobs are never dropped; of those that
// have ended the oldest go first.
const (
	memoryJobs  = 1000
	memoryBytes = 256 << 20
)

// Memory is a [Store] that lasts as long as the process: its jobs are Volatile.
type Memory struct {
	mu      sync.Mutex      // guards all below
	rows    map[string]*row // by job ID
	ended   []string        // IDs in the order in which they ended
	created int             // jobs ever
	bytes   int             // of the ended
	ledger  []bill          // every build that ended, whether it is still kept or not
}

// bill is what one build has cost.
type bill struct {
	owner string
	ended time.Time
	usd   *float64 // nil: not known
}

type row struct {
	job     Job
	number  int // of its creation
	log     window
	key     joinKey
	holder  string
	fence   int64
	expires time.Time

	cancelled bool // its holder is to end it
}

func (r *row) set(job Job) {
	job.Volatile = true
	r.job = job
}

type joinKey struct{ owner, key string }

// NewMemory returns an empty store.
func NewMemory() *Memory {
	return &Memory{rows: make(map[string]*row)}
}

func (m *Memory) Create(_ context.Context, job Job, claim Claim) (Job, Lease, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	key := joinKey{job.Owner, claim.JoinKey}
	if earlier := m.joinable(key, claim); earlier != nil {
		return earlier.job, Lease{}, nil
	}
	if job.Build != nil {
		if err := claim.Limits.Check(m.account(job.Owner, claim.Limits.Since)); err != nil {
			return Job{}, Lease{}, err
		}
	}
	job.Volatile = true
	m.created++
	m.rows[job.ID] = &row{job: job, number: m.created, key: key, holder: claim.Holder, fence: 1, expires: claim.Until}
	return job, Lease{JobID: job.ID, Fence: 1}, nil
}

// join is the job that a claim joins, if there is one.
func (m *Memory) join(owner string, claim Claim) (Job, bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if r := m.joinable(joinKey{owner, claim.JoinKey}, claim); r != nil {
		return r.job, true
	}
	return Job{}, false
}

func (m *Memory) has(id string) bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.rows[id] != nil
}

// joinable is the job that a claim joins: the newest that runs, or else the
// newest that succeeded in time. Callers hold m.mu.
func (m *Memory) joinable(key joinKey, claim Claim) *row {
	if !claim.Join || claim.JoinKey == "" {
		return nil
	}
	var running, succeeded *row
	for _, r := range m.rows {
		switch {
		case r.key != key:
		case !r.job.State.Ended():
			if running == nil || r.number > running.number {
				running = r
			}
		case !claim.ReuseSince.IsZero() && r.job.Succeeded() && !r.job.EndedAt.Before(claim.ReuseSince):
			if succeeded == nil || r.job.EndedAt.After(succeeded.job.EndedAt) {
				succeeded = r
			}
		}
	}
	return cmp.Or(running, succeeded)
}

// account counts an owner's builds. Callers hold m.mu.
func (m *Memory) account(owner string, since time.Time) Account {
	a := Account{Spent: m.spending(owner, since)}
	for _, r := range m.rows {
		if r.job.Owner == owner && r.job.Build != nil && !r.job.State.Ended() {
			a.Running++
		}
	}
	for _, b := range m.ledger {
		if b.owner == owner && b.usd != nil {
			a.Costs = append(a.Costs, *b.usd)
		}
	}
	return a
}

func (m *Memory) Spending(_ context.Context, owner string, since time.Time) (Spending, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.spending(owner, since), nil
}

func (m *Memory) spending(owner string, since time.Time) Spending {
	var s Spending
	for _, b := range m.ledger {
		if b.owner != owner || b.ended.Before(since) {
			continue
		}
		s.Builds++
		if b.usd == nil {
			s.Unknown++
		} else {
			s.USD += *b.usd
		}
	}
	return s
}

func (m *Memory) List(_ context.Context, q Query) ([]Job, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	var list []Job
	for _, r := range m.rows {
		if q.matches(r.job) {
			list = append(list, r.job.Summary())
		}
	}
	slices.SortFunc(list, newestFirst)
	return list[:min(q.Limit, len(list))], nil
}

// matches reports whether a job belongs into the list, but for its limit.
func (q Query) matches(j Job) bool {
	switch {
	case j.Owner != q.Owner, j.Kind != q.Kind,
		q.State != "" && j.State != q.State,
		q.FunctionID != "" && j.functionID() != q.FunctionID,
		j.StartedAt.Before(q.Since):
		return false
	case q.Before == Cursor{}:
		return true
	}
	return newestFirst(Job{StartedAt: q.Before.StartedAt, ID: q.Before.ID}, j) < 0
}

// newestFirst is the order of lists.
func newestFirst(a, b Job) int {
	return cmp.Or(b.StartedAt.Compare(a.StartedAt), strings.Compare(b.ID, a.ID))
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
	return m.write(lease, func(r *row) { r.set(job) })
}

func (m *Memory) Append(_ context.Context, lease Lease, entries []Entry) error {
	return m.write(lease, func(r *row) { r.log.add(entries...) })
}

func (m *Memory) Finish(_ context.Context, lease Lease, job Job, entries []Entry) error {
	return m.write(lease, func(r *row) {
		r.set(job)
		r.log.add(entries...)
		EraseLinks(r.log.entries)
		m.ended = append(m.ended, job.ID)
		m.bytes += r.size()
		if job.Build != nil && job.Build.Started {
			m.ledger = append(m.ledger, bill{job.Owner, job.EndedAt, job.Build.TotalCostUSD})
		}
		m.evict()
	})
}

func (m *Memory) Cancel(_ context.Context, id string) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	r, ok := m.rows[id]
	switch {
	case !ok:
		return ErrNotFound
	case r.job.State.Ended():
		return ErrEnded
	}
	r.cancelled = true
	return nil
}

func (m *Memory) Renew(_ context.Context, leases []Lease, until time.Time) ([]string, error) {
	var cancelled []string
	for _, l := range leases {
		// A lost lease is not this call's business.
		_ = m.write(l, func(r *row) {
			r.expires = until
			if r.cancelled {
				cancelled = append(cancelled, l.JobID)
			}
		})
	}
	return cancelled, nil
}

func (m *Memory) Adopt(_ context.Context, owner string, claim Claim, now time.Time) ([]Adopted, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	var adopted []Adopted
	for id, r := range m.rows {
		if r.job.Owner != owner || r.job.State.Ended() || r.holder == claim.Holder || !r.expires.Before(now) {
			continue
		}
		r.fence++
		r.holder, r.expires = claim.Holder, claim.Until
		adopted = append(adopted, Adopted{r.job, Lease{id, r.fence}})
	}
	return adopted, nil
}

func (m *Memory) Forget(_ context.Context, before time.Time) (int, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	n := len(m.ended)
	m.ended = slices.DeleteFunc(m.ended, func(id string) bool {
		r := m.rows[id]
		if !r.job.EndedAt.Before(before) {
			return false
		}
		m.bytes -= r.size()
		delete(m.rows, id)
		return true
	})
	return n - len(m.ended), nil
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
