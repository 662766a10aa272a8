package cli

import (
	"cmp"
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/anything-mcp/anything-mcp/functions"
	"github.com/anything-mcp/anything-mcp/text"
	"github.com/anything-mcp/anything-mcp/tools"
)

// functionFlags are the settings of the commands that look at functions.
type functionFlags struct {
	site  string
	limit int
	json  bool
	store storeFlags
}

func (p *program) functionsCommand() *cobra.Command {
	var flags functionFlags
	cmd := &cobra.Command{
		Use:     "functions [QUERY]",
		GroupID: terminalGroup,
		Short:   "Find functions of the account, or show one",
		Long: `List the functions of the account, or find those that match QUERY, the best
match first. A variable with = has a default, one with ? may be left out.

The list is read from Notte at most once a minute. If Notte cannot be asked, the
list that was read last is shown.`,
		Example: `  anything-mcp functions hacker news
  anything-mcp functions --site example.com --json
  anything-mcp functions show d3c31289-f28b-49bd-a340-95e071cfef7e`,
		Args: cobra.ArbitraryArgs,
		RunE: func(cmd *cobra.Command, words []string) error {
			return p.withJobs(flags.store, limitFlags{}, func(a *app) error {
				return p.findFunctions(cmd.Context(), a, strings.Join(words, " "), flags)
			})
		},
	}
	f := cmd.Flags()
	f.StringVar(&flags.site, "site", "", "List only functions for this `HOST` or domain.")
	f.Var(countValue(&flags.limit, 20, 1, 1000), "limit", "How many to list.")
	addBool(f, &flags.json, "json", "Print JSON with the fields of the MCP tools.")
	flags.store.add(f)
	cmd.AddCommand(p.showFunctionCommand())
	return cmd
}

func (p *program) showFunctionCommand() *cobra.Command {
	var flags functionFlags
	cmd := &cobra.Command{
		Use:     "show ID|NAME",
		Short:   "Show what a function does and takes",
		Long:    "Show what a function does, what it takes and how to run it. NAME is that of a pin.",
		Example: `  anything-mcp functions show d3c31289-f28b-49bd-a340-95e071cfef7e`,
		Args:    cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return p.withJobs(flags.store, limitFlags{}, func(a *app) error {
				return p.showFunction(cmd.Context(), a, args[0], flags.json)
			})
		},
	}
	cmd.Flags().SortFlags = false
	addBool(cmd.Flags(), &flags.json, "json", "Print JSON with the fields of the MCP tool.")
	flags.store.add(cmd.Flags())
	cmd.Flags().VisitAll(finish)
	return cmd
}

// findFunctions prints the functions that match a query.
func (p *program) findFunctions(ctx context.Context, a *app, query string, flags functionFlags) error {
	list, err := a.functions.Find(ctx, a.client, functions.Query{
		Text: query, Site: flags.site, Limit: flags.limit, Changed: tools.LastMade(ctx, a.jobs, a.client.Owner()),
	})
	if err != nil {
		return err
	}
	if list.Stale {
		p.tellAge(list.AsOf)
	}
	if flags.json {
		return p.printJSON(tools.FunctionsJSON(ctx, a.toolConfig(), a.client, list.Functions))
	}
	if list.Partial {
		fmt.Fprintln(p.screen, "The account has more functions than are read.")
	}
	rows := [][]string{{"NAME", "SITE", "TAKES", "FUNCTION"}}
	for _, f := range list.Functions {
		rows = append(rows, []string{text.OneLine(f.Name, 40), cmp.Or(f.Site, "-"), cmp.Or(text.OneLine(f.Signature(), 60), "-"), f.ID})
	}
	return p.print(table(rows))
}

// tellAge says that what is printed was not read from Notte now.
func (p *program) tellAge(at time.Time) {
	fmt.Fprintf(p.screen, "Notte could not be asked just now: this is what it told at %s.\n", localTime(at))
}

// showFunction prints what is known of a function.
func (p *program) showFunction(ctx context.Context, a *app, id string, asJSON bool) error {
	if pin, found, err := a.pinNamed(ctx, id); err != nil {
		return err
	} else if found {
		id = pin.FunctionID
	}
	f, err := a.functions.Get(ctx, a.client, id)
	if err != nil {
		return err
	}
	pins, err := a.functions.Pins(ctx, a.client)
	if err != nil {
		return err
	}
	if time.Since(f.ReadAt) > functions.Fresh {
		p.tellAge(f.ReadAt)
	}
	if asJSON {
		return p.printJSON(tools.FunctionJSON(ctx, a.toolConfig(), a.client, f))
	}
	return p.printFunction(ctx, a, f, pins)
}

// printFunction prints a function as a page of labelled lines.
func (p *program) printFunction(ctx context.Context, a *app, f functions.Function, pins []functions.Pin) error {
	page := p.newPage()
	page.row("Function", f.Name)
	page.row("ID", f.ID)
	page.row("Does", f.Description)
	page.row("Site", f.Site)
	for i, v := range f.Variables {
		page.row([]string{"Takes", " "}[min(i, 1)], v.String())
	}
	page.row("Version", f.Version)
	page.row("Pinned as", functions.PinNames(pins, f.ID))
	for _, pin := range pins {
		if changes := pin.Changes(f); pin.FunctionID == f.ID && changes != "" {
			page.row("Changed", "since it was pinned as "+pin.Name+": "+changes)
		}
	}
	page.row("Secrets", strings.Join(f.Secrets, ", "))
	page.row("Schedule", strings.TrimSpace(f.ScheduleCron+" "+f.ScheduleState))
	if f.Details != nil {
		page.row("Notes", f.Details.Instructions)
	}
	page.line("Run it", p.runLine(ctx, a, f.ID))
	return p.print(page.text.String())
}
