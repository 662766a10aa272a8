package cli

import (
	"cmp"
	"context"
	"fmt"
	"math"
	"sync"
	"time"

	"github.com/anything-mcp/anything-mcp/jobs"
)

// watch starts a job, shows it to its end and prints the result. If ctx ends, watch
// cancels the job and waits for its end. A job that was joined goes on instead,
// because another call started it. A build that is to be detached is shown until
// Notte goes on with it by itself. begun, if not nil, is called with the job; what it
// returns is called at the end.
func (p *program) watch(ctx context.Context, a *app, title string, spec jobs.Spec, asJSON bool, begun func(jobs.Job) (end func())) error {
	job, joined, err := a.jobs.Start(ctx, spec)
	if err != nil {
		return err
	}
	v := newView(p.screen, title, job.StartedAt, time.Now())
	if joined {
		fmt.Fprintln(p.screen, joinedText(job))
	}
	if begun != nil {
		defer begun(job)()
	}
	build, ok := spec.(jobs.BuildSpec)
	detach := ok && build.Detach
	var leaves func(jobs.Entry) bool
	if detach {
		leaves = p.leavesDetached(ctx, a.jobs, job)
	}
	if !detach || !joined {
		err = p.follow(ctx, a.jobs, job, joined, v, leaves)
	}
	if err != nil {
		if joined && ctx.Err() != nil {
			fmt.Fprintln(p.screen, "The build goes on: see its result with", p.jobLine(a, "builds", job.ID))
		}
		return err
	}
	if job, err = a.jobs.Get(context.WithoutCancel(ctx), job.Owner, job.ID); err != nil {
		return err
	}
	return p.endWatch(ctx, a, job, v, asJSON)
}

// endWatch prints a job that was shown. Its error says that the job did not succeed.
func (p *program) endWatch(ctx context.Context, a *app, job jobs.Job, v *view, asJSON bool) error {
	if job.State.Ended() {
		v.step(job.EndedAt, time.Now(), p.screen.styled(bold, stateTitle(job)))
	}
	if p.screen.live && isTerminal(p.env.Stdout) {
		fmt.Fprintln(p.screen) // the result follows on the same terminal
	}
	if err := p.printJob(ctx, a, job, asJSON); err != nil {
		return err
	}
	switch {
	case job.Succeeded(), !job.State.Ended():
		return nil
	case ctx.Err() != nil:
		return context.Cause(ctx)
	}
	return errFailed // the result says why
}

// leavesDetached returns what reports whether a build goes on without this process,
// at each entry of its log. It says so if the build could not be found again.
func (p *program) leavesDetached(ctx context.Context, m *jobs.Manager, job jobs.Job) func(jobs.Entry) bool {
	stays := false
	return func(jobs.Entry) bool {
		now, err := m.Get(ctx, job.Owner, job.ID)
		if err == nil && now.Build.Detached && now.Volatile && !stays {
			stays = true
			fmt.Fprintln(p.screen, "No other process can find this build, because it is not stored, so this one waits for its function.")
		}
		return err == nil && now.Build.Detached && !stays
	}
}

// jobView shows a job to its end.
type jobView interface {
	observe(e jobs.Entry, now time.Time)
	canceling(now time.Time)
	pause(now time.Time) time.Duration // before the next draw
	draw(now time.Time)
}

// follow shows the log of a job to its end, or to the entry at which leaves, if not
// nil, says so.
// When ctx ends it cancels the job, unless it was joined, and goes on.
func (p *program) follow(ctx context.Context, m *jobs.Manager, job jobs.Job, joined bool, v jobView, leaves func(jobs.Entry) bool) error {
	defer p.screen.setStatus("")
	var canceling sync.WaitGroup
	defer canceling.Wait()
	for after := int64(0); ; {
		entries, err := m.Next(ctx, job.Owner, job.ID, after, v.pause(time.Now()))
		now := time.Now()
		switch {
		case err != nil && ctx.Err() != nil && !joined:
			v.canceling(now)
			ctx = context.WithoutCancel(ctx)
			canceling.Go(func() { _, _ = m.Cancel(ctx, job.Owner, job.ID) }) // the log shows the outcome
		case err != nil:
			return cmp.Or(context.Cause(ctx), err)
		}
		for _, e := range entries {
			if v.observe(e, now); e.Final || leaves != nil && leaves(e) {
				return nil
			}
			after = e.Seq
		}
		v.draw(now)
	}
}

// takeoverWait bounds how long a command waits for the end of a job that it has taken
// over.
const takeoverWait = 5 * time.Second

// takeOver takes over a running job whose process is gone, if it is one, and waits for
// its end for a while. It returns the job as it then is.
func (a *app) takeOver(ctx context.Context, job jobs.Job) (jobs.Job, error) {
	if job.State.Ended() || !a.jobs.TakeOver(job.Owner, job.ID) {
		return job, nil
	}
	// Behind all entries there is a final one, as soon as the job has ended.
	if _, err := a.jobs.Next(ctx, job.Owner, job.ID, math.MaxInt64, takeoverWait); err != nil {
		return job, err
	}
	return a.jobs.Get(ctx, job.Owner, job.ID)
}

// joinedText returns the line of a job that was joined: nothing was started.
func joinedText(job jobs.Job) string {
	if job.State.Ended() {
		return "The same was built at " + localTime(job.StartedAt) + ". This is its result, and nothing is billed now. --force-new builds it again."
	}
	return "The same has been in progress since " + localTime(job.StartedAt) + ". This command follows that build, and nothing more is billed. --force-new starts another one."
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
