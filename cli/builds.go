package cli

import (
	"cmp"
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/anything-mcp/anything-mcp/jobs"
	"github.com/anything-mcp/anything-mcp/text"
	"github.com/anything-mcp/anything-mcp/tools"
)

// listing is the settings of a list of jobs.
type listing struct {
	keeping `embed:""`

	Limit int  `default:"20" placeholder:"N" help:"How many to list, newest first; 1 to 1000."`
	JSON  bool `name:"json" help:"Print JSON with the fields of the MCP tools."`
}

func (l listing) check() error {
	if l.Limit < 1 || l.Limit > 1000 {
		return fmt.Errorf("--limit must be from 1 to 1000, and it is %d", l.Limit)
	}
	return l.keeping.check()
}

type buildsCommand struct {
	ID      string `arg:"" optional:"" help:"A build's ID, to see all of it."`
	Status  string `enum:",running,done,error,timeout,cancelled,interrupted" default:"" placeholder:"STATUS" help:"Only builds of this status."`
	listing `embed:""`
}

// Help is the details of the command's help.
func (buildsCommand) Help() string {
	return `  anything-mcp builds
  anything-mcp builds --status done --json
  anything-mcp builds build_f73tdufmcx5uhpgf7zgqi7gnss

What is listed was built on this machine with the key that is set, by whichever
host or command.`
}

// Run lists builds, or shows one.
func (c *buildsCommand) Run(ctx context.Context, p *program) error {
	r, err := p.openList("builds", c.listing)
	if err != nil {
		return err
	}
	defer r.close()
	if c.ID != "" {
		job, err := r.job(ctx, jobs.KindBuild, c.ID)
		if err != nil {
			return err
		}
		if c.JSON {
			return p.printJSON(tools.BuildJSON(job))
		}
		return p.printBuild(ctx, r, job)
	}
	query := jobs.Query{Owner: r.client.Owner(), Kind: jobs.KindBuild, State: jobs.State(c.Status), Limit: c.Limit}
	list, err := r.jobs.List(ctx, query)
	if err != nil {
		return err
	}
	if c.JSON {
		return p.printJSON(tools.BuildsJSON(list))
	}
	table := newTable("STARTED", "STATUS", "COST", "FUNCTION", "BUILD", "QUERY")
	for _, job := range list {
		b := job.Build
		table.row(when(job.StartedAt), string(job.State), costCell(job), cmp.Or(oneLine(b.FunctionID), "-"), job.ID, text.OneLine(b.Query, 60))
	}
	sums, err := spent(ctx, r)
	if err != nil {
		return err
	}
	return p.print(table.String() + sums)
}

func costCell(job jobs.Job) string {
	if !job.State.Ended() {
		return "-"
	}
	return costText(job.Build, false)
}

// spent tells what builds have cost, below their list.
func spent(ctx context.Context, r *rig) (string, error) {
	now := time.Now()
	today, err := r.jobs.Spending(ctx, r.client.Owner(), jobs.Today(now))
	if err != nil {
		return "", err
	}
	month, err := r.jobs.Spending(ctx, r.client.Owner(), now.AddDate(0, 0, -30))
	if err != nil {
		return "", err
	}
	text := fmt.Sprintf("\nSpent today $%.2f, in the last 30 days $%.2f", today.USD, month.USD)
	if month.Unknown > 0 {
		text += fmt.Sprintf(", and %s at a cost that is not known", count(month.Unknown, "build"))
	}
	return text + ".\n", nil
}

// count is a number of things.
func count(n int, thing string) string {
	if n != 1 {
		thing += "s"
	}
	return fmt.Sprintf("%d %s", n, thing)
}

type runsCommand struct {
	ID         string `arg:"" optional:"" help:"A run's ID, to see all of it."`
	FunctionID string `placeholder:"ID" help:"Only runs of this function."`
	Status     string `enum:",running,closed,failed,cancelled,interrupted" default:"" placeholder:"STATUS" help:"Only runs of this status."`
	listing    `embed:""`
}

// Help is the details of the command's help.
func (runsCommand) Help() string {
	return `  anything-mcp runs
  anything-mcp runs --function-id d3c31289-f28b-49bd-a340-95e071cfef7e
  anything-mcp runs --json run_f73tdufmcx5uhpgf7zgqi7gnss | jq .result`
}

// Run lists runs, or shows one.
func (c *runsCommand) Run(ctx context.Context, p *program) error {
	r, err := p.openList("runs", c.listing)
	if err != nil {
		return err
	}
	defer r.close()
	if c.ID != "" {
		job, err := r.job(ctx, jobs.KindRun, c.ID)
		switch {
		case err != nil:
			return err
		case c.JSON:
			return p.printJSON(tools.RunJSON(job))
		}
		return p.printRun(job)
	}
	list, err := r.jobs.List(ctx, jobs.Query{
		Owner: r.client.Owner(), Kind: jobs.KindRun, State: jobs.State(c.Status), FunctionID: c.FunctionID, Limit: c.Limit,
	})
	if err != nil {
		return err
	}
	if c.JSON {
		return p.printJSON(tools.RunsJSON(list))
	}
	table := newTable("STARTED", "STATUS", "OK", "RUN", "FUNCTION")
	for _, job := range list {
		ok := "-"
		if job.State.Ended() {
			ok = map[bool]string{true: "yes", false: "no"}[job.Succeeded()]
		}
		table.row(when(job.StartedAt), string(job.State), ok, job.ID, job.Run.FunctionID)
	}
	return p.print(table.String())
}

// openList puts together what a list needs.
func (p *program) openList(command string, l listing) (*rig, error) {
	if err := l.check(); err != nil {
		return nil, usageError{err, command}
	}
	r, err := p.newRig(l.keeping, spending{})
	if err != nil {
		return nil, err
	}
	if err := r.client.Ready(); err != nil {
		r.close()
		return nil, err
	}
	return r, nil
}

// job is one job of the key's owner.
func (r *rig) job(ctx context.Context, kind jobs.Kind, id string) (jobs.Job, error) {
	job, err := r.jobs.Get(ctx, r.client.Owner(), id)
	if err == nil && job.Kind != kind {
		err = jobs.ErrNotFound
	}
	if err != nil {
		return jobs.Job{}, fmt.Errorf("could not show the %s %.60q: %w for this key; the list has their IDs", kind, id, err)
	}
	return job, nil
}

// when is a time as a list shows it, in the user's own zone.
func when(t time.Time) string { return t.Local().Format("2006-01-02 15:04") }

// table is lines of cells in columns as wide as their widest cell.
type table struct{ rows [][]string }

func newTable(head ...string) *table { return &table{rows: [][]string{head}} }

func (t *table) row(cells ...string) { t.rows = append(t.rows, cells) }

func (t *table) String() string {
	widths := make([]int, len(t.rows[0]))
	for _, row := range t.rows {
		for i, cell := range row {
			widths[i] = max(widths[i], len([]rune(cell)))
		}
	}
	var b strings.Builder
	for _, row := range t.rows {
		line := ""
		for i, cell := range row {
			line += cell + strings.Repeat(" ", widths[i]-len([]rune(cell))+2)
		}
		b.WriteString(strings.TrimRight(line, " ") + "\n")
	}
	return b.String()
}
