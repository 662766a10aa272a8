package jobstest

import (
	"cmp"
	"context"
	"slices"
	"sync"
	"time"

	"github.com/anything-mcp/anything-mcp/jobs"
)

// Memory is a plain [jobs.Store] for tests of what stands on one: in maps, and
// without bounds but those of a log. Its jobs are not marked as Volatile.
type Memory struct {
	mu      sync.Mutex // guards all below
	rows    map[string]*row
	created int
	ledger  map[string]bill // by job ID; it outlives the jobs
}

type row struct {
	job       jobs.Job
	number    int // of its creation
	log       []jobs.Entry
	opts      jobs.CreateOptions
	fence     int64
	cancelled bool
}

// NewMemory returns an empty store.
func NewMemory() *Memory {
	return &Memory{rows: make(map[string]*row), ledger: make(map[string]bill)}
}

// Create implements [jobs.Store].
func (m *Memory) Create(ctx context.Context, job jobs.Job, opts jobs.CreateOptions) (jobs.Job, jobs.Lease, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if err := ctx.Err(); err != nil {
		return jobs.Job{}, jobs.Lease{}, err
	}
	if earlier := m.joinable(job.Owner, opts); earlier != nil {
		return earlier.job, jobs.Lease{}, nil
	}
	if job.Build != nil {
		if err := opts.Limits.Check(m.usage(job.Owner, opts.Limits.Since)); err != nil {
			return jobs.Job{}, jobs.Lease{}, err
		}
	}
	m.created++
	m.rows[job.ID] = &row{job: job, number: m.created, opts: opts, fence: 1}
	return job, jobs.Lease{JobID: job.ID, Fence: 1}, nil
}

// Save implements [jobs.Store].
func (m *Memory) Save(_ context.Context, changes []jobs.Change) []error {
	m.mu.Lock()
	defer m.mu.Unlock()
	errs := make([]error, len(changes))
	for i, c := range changes {
		errs[i] = m.save(c)
	}
	return errs
}

func (m *Memory) save(c jobs.Change) error {
	r, ok := m.rows[c.Lease.JobID]
	replaces := ok && c.Job != nil && r.job.State == jobs.StateInterrupted && c.Job.State.Ended() && c.Job.State != jobs.StateInterrupted
	switch {
	case !ok:
		return jobs.ErrNotFound
	case replaces:
		r.log = slices.DeleteFunc(r.log, func(e jobs.Entry) bool { return e.Final })
	case r.job.State.Ended():
		return jobs.ErrEnded
	case r.fence != c.Lease.Fence:
		return jobs.ErrLeaseLost
	}
	r.add(c.Entries)
	if c.Job == nil {
		return nil
	}
	before := r.job
	r.job = *c.Job
	if !r.job.State.Ended() {
		keepDetails(&r.job, before)
		return nil
	}
	for i := range r.log {
		r.log[i].ViewerURL = ""
	}
	if b := r.job.Build; b != nil && b.Started {
		m.ledger[r.job.ID] = bill{r.job.Owner, r.job.EndedAt, b.TotalCostUSD}
	}
	return nil
}

// add adds the entries that are not in the log yet, and bounds it.
func (r *row) add(entries []jobs.Entry) {
	var last int64
	if n := len(r.log); n > 0 {
		last = r.log[n-1].Seq
	}
	for _, e := range entries {
		if e.Seq > last {
			r.log = append(r.log, e)
		}
	}
	bytes := 0
	for i := len(r.log) - 1; i >= 0; i-- {
		if bytes += r.log[i].Bytes(); bytes > jobs.MaxLogBytes || len(r.log)-i > jobs.MaxLogEntries {
			r.log = r.log[i+1:]
			return
		}
	}
}

// keepDetails keeps what a running job's new state does not tell.
func keepDetails(job *jobs.Job, before jobs.Job) {
	if job.Build != nil {
		b := *job.Build
		b.Answer, b.Thinking = before.Build.Answer, before.Build.Thinking
		job.Build = &b
	}
	if job.Run != nil {
		r := *job.Run
		r.Variables, r.Result = before.Run.Variables, before.Run.Result
		job.Run = &r
	}
}

