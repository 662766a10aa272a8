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
	WaitSeconds *int `json:"wait_seconds,omitempty" min:"0" max:"3600" lenient:"true" must:"a whole number of seconds"`
}

// describeWait sets the description of wait_seconds, which tells the default, unless it
// has one.
func (s *service) describeWait(in *inputSchema) {
	if p := in.Properties["wait_seconds"]; p != nil && p.Description == "" {
		p.Description = fmt.Sprintf("Seconds to wait for the end. Default %g; 0: none. Hosts cut long waits, many at 60 s", max(0, s.Wait.Seconds()))
	}
}

// wait returns how long a call waits for its job. repeated means that it does not
// wait, because it repeats an earlier wait and does not say how long to wait.
func (s *service) wait(c *caller, job *jobs.Job, in waitInput) (d time.Duration, repeated bool) {
	switch {
	case in.WaitSeconds != nil:
		return time.Duration(*in.WaitSeconds) * time.Second, false
	case s.waits.again(c.waiter(job)):
		return 0, true
	}
	return s.Wait, false
}

// awaited is a job that a call has waited for.
type awaited struct {
	job      *jobs.Job
	joined   bool // the job was there before
	reused   bool // and had succeeded
	repeated bool // see [service.wait]
}

// waitForJob waits until a job ends, d has passed or the caller is gone, and then
// updates the job. It sends progress if the client asked for it. The job goes on even
// if waitForJob fails.
func (s *service) waitForJob(ctx context.Context, c *caller, job *jobs.Job, d time.Duration) error {
	if d > 0 && !job.State.Ended() {
		end := s.waits.begin(c.waiter(job))
		left := false
		defer func() { end(left) }()
		left = s.follow(ctx, job, d)
	}
	return s.refresh(ctx, job)
}

// refresh reads a job again.
func (s *service) refresh(ctx context.Context, job *jobs.Job) error {
	now, err := s.Jobs.Get(ctx, job.Owner, job.ID)
	if err != nil {
		// The caller must learn the job's ID, because the job may be billed.
		return fmt.Errorf("%s could not be read just now: %w. It is not lost. Call %s with this ID, and do not start it again", job.ID, err, getter(job.Kind))
	}
	*job = now
	return nil
}

// follow waits for the end of a job and sends progress, and reports whether the
// client has left. Every call waits in this loop: it sends the line that is due, or
// else waits for entries of the job's log. It returns [progress.ResultGap] after the
// last line at the earliest.
//
// A thousand calls may wait here. Go halves the stack of a goroutine only while
// less than a quarter of it is in use, so this function and its callers keep no
// large values. They take jobs by pointer, and call functions that are not
// inlined for the rest.
func (s *service) follow(ctx context.Context, job *jobs.Job, wait time.Duration) (left bool) {
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
				if sink.Send(ctx, pacer.Update(line)) != nil {
					return true // ctx may end only after this
				}
				sent = time.Now()
				pacer.Sent(sent)
				continue
			}
			pause = min(pause, quiet)
		}
		entries, err := s.Jobs.Next(ctx, job.Owner, job.ID, after, pause)
		if err != nil {
			break
		}
		var ended bool
		if after, ended = observe(pacer, entries, after); ended {
			break
		}
	}
	return ctx.Err() != nil
}

// observe passes entries to a pacer. It returns the position of the last one, and
// reports whether the job has ended. The final entry is not passed on, because
// the result shows it.
//
//go:noinline
func observe(pacer *progress.Pacer, entries []jobs.Entry, after int64) (last int64, ended bool) {
	for _, e := range entries {
		if e.Final {
			return after, true
		}
		if e.Type == jobs.EventTally {
			pacer.ObserveCount(e.Tally.Ended(), e.Tally.Total, e.Tally.String())
		} else {
			pacer.Observe(e.Event, time.Now())
		}
		after = e.Seq
	}
	return after, false
}

// newPacer returns the pacer of a call that waits for a job.
//
//go:noinline
func newPacer(job *jobs.Job) *progress.Pacer {
	pacer := progress.NewPacer("Build", "building", job.StartedAt)
	switch job.Kind {
	case jobs.KindRun:
		pacer = progress.NewPacer("Function", "running", job.StartedAt)
	case jobs.KindBatch:
		pacer = progress.NewPacer("Batch", "running", job.StartedAt)
		pacer.ObserveCount(job.Batch.Tally.Ended(), job.Batch.Tally.Total, job.Batch.Tally.String())
	}
	return &pacer
}

// start starts a job, or joins one, and waits for it.
func (s *service) start(ctx context.Context, c *caller, spec jobs.Spec, in waitInput) (a awaited, err error) {
	if a.job, a.joined, err = s.startJob(ctx, spec); err != nil {
		return a, err
	}
	a.reused = a.joined && a.job.Succeeded()
	return a, s.waitForJob(ctx, c, a.job, s.startWait(c, &a, in))
}

// startWait returns how long to wait for a job that the call has started, or joined.
func (s *service) startWait(c *caller, a *awaited, in waitInput) (d time.Duration) {
	if c.showsApps && in.WaitSeconds != nil && *in.WaitSeconds == 0 {
		c.supportsTasks = false // a page starts a run so, and can follow it only by its handle
	}
	if c.supportsTasks {
		return taskDelay
	}
	d, a.repeated = s.wait(c, a.job, in)
	return d
}

// get waits for the job of the caller's that the tool's handle names.
func (s *service) get(ctx context.Context, c *caller, kind jobs.Kind, id string, in waitInput) (a awaited, err error) {
	if a.job, err = s.jobByID(ctx, c, kind, string(kind)+"_id", id); err != nil {
		return a, err
	}
	var d time.Duration
	d, a.repeated = s.wait(c, a.job, in)
	return a, s.waitForJob(ctx, c, a.job, d)
}

// cancel cancels the job of the caller's that the tool's handle names, and reports
// whether it had ended before.
func (s *service) cancel(ctx context.Context, c *caller, kind jobs.Kind, id string) (job jobs.Job, ended bool, err error) {
	before, err := s.jobByID(ctx, c, kind, string(kind)+"_id", id)
	if err != nil {
		return jobs.Job{}, false, err
	}
	job, err = s.cancelJob(ctx, c, id, cancelWait)
	return job, before.State.Ended(), err
}

// startJob starts a job, or joins one.
//
//go:noinline
func (s *service) startJob(ctx context.Context, spec jobs.Spec) (job *jobs.Job, joined bool, err error) {
	started, joined, err := s.Jobs.Start(ctx, spec)
	return &started, joined, err
}

// cancelWait bounds how long cancel_build and cancel_run wait for the end of the
// job. A job of a process that hangs does not end, and hosts wait at least 20 s
// for an answer.
const cancelWait = 15 * time.Second

// cancelJob cancels a job of the caller's, waits up to wait for its end, and
// returns the job as it then is. It does not change a job that has ended.
func (s *service) cancelJob(ctx context.Context, c *caller, id string, wait time.Duration) (jobs.Job, error) {
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
