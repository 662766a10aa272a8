package cli

import (
	"cmp"
	"context"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"github.com/anything-mcp/anything-mcp/jobs"
	"github.com/anything-mcp/anything-mcp/text"
	"github.com/anything-mcp/anything-mcp/tools"
)

// listFlags are the settings of the commands that list jobs.
type listFlags struct {
	status     string
	functionID string // of runs
	limit      int
	json       bool
	store      storeFlags
}

func (p *program) buildsCommand() *cobra.Command {
	return p.listCommand(jobs.KindBuild, &cobra.Command{
		Use:   "builds [ID]",
		Short: "List earlier builds and what they cost, or show one",
		Long: `List the builds that were made on this machine with the same key, by any host
or command. With ID, show all about one.`,
		Example: `  anything-mcp builds --status done --json
  anything-mcp builds build_f73tdufmcx5uhpgf7zgqi7gnss`,
	}, jobs.StateRunning, jobs.StateDone, jobs.StateError, jobs.StateTimeout, jobs.StateCancelled, jobs.StateInterrupted)
}

func (p *program) runsCommand() *cobra.Command {
	return p.listCommand(jobs.KindRun, &cobra.Command{
		Use:   "runs [ID]",
		Short: "List earlier runs and batches, or show one",
		Long: `List the runs and batches that were made on this machine with the same key, by
any host or command. With ID, show the result of a run, or those of a batch.`,
		Example: `  anything-mcp runs --function-id d3c31289-f28b-49bd-a340-95e071cfef7e
  anything-mcp runs --json run_f73tdufmcx5uhpgf7zgqi7gnss | jq .result`,
	}, jobs.StateRunning, jobs.StateClosed, jobs.StateFailed, jobs.StateCancelled, jobs.StateInterrupted)
}

// listCommand makes cmd list the jobs of a kind. states are the states that such jobs
// may have.
func (p *program) listCommand(kind jobs.Kind, cmd *cobra.Command, states ...jobs.State) *cobra.Command {
	var flags listFlags
	cmd.GroupID, cmd.Args = terminalGroup, cobra.MaximumNArgs(1)
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		return p.withJobs(flags.store, limitFlags{}, func(a *app) error {
			if len(args) == 0 {
				return p.listJobs(cmd.Context(), a, kind, flags)
			}
			job, err := a.findJob(cmd.Context(), kind, args[0])
			if err == nil {
				job, err = a.takeOver(cmd.Context(), job)
			}
			if err != nil {
				return err
			}
			return p.printJob(cmd.Context(), a, job, flags.json)
		})
	}
	f := cmd.Flags()
	if kind == jobs.KindRun {
		f.StringVar(&flags.functionID, "function-id", "", "List only runs of the function `ID`.")
	}
	words := []string{""}
	for _, state := range states {
		words = append(words, string(state))
	}
	f.Var(choiceValue(&flags.status, words...), "status", "List only those with this `STATUS`.")
	f.Var(countValue(&flags.limit, 20, 1, 1000), "limit", "How many to list, newest first.")
	addBool(f, &flags.json, "json", "Print JSON with the fields of the MCP tools.")
	flags.store.add(f)
	return cmd
}

// listJobs prints the newest jobs of a kind.
func (p *program) listJobs(ctx context.Context, a *app, kind jobs.Kind, flags listFlags) error {
	read := a.jobs.List
	if kind == jobs.KindRun {
		read = a.jobs.ListRuns
	}
	list, err := read(ctx, jobs.Query{
		Owner: a.client.Owner(), Kind: kind, State: jobs.State(flags.status),
		FunctionID: flags.functionID, Limit: flags.limit,
	})
	switch {
	case err != nil:
		return err
	case flags.json && kind == jobs.KindBuild:
		return p.printJSON(tools.BuildsJSON(list))
	case flags.json:
		return p.printJSON(tools.RunsJSON(list))
	case kind == jobs.KindRun:
		return p.print(table(runRows(list)))
	}
	sums, err := spendingLine(ctx, a, time.Now())
	if err != nil {
		return err
	}
	return p.print(table(buildRows(list)) + "\n" + sums)
}

func buildRows(list []jobs.Job) [][]string {
	rows := [][]string{{"STARTED", "STATUS", "COST", "FUNCTION", "BUILD", "QUERY"}}
	for _, job := range list {
		cost := "-"
		if job.State.Ended() {
			cost = formatCost(job.Build, false)
		}
		function := cmp.Or(text.OneLine(job.Build.FunctionID, maxLine), "-")
		rows = append(rows, []string{localTime(job.StartedAt), string(job.State), cost, function, job.ID, text.OneLine(job.Build.Query, 60)})
	}
	return rows
}

func runRows(list []jobs.Job) [][]string {
	rows := [][]string{{"STARTED", "STATUS", "OK", "RUN", "FUNCTION"}}
	for _, job := range list {
		ok := "-"
		if job.State.Ended() {
			ok = map[bool]string{true: "yes", false: "no"}[job.Succeeded()]
		}
		if job.Batch != nil {
			ok = job.Batch.Tally.String()
		}
		rows = append(rows, []string{localTime(job.StartedAt), string(job.State), ok, job.ID, job.FunctionID()})
	}
	return rows
}

// spendingLine formats the totals that are printed below the list of builds.
func spendingLine(ctx context.Context, a *app, now time.Time) (string, error) {
	today, err := a.jobs.Spending(ctx, a.client.Owner(), jobs.Today(now))
	if err != nil {
		return "", err
	}
	month, err := a.jobs.Spending(ctx, a.client.Owner(), now.AddDate(0, 0, -30))
	if err != nil {
		return "", err
	}
	line := fmt.Sprintf("Spent today $%.2f, in the last 30 days $%.2f", today.USD, month.USD)
	if month.Unknown > 0 {
		line += fmt.Sprintf(", and %s of unknown cost", plural(month.Unknown, "build"))
	}
	return line + ".\n", nil
}
