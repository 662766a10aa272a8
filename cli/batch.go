package cli

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/anything-mcp/anything-mcp/jobs"
	"github.com/anything-mcp/anything-mcp/notte"
	"github.com/anything-mcp/anything-mcp/tools"
)

// batchFlags are the settings of the command batch.
type batchFlags struct {
	items       string
	resume      string
	concurrency int
	maxFailures int
	maxBatch    int
	store       storeFlags
}

func (p *program) batchCommand() *cobra.Command {
	var flags batchFlags
	cmd := &cobra.Command{
		Use:     "batch ID|NAME --items FILE [NAME=VALUE…]",
		GroupID: terminalGroup,
		Short:   "Run a function for each item of a list",
		Long: `Run a function once for each item of FILE: JSON lines with one object of
variables each, or CSV whose first line names the variables. A blank cell leaves
its variable out. NAME=VALUE and NAME:=JSON are variables of all runs. ID is the
function's, or the NAME of a pinned function.

All items are checked before the first run starts. The results go to stdout as
JSON lines, in the order of the items. No item is started twice: if the command
or the machine stops, --resume runs the items that were not started, and none of
the others. Ctrl-C stops what runs; a second Ctrl-C leaves at once.`,
		Example: `  anything-mcp batch d3c31289-f28b-49bd-a340-95e071cfef7e --items urls.csv > prices.jsonl
  anything-mcp batch d3c31289-f28b-49bd-a340-95e071cfef7e --items - < urls.jsonl
  anything-mcp batch --resume batch_f73tdufmcx5uhpgf7zgqi7gnss`,
		RunE: func(cmd *cobra.Command, args []string) error {
			if flags.resume != "" {
				if len(args) > 0 || flags.items != "" {
					return usageErrorf("--resume takes no function and no items: the batch has them")
				}
				return p.withJobs(flags.store, limitFlags{}, func(a *app) error { return p.resumeBatch(cmd.Context(), a, flags) })
			}
			return p.newBatch(cmd.Context(), args, flags)
		},
	}
	f := cmd.Flags()
	f.StringVar(&flags.items, "items", "", "Read the items from `FILE`; -: stdin.")
	f.Var(countValue(&flags.concurrency, tools.DefaultConcurrency, 1, jobs.MaxConcurrency), "concurrency", "How many runs at once.")
	f.Var(countValue(&flags.maxFailures, tools.DefaultMaxFailures, 1, many), "max-failures", "Start no more once so many runs have failed.")
	f.StringVar(&flags.resume, "resume", "", "Run the items of the batch `ID` that were not started.")
	addMaxBatch(f, &flags.maxBatch)
	flags.store.add(f)
	return cmd
}

// newBatch runs a function, which args name with the variables of all runs, for the items
// of a file.
func (p *program) newBatch(ctx context.Context, args []string, flags batchFlags) error {
	spec, err := readRun(args)
	if err != nil {
		return err
	}
	file, err := p.openItems(flags.items)
	if err != nil {
		return err
	}
	defer file.Close()
	return p.withJobs(flags.store, limitFlags{}, func(a *app) error {
		list, err := a.readBatch(ctx, file, &spec, flags.maxBatch)
		if err != nil {
			return err
		}
		return p.startBatch(ctx, a, jobs.BatchSpec{
			Client: a.client, FunctionID: spec.FunctionID, Items: list, Concurrency: flags.concurrency, MaxFailures: flags.maxFailures,
		})
	})
}

func addMaxBatch(f *pflag.FlagSet, target *int) {
	f.Var(countValue(target, tools.DefaultMaxBatch, 1, 10_000), "max-batch", "Refuse a batch with more items.")
}

// readBatch reads and checks the items of a batch, and returns the variables of each run.
// Those of spec are common to all. A pin that named the function gives way to its ID.
func (a *app) readBatch(ctx context.Context, file io.Reader, spec *jobs.RunSpec, most int) ([]json.RawMessage, error) {
	r := tools.BatchRequest{Common: spec.Variables, Most: most}
	if pin, found, err := a.pinNamed(ctx, spec.FunctionID); err != nil {
		return nil, err
	} else if found {
		spec.FunctionID, r.Pin = pin.FunctionID, &pin
	}
	r.FunctionID = spec.FunctionID
	f, err := a.functions.Get(ctx, a.client, spec.FunctionID)
	if notte.IsNotFound(err) {
		return nil, err
	} // otherwise cells stay texts, which is how Notte passes variables on
	list, err := readItems(file, f.Variables, most)
	if err != nil {
		return nil, usageErrorf("the items cannot be read: %w", err)
	}
	r.Items = list.items
	_, items, _, err := tools.BatchItems(ctx, a.functions, a.client, r)
	return items, list.explain(err)
}

