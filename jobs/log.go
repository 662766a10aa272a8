package jobs

import (
	"cmp"
	"context"
	"log/slog"
	"time"
)

// logJob logs what has happened to a job, such as "has ended", with what is known of
// the job.
func (m *Manager) logJob(level slog.Level, job Job, happened string) {
	args := []any{string(job.Kind), job.ID, "status", job.State}
	add := func(name, value string) {
		if value != "" {
			args = append(args, name, value)
		}
	}
	if job.State.Ended() {
		args = append(args, "took", job.Elapsed(time.Now()).Round(time.Millisecond))
	}
	add("function", job.FunctionID())
	if b := job.Build; b != nil {
		if b.TotalCostUSD != nil {
			args = append(args, "cost_usd", *b.TotalCostUSD)
		}
		add("err", cmp.Or(b.Error, b.Detail, b.Reason))
	} else if b := job.Batch; b != nil {
		args = append(args, "items", b.Tally.Total, "waiting", b.Tally.Waiting, "failed", b.Tally.Failed())
		add("err", b.Error)
	} else {
		add("err", job.Run.Error)
	}
	m.log.Log(context.Background(), level, "a "+string(job.Kind)+" "+happened, args...)
}
