package jobstest

import (
	"cmp"
	"time"

	"github.com/anything-mcp/anything-mcp/jobs"
)

// bill is what one build has cost.
type bill struct {
	owner string
	ended time.Time
	usd   *float64 // nil: not known
}

func (m *Memory) joinable(owner string, opts jobs.CreateOptions) *row {
	if !opts.Join || opts.JoinKey == "" {
		return nil
	}
	var running, succeeded *row
	for _, r := range m.rows {
		switch {
		case r.job.Owner != owner || r.opts.JoinKey != opts.JoinKey:
		case !r.job.State.Ended():
			if running == nil || r.number > running.number {
				running = r
			}
		case !opts.ReuseSince.IsZero() && r.job.Succeeded() && !r.job.EndedAt.Before(opts.ReuseSince):
			if succeeded == nil || r.job.EndedAt.After(succeeded.job.EndedAt) {
				succeeded = r
			}
		}
	}
	return cmp.Or(running, succeeded)
}

func (m *Memory) usage(owner string, since time.Time) jobs.Usage {
	u := jobs.Usage{Spent: m.spending(owner, since)}
	for _, r := range m.rows {
		if r.job.Owner == owner && r.job.Build != nil && !r.job.State.Ended() {
			u.Running++
		}
	}
	for _, b := range m.ledger {
		if b.owner == owner && b.usd != nil {
			u.Costs = append(u.Costs, *b.usd)
		}
	}
	return u
}

func (m *Memory) spending(owner string, since time.Time) (s jobs.Spending) {
	for _, b := range m.ledger {
		if b.owner == owner && !b.ended.Before(since) {
			s.Add(b.usd)
		}
	}
	return s
}
