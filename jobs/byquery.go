package jobs

import (
	"context"
	"time"

	"github.com/anything-mcp/anything-mcp/notte"
)

// searchedBuilds bounds the builds, the newest, that are compared with a query.
const searchedBuilds = 100

// FindBuild returns the newest running build of a query, or else the newest one that
// ended within [Options.ReuseWindow], however it ended, or else [ErrNotFound]. As in
// [Manager.Start], the spacing of the query does not matter. It starts nothing.
func (m *Manager) FindBuild(ctx context.Context, client *notte.Client, query string) (Job, error) {
	query = words(client.Redact(query))
	running := Query{Owner: client.Owner(), Kind: KindBuild, State: StateRunning, Limit: searchedBuilds}
	since := time.Now().Add(-m.opts.ReuseWindow)
	for _, q := range []Query{running, {Owner: running.Owner, Kind: KindBuild, Limit: searchedBuilds}} {
		list, err := m.List(ctx, q)
		if err != nil {
			return Job{}, err
		}
		for _, job := range list {
			recent := !job.State.Ended() || job.EndedAt.After(since)
			if recent && words(job.Build.Query) == query {
				return m.Get(ctx, job.Owner, job.ID)
			}
		}
	}
	return Job{}, ErrNotFound
}
