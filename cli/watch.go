package cli

import (
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/anything-mcp/anything-mcp/jobs"
)

// watch starts a job, shows it to its end and returns it as it ended. When ctx
// ends it cancels the job and waits for that. A job that was joined is not
// cancelled, because another call started it: then watch returns an error.
func (p *program) watch(ctx context.Context, a *app, title string, spec jobs.Spec) (jobs.Job, error) {
	job, joined, err := a.jobs.Start(ctx, spec)
	if err != nil {
		return jobs.Job{}, err
	}
	v := newView(p.screen, title, job.StartedAt, time.Now())
	if joined {
		fmt.Fprintln(p.screen, joinedText(job))
	}
	if err := p.follow(ctx, a.jobs, job, joined, v); err != nil {
		if joined && ctx.Err() != nil {
			fmt.Fprintf(p.screen, "The build goes on: see its result with %s builds %s\n", p.name, job.ID)
		}
		return jobs.Job{}, err
	}
	if job, err = a.jobs.Get(context.WithoutCancel(ctx), job.Owner, job.ID); err != nil {
		return jobs.Job{}, err
	}
	v.step(job.EndedAt, time.Now(), p.screen.styled(bold, stateTitle(job)))
	if p.screen.live && isTerminal(p.env.Stdout) {
		fmt.Fprintln(p.screen) // the result follows on the same terminal
	}
	return job, nil
}

// follow shows the log of a job to its end. When ctx ends it cancels the job,
// unless it was joined, and goes on.
func (p *program) follow(ctx context.Context, m *jobs.Manager, job jobs.Job, joined bool, v *view) error {
	defer p.screen.setStatus("")
	var canceling sync.WaitGroup
	defer canceling.Wait()
	for after := int64(0); ; {
		entries, err := m.Next(ctx, job.Owner, job.ID, after, v.pause(time.Now()))
		now := time.Now()
		switch {
		case err != nil && ctx.Err() != nil && !joined:
			v.step(now, now, "Cancelling; press Ctrl-C again to leave at once")
			v.setStatus("Cancelling")
			ctx = context.WithoutCancel(ctx)
			canceling.Go(func() { _, _ = m.Cancel(ctx, job.Owner, job.ID) }) // the log says how it went
		case err != nil:
			return err
		}
		for _, e := range entries {
			if v.observe(e, now); e.Final {
				return nil
			}
			after = e.Seq
		}
		v.draw(now)
	}
}

// joinedText says that nothing was started, and why.
func joinedText(job jobs.Job) string {
	if job.State.Ended() {
		return "The same was built at " + localTime(job.StartedAt) + ": this is its result, and nothing is billed now. --force-new builds it anew."
	}
	return "The same is being built since " + localTime(job.StartedAt) + ": this follows that build, and nothing more is billed. --force-new builds it anew."
}

// exitError returns the error with which a command ends whose job was shown.
func exitError(ctx context.Context, job jobs.Job) error {
	switch {
	case job.Succeeded():
		return nil
	case ctx.Err() != nil:
		return context.Cause(ctx)
	}
	return errFailed
}

// stateTitle says in a few words how a job ended.
func stateTitle(job jobs.Job) string {
	switch job.State {
	case jobs.StateDone:
		return "Done"
	case jobs.StateClosed:
		if job.Run.OK {
			return "Done"
		}
		return "Failed"
	case jobs.StateTimeout:
		return "Failed: the agent ran out of time"
	case jobs.StateCancelled:
		return "Cancelled"
	case jobs.StateInterrupted:
		return "Interrupted: how it ended is not known"
	}
	return "Failed"
}