// Get implements [jobs.Store].
func (m *Memory) Get(_ context.Context, id string) (jobs.Job, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	r, ok := m.rows[id]
	if !ok {
		return jobs.Job{}, jobs.ErrNotFound
	}
	return r.job, nil
}

// Entries implements [jobs.Store].
func (m *Memory) Entries(_ context.Context, id string, after int64, limit int) ([]jobs.Entry, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	r, ok := m.rows[id]
	if !ok {
		return nil, jobs.ErrNotFound
	}
	i, _ := slices.BinarySearchFunc(r.log, after+1, func(e jobs.Entry, seq int64) int { return cmp.Compare(e.Seq, seq) })
	rest := r.log[i:]
	return slices.Clone(rest[:min(limit, len(rest))]), nil
}

// Positions implements [jobs.Store].
func (m *Memory) Positions(_ context.Context, ids []string) ([]jobs.Position, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	var all []jobs.Position
	for _, id := range ids {
		if r, ok := m.rows[id]; ok {
			p := jobs.Position{ID: id, Owner: r.job.Owner, State: r.job.State}
			if n := len(r.log); n > 0 {
				p.Seq = r.log[n-1].Seq
			}
			all = append(all, p)
		}
	}
	return all, nil
}

// List implements [jobs.Store].
func (m *Memory) List(_ context.Context, q jobs.Query) ([]jobs.Job, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	var list []jobs.Job
	for _, r := range m.rows {
		if q.Matches(r.job) {
			list = append(list, r.job.Summary())
		}
	}
	slices.SortFunc(list, jobs.NewestFirst)
	return list[:min(q.Limit, len(list))], nil
}

// Spending implements [jobs.Store].
func (m *Memory) Spending(_ context.Context, owner string, since time.Time) (jobs.Spending, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.spending(owner, since), nil
}

// Cancel implements [jobs.Store].
func (m *Memory) Cancel(_ context.Context, id string) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	r, ok := m.rows[id]
	switch {
	case !ok:
		return jobs.ErrNotFound
	case r.job.State.Ended():
		return jobs.ErrEnded
	}
	r.cancelled = true
	return nil
}

// Renew implements [jobs.Store].
func (m *Memory) Renew(_ context.Context, leases []jobs.Lease, until time.Time) (jobs.Renewal, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	var renewal jobs.Renewal
	for _, l := range leases {
		r, ok := m.rows[l.JobID]
		switch {
		case !ok, r.job.State.Ended(), r.fence != l.Fence:
			renewal.Lost = append(renewal.Lost, l.JobID)
			continue
		case r.cancelled:
			renewal.Cancelled = append(renewal.Cancelled, l.JobID)
		}
		r.opts.Until = until
	}
	return renewal, nil
}

// Adopt implements [jobs.Store].
func (m *Memory) Adopt(_ context.Context, owner, holder string, until, now time.Time) ([]jobs.Adopted, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	var adopted []jobs.Adopted
	for id, r := range m.rows {
		if r.job.Owner != owner || r.job.State.Ended() || r.opts.Holder == holder || !r.opts.Until.Before(now) {
			continue
		}
		r.fence++
		r.opts.Holder, r.opts.Until = holder, until
		adopted = append(adopted, jobs.Adopted{Job: r.job, Lease: jobs.Lease{JobID: id, Fence: r.fence}, Cancelled: r.cancelled})
	}
	return adopted, nil
}

// Forget implements [jobs.Store].
func (m *Memory) Forget(_ context.Context, before time.Time) (int, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	n := 0
	for id, r := range m.rows {
		if r.job.State.Ended() && r.job.EndedAt.Before(before) || !r.job.State.Ended() && r.opts.Until.Before(before) {
			delete(m.rows, id)
			n++
		}
	}
	return n, nil
}

// Close implements [jobs.Store]. It does nothing.
func (m *Memory) Close() error { return nil }

var _ jobs.Store = (*Memory)(nil)