// startBatch starts a batch, shows it to its end and prints its results.
func (p *program) startBatch(ctx context.Context, a *app, spec jobs.BatchSpec) error {
	job, joined, err := a.jobs.Start(ctx, spec)
	if err != nil {
		return err
	}
	if joined {
		fmt.Fprintln(p.screen, "The same batch has been in progress since "+localTime(job.StartedAt)+". This command follows it.")
	}
	return p.watchBatch(ctx, a, job, joined)
}

// resumeBatch has a batch start what it has not started, and shows it to its end. A batch
// whose process is gone ends once its lease has run out.
func (p *program) resumeBatch(ctx context.Context, a *app, flags batchFlags) error {
	concurrency, maxFailures := 0, 0
	if p.flags.Changed("concurrency") {
		concurrency = flags.concurrency
	}
	if p.flags.Changed("max-failures") {
		maxFailures = flags.maxFailures
	}
	for {
		job, joined, err := a.jobs.Resume(ctx, a.client, flags.resume, concurrency, maxFailures)
		switch {
		case errors.Is(err, jobs.ErrNothingLeft):
			fmt.Fprintln(p.screen, "Nothing is left to run. These are the results.")
			if job, err = a.jobs.Get(ctx, a.client.Owner(), flags.resume); err != nil {
				return err
			}
			return p.printBatch(ctx, a, job)
		case err != nil:
			return fmt.Errorf("could not resume the batch %.60q: %w; see the IDs with anything-mcp runs", flags.resume, err)
		case !joined:
			return p.watchBatch(ctx, a, job, false)
		}
		fmt.Fprintln(p.screen, "The batch runs in another process, or in one that has just died. This command waits for its end.")
		if job, err = p.followBatch(ctx, a, job, true); err != nil {
			return err
		}
		if job.State != jobs.StateInterrupted {
			return p.printBatch(ctx, a, job)
		}
	}
}

// watchBatch shows a batch to its end and prints its results.
func (p *program) watchBatch(ctx context.Context, a *app, job jobs.Job, joined bool) error {
	job, err := p.followBatch(ctx, a, job, joined)
	if err != nil {
		return err
	}
	if err := p.printBatch(context.WithoutCancel(ctx), a, job); ctx.Err() == nil || !errors.Is(err, errFailed) {
		return err
	}
	return context.Cause(ctx)
}

// followBatch shows a batch to its end, and returns it as it ended.
func (p *program) followBatch(ctx context.Context, a *app, job jobs.Job, joined bool) (jobs.Job, error) {
	v := newBatchView(p.screen, job, time.Now())
	if err := p.follow(ctx, a.jobs, job, joined, v, nil); err != nil {
		if joined && ctx.Err() != nil {
			fmt.Fprintln(p.screen, "The batch goes on: see its results with", p.jobLine(a, "runs", job.ID))
		}
		return job, err
	}
	return a.jobs.Get(context.WithoutCancel(ctx), job.Owner, job.ID)
}

// batchTitles say how a batch ended.
var batchTitles = map[jobs.State]string{
	jobs.StateRunning: "Running", jobs.StateClosed: "Done", jobs.StateFailed: "Stopped early",
	jobs.StateCancelled: "Cancelled", jobs.StateInterrupted: "Interrupted",
}

// printBatch prints the results of a batch, and how it ended.
func (p *program) printBatch(ctx context.Context, a *app, job jobs.Job) error {
	if err := tools.WriteBatch(ctx, lineWriter{p}, a.jobs, job); err != nil {
		return err
	}
	batch := job.Batch
	fmt.Fprintf(p.screen, "%s: %s\n", p.screen.styled(bold, batchTitles[job.State]), batch.Tally)
	if batch.Error != "" {
		p.printError(errors.New(batch.Error))
	}
	if job.State.Ended() && batch.Tally.Waiting > 0 {
		fmt.Fprintf(p.screen, "Run the %s left with %s\n", plural(batch.Tally.Waiting, "item"), p.jobLine(a, "batch", "--resume", job.ID))
	}
	if !job.Succeeded() && job.State.Ended() {
		return errFailed
	}
	return nil
}

// lineWriter prints lines of JSON.
type lineWriter struct{ p *program }

func (w lineWriter) Write(line []byte) (int, error) {
	if err := w.p.print(escapeInvisible(string(line))); err != nil {
		return 0, err
	}
	return len(line), nil
}
