package tools

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/anything-mcp/anything-mcp/jobs"
	"github.com/anything-mcp/anything-mcp/progress"
)

// await follows a job, with progress to the client if it asked for any, until
// the job ends, the wait is over or the caller is gone, and returns the job as
// it then stands. The job goes on whatever happens here. Without wait_seconds the
// configured wait counts.
func (s *service) await(ctx context.Context, job jobs.Job, waitSeconds *float64) (jobs.Job, error) {
	wait := s.Wait
	if waitSeconds != nil {
		wait = time.Duration(*waitSeconds * float64(time.Second))
	}
	if wait > 0 && !job.State.Ended() {
		s.follow(ctx, job, wait)
	}
	now, err := s.Jobs.Get(ctx, job.Owner, job.ID)
	if err != nil {
		// Who started it must learn its ID: it has been paid for.
		return job, fmt.Errorf("%s could not be read just now: %w. It is not lost: call get_%s with this ID, and start nothing anew", job.ID, err, job.Kind)
	}
	return now, nil
}

func (s *service) follow(ctx context.Context, job jobs.Job, wait time.Duration) {
	reporter := progress.NewReporter(ctx, progress.SinkFrom(ctx),
		progress.For(progress.Kind(job.Kind)), progress.StartedAt(job.StartedAt))
	defer reporter.Close()
	ctx, cancel := context.WithTimeout(ctx, wait)
	defer cancel()
	for after := int64(0); ; {
		entries, err := s.Jobs.Next(ctx, job.Owner, job.ID, after, time.Hour)
		if err != nil {
			return // the wait is over, or the caller is gone
		}
		for _, e := range entries {
			if e.Final {
				return
			}
			reporter.Observe(e.Event)
			after = e.Seq
		}
	}
}

// find returns a job of the caller's by its ID.
func (s *service) find(ctx context.Context, kind jobs.Kind, field, id string) (jobs.Job, error) {
	if err := s.Client.Ready(); err != nil {
		return jobs.Job{}, err
	}
	job, err := s.Jobs.Get(ctx, s.Client.Owner(), id)
	if errors.Is(err, jobs.ErrNotFound) || err == nil && job.Kind != kind {
		return jobs.Job{}, unknown(field, string(kind))
	}
	return job, err
}

// cancel ends a job of the caller's. One that had ended before stays as it is.
func (s *service) cancel(ctx context.Context, kind jobs.Kind, field, id string) (jobs.Job, error) {
	if _, err := s.find(ctx, kind, field, id); err != nil {
		return jobs.Job{}, err
	}
	job, err := s.Jobs.Cancel(ctx, s.Client.Owner(), id)
	if errors.Is(err, jobs.ErrEnded) {
		err = nil
	}
	return job, err
}
