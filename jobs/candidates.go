package jobs

import (
	"context"
	"slices"
	"time"

	"github.com/anything-mcp/anything-mcp/notte"
)

// Bounds of the search for what an interrupted build may have made.
const (
	candidatePages = 3
	candidatePage  = 100             // functions
	maxCandidates  = 5               // returned
	candidateSlack = 2 * time.Minute // between Notte's clock and ours
	maxBuildTime   = 2 * time.Hour   // no build takes longer
	claimedJobs    = 1000            // of each kind looked at
)

// Candidates returns functions that an interrupted build may have made, newest
// first: those created at Notte while it may have run that no other build of
// its owner's accounts for. It reads, and starts nothing. For other jobs there are
// none.
func (m *Manager) Candidates(ctx context.Context, client *notte.Client, job Job) ([]notte.Function, error) {
	if job.State != StateInterrupted || job.Build == nil || job.Build.FunctionID != "" || !job.Build.Started {
		return nil, nil
	}
	claimed, err := m.claimed(ctx, job)
	if err != nil {
		return nil, err
	}
	var found []notte.Function
	for page := 1; page <= candidatePages; page++ {
		list, err := client.ListFunctions(ctx, page, candidatePage)
		if err != nil {
			return nil, err
		}
		for _, f := range list.Items {
			inTime := f.CreatedAt.After(job.StartedAt.Add(-candidateSlack)) && f.CreatedAt.Before(job.StartedAt.Add(maxBuildTime))
			if inTime && !claimed[f.ID] && f.ID != "" {
				found = append(found, f)
			}
		}
		if !list.HasNext {
			break
		}
	}
	slices.SortStableFunc(found, func(a, b notte.Function) int { return b.CreatedAt.Compare(a.CreatedAt) })
	return found[:min(maxCandidates, len(found))], nil
}

// claimed returns the functions that are accounted for: made by another build of the
// owner's, or run before this one began.
func (m *Manager) claimed(ctx context.Context, job Job) (map[string]bool, error) {
	builds, err := m.List(ctx, Query{
		Owner: job.Owner, Kind: KindBuild, Since: job.StartedAt.Add(-maxBuildTime), Limit: claimedJobs,
	})
	if err != nil {
		return nil, err
	}
	runs, err := m.List(ctx, Query{
		Owner: job.Owner, Kind: KindRun, Before: Cursor{StartedAt: job.StartedAt, ID: job.ID}, Limit: claimedJobs,
	})
	ids := make(map[string]bool)
	for _, j := range append(builds, runs...) {
		ids[j.FunctionID()] = true
	}
	return ids, err
}
