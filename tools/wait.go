package tools

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/anything-mcp/anything-mcp/jobs"
	"github.com/anything-mcp/anything-mcp/progress"
)

// waitInput is the argument of a call that waits for a job.
type waitInput struct {
	WaitSeconds *int `json:"wait_seconds,omitempty" jsonschema:"How long to wait for the end; 0: not at all" min:"0" max:"3600" must:"a whole number of seconds"`
}

// wait returns how long a call waits for its job.
func (s *service) wait(in waitInput) time.Duration {
	if in.WaitSeconds != nil {
		return time.Duration(*in.WaitSeconds) * time.Second
	}
	return s.Wait
}

// initialWait returns how long a call waits for the job that it has started.
func (s *service) initialWait(c caller, in waitInput) time.Duration {
	if c.supportsTasks {
		return taskDelay
	}
	return s.wait(in)
}

// waitForJob waits until a job ends, the wait is over or the caller is gone, and
// updates the job to what it then is. Progress goes to a client that asked for
// it. The job goes on whatever happens here.
func (s *service) waitForJob(ctx context.Context, job *jobs.Job, wait time.Duration) error {
	if wait > 0 && !job.State.Ended() {
		s.follow(ctx, job, wait)
	}
	return s.refresh(ctx, job)
}

// refresh updates a job to what it now is.
func (s *service) refresh(ctx context.Context, job *jobs.Job) error {
	now, err := s.Jobs.Get(ctx, job.Owner, job.ID)
	if err != nil {
		// Who started it must learn its ID, because it may have been paid for.
		return fmt.Errorf("%s could not be read just now: %w. It is not lost: call get_%s with this ID, and start nothing anew", job.ID, err, job.Kind)
	}
	*job = now
	return nil
}

// follow waits for the end of a job and sends progress. It is the one loop in
// which a call waits: it sends what is due, or else waits for entries of the
// job's log. It returns [progress.ResultGap] after the last line at the earliest.
//
// A thousand calls may wait here. Go can halve the stack of one only while it
// uses less than a quarter of it, so this and the functions above it keep no large
// values: they take jobs by pointer, and call functions that are not inlined for
// the rest.
func (s *service) follow(ctx context.Context, job *jobs.Job, wait time.Duration) {
	sink := progress.SinkFrom(ctx)
	pacer := newPacer(job)
	now := time.Now()
	var sent time.Time
	defer func() { time.Sleep(progress.ResultGap - time.Since(sent)) }()
	after := int64(0)
	for end := now.Add(wait); now.Before(end) && ctx.Err() == nil; now = time.Now() {
		pause := end.Sub(now)
		if sink != nil {
			line, quiet := pacer.Next(now)
			if line != "" {
				if sink.Send(ctx, line) != nil {
					return // nobody is there to be answered
				}
				sent = time.Now()
				pacer.Sent(sent)
				continue
			}
			pause = min(pause, quiet)
		}
		entries, err := s.Jobs.Next(ctx, job.Owner, job.ID, after, pause)
		if err != nil {
			return
		}
		var ended bool
		if after, ended = observe(pacer, entries, after); ended {
			return
		}
	}
}

// observe shows entries to a pacer. It returns the position of the last, and
// whether that has ended the job: its event belongs to the result.
//
//go:noinline
func observe(pacer *progress.Pacer, entries []jobs.Entry, after int64) (last int64, ended bool) {
	for _, e := range entries {
		if e.Final {
			return after, true
		}
		pacer.Observe(e.Event, time.Now())
		after = e.Seq
	}
	return after, false
}

// newPacer returns the pacer of a call that waits for a job.
//
//go:noinline
func newPacer(job *jobs.Job) *progress.Pacer {
	pacer := progress.NewPacer("Build", "building", job.StartedAt)
	if job.Kind == jobs.KindRun {
		pacer = progress.NewPacer("Function", "running", job.StartedAt)
	}
	return &pacer
}

// jobByID returns the job of the caller's that an argument names. The error is the
// same for an ID that never existed, has expired or is someone else's.
func (s *service) jobByID(ctx context.Context, c caller, kind jobs.Kind, argument, id string) (*jobs.Job, error) {
	job, err := s.Jobs.Get(ctx, c.owner, id)
	if errors.Is(err, jobs.ErrNotFound) || err == nil && job.Kind != kind {
		return nil, &argError{name: argument, why: "there is none with this ID, or it has expired"}
	}
	return &job, err
}

// startJob starts a job, or joins one.
//
//go:noinline
func (s *service) startJob(ctx context.Context, spec jobs.Spec) (job *jobs.Job, joined bool, err error) {
	started, joined, err := s.Jobs.Start(ctx, spec)
	return &started, joined, err
}

// cancelWait bounds how long cancel_build and cancel_run wait for the end of the
// job: 20 s is what hosts bear at the least, and a job of another process that
// hangs does not end.
const cancelWait = 15 * time.Second

// cancelJob cancels a job of the caller's, waits for its end as long as wait says,
// and returns the job as it then stands. A job that has ended stays as it is.
func (s *service) cancelJob(ctx context.Context, c caller, id string, wait time.Duration) (jobs.Job, error) {
	within, stop := context.WithTimeout(ctx, wait)
	defer stop()
	job, err := s.Jobs.Cancel(within, c.owner, id)
	switch {
	case errors.Is(err, jobs.ErrEnded):
		return job, nil
	case err != nil && within.Err() != nil && ctx.Err() == nil:
		return s.Jobs.Get(ctx, c.owner, id)
	}
	return job, err
}
