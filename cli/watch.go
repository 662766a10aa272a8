package cli

import (
	"cmp"
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/anything-mcp/anything-mcp/jobs"
)

// watch starts a job, shows it to its end and prints the result. If ctx ends, watch
// cancels the job and waits for its end. A job that was joined goes on instead,
// because another call started it.
func (p *program) watch(ctx context.Context, a *app, title string, spec jobs.Spec, asJSON bool) error {
	job, joined, err := a.jobs.Start(ctx, spec)
	if err != nil {
		return err
	}
	v := newView(p.screen, title, job.StartedAt, time.Now())
	if joined {
		fmt.Fprintln(p.screen, joinedText(job))
	}
	if err := p.follow(ctx, a.jobs, job, joined, v); err != nil {
		if joined && ctx.Err() != nil {
			fmt.Fprintf(p.screen, "The build goes on: see its result with %s builds %s\n", p.name, job.ID)
		}
		return err
	}
	if job, err = a.jobs.Get(context.WithoutCancel(ctx), job.Owner, job.ID); err != nil {
		return err
	}
	v.step(job.EndedAt, time.Now(), p.screen.styled(bold, stateTitle(job)))
	if p.screen.live && isTerminal(p.env.Stdout) {
		fmt.Fprintln(p.screen) // the result follows on the same terminal
	}
	if err := p.printJob(ctx, a, job, asJSON); err != nil {
		return err
	}
	switch {
	case job.Succeeded():
		return nil
	case ctx.Err() != nil:
		return context.Cause(ctx)
	}
	return errFailed // the result says why
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
			canceling.Go(func() { _, _ = m.Cancel(ctx, job.Owner, job.ID) }) // the log shows the outcome
		case err != nil:
			return cmp.Or(context.Cause(ctx), err)
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

// joinedText returns the line of a job that was joined: nothing was started.
func joinedText(job jobs.Job) string {
	if job.State.Ended() {
		return "The same was built at " + localTime(job.StartedAt) + ": this is its result, and nothing is billed now. --force-new builds it anew."
	}
	return "The same is being built since " + localTime(job.StartedAt) + ": this follows that build, and nothing more is billed. --force-new builds it anew."
}

// stateTitle returns how a job ended, in a few words.
func stateTitle(job jobs.Job) string {
	switch {
	case job.Succeeded():
		return "Done"
	case job.State == jobs.StateCancelled:
		return "Cancelled"
	case job.State == jobs.StateInterrupted:
		return "Interrupted: how it ended is not known"
	case job.State == jobs.StateTimeout:
		return "Failed: the agent ran out of time"
	}
	return "Failed"
}
