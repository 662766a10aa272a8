package cli

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"iter"
	"strings"
	"sync"
	"time"
	"unicode"

	"github.com/anything-mcp/anything-mcp/jobs"
)

// watch starts a job, shows it to its end and returns it as it ended. When ctx
// ends the job is cancelled, and watch returns once that is done; but a job that
// was joined is another's, and goes on.
func (p *program) watch(ctx context.Context, r *rig, title string, spec jobs.Spec) (jobs.Job, error) {
	job, joined, err := r.jobs.Start(ctx, spec)
	if err != nil {
		return jobs.Job{}, err
	}
	v := newView(p.screen, title, job.StartedAt)
	if joined {
		fmt.Fprintln(p.screen, joinedText(job))
	}
	toEnd := context.WithoutCancel(ctx) // what comes after a cancellation is shown too
	if joined {
		toEnd = ctx
	}
	over := make(chan struct{})
	var cancelling sync.WaitGroup
	cancelling.Go(func() {
		select {
		case <-over:
		case <-ctx.Done():
			if joined {
				return
			}
			v.step(time.Now(), "Cancelling; once more leaves at once")
			v.say("Cancelling")
			// That it had ended by itself is as good; the job tells.
			_, _ = r.jobs.Cancel(toEnd, job.Owner, job.ID)
		}
	})
	err = v.follow(follow(toEnd, r.jobs, job))
	close(over)
	cancelling.Wait()
	if err != nil && joined && ctx.Err() != nil {
		fmt.Fprintf(p.screen, "The build goes on: %s builds %s shows what came of it.\n", p.name, job.ID)
	}
	if err != nil {
		return jobs.Job{}, err
	}
	if job, err = r.jobs.Get(toEnd, job.Owner, job.ID); err != nil {
		return jobs.Job{}, err
	}
	v.step(job.EndedAt, p.screen.paint(bold, headline(job)))
	if p.screen.live && isTerminal(p.env.Stdout) {
		fmt.Fprintln(p.screen) // between the steps and the result, which follows on the same terminal
	}
	return job, nil
}

// joinedText tells that nothing was started, and why.
func joinedText(job jobs.Job) string {
	if job.State.Ended() {
		return "The same was built at " + when(job.StartedAt) + ": this is its result, and nothing is billed now. --force-new builds it anew."
	}
	return "The same is being built already, since " + when(job.StartedAt) + ": this follows it, and nothing more is billed. --force-new builds it anew."
}

// verdict is the error with which a command ends whose job has been shown.
func verdict(ctx context.Context, job jobs.Job) error {
	switch {
	case job.Succeeded():
		return nil
	case ctx.Err() != nil:
		return context.Cause(ctx)
	}
	return errFailed
}

// headline says in a few words how a job ended.
func headline(job jobs.Job) string {
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

// printJSON prints a result for machines, indented if a person looks.
func (p *program) printJSON(raw []byte, err error) error {
	if err != nil {
		return fmt.Errorf("writing the result as JSON: %w", err)
	}
	return p.printResult(raw, isTerminal(p.env.Stdout))
}

// printResult prints JSON from Notte. What a terminal could take for a command
// or for text in another direction is written as JSON's escapes, which changes
// nothing of its meaning.
func (p *program) printResult(raw []byte, indented bool) error {
	var b bytes.Buffer
	if indented && json.Indent(&b, raw, "", "  ") == nil {
		raw = b.Bytes()
	}
	return p.print(escaped(string(raw)) + "\n")
}

// print writes a result to stdout, without secrets that Notte may have sent
// back.
func (p *program) print(text string) error {
	if _, err := io.WriteString(p.env.Stdout, p.secrets.clean(text)); err != nil {
		return fmt.Errorf("writing the result: %w", err)
	}
	return nil
}

// escaped is JSON without characters that are not seen. They all stand in
// strings: the only ones elsewhere are white space, which no string may hold.
func escaped(text string) string {
	hidden := func(r rune) bool {
		return 0x7f <= r && r <= 0x9f || unicode.Is(unicode.Cf, r) && r < 0x10000
	}
	if strings.IndexFunc(text, hidden) < 0 {
		return text
	}
	var b strings.Builder
	for _, r := range text {
		if hidden(r) {
			fmt.Fprintf(&b, `\u%04x`, r)
		} else {
			b.WriteRune(r)
		}
	}
	return b.String()
}

// follow yields the entries of a job's log until its end.
func follow(ctx context.Context, m *jobs.Manager, job jobs.Job) iter.Seq2[jobs.Entry, error] {
	return func(yield func(jobs.Entry, error) bool) {
		for after := int64(0); ; {
			entries, err := m.Next(ctx, job.Owner, job.ID, after, time.Hour)
			if err != nil {
				yield(jobs.Entry{}, err)
				return
			}
			for _, e := range entries {
				if !yield(e, nil) || e.Final {
					return
				}
				after = e.Seq
			}
		}
	}
}
