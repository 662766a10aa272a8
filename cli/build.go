package cli

import (
	"context"
	"fmt"
	"io"
	"strings"
	"unicode/utf8"

	"github.com/spf13/cobra"

	"github.com/anything-mcp/anything-mcp/jobs"
	"github.com/anything-mcp/anything-mcp/tools"
)

// buildFlags are the settings of the command build.
type buildFlags struct {
	json, forceNew bool
	open           bool   // the page of the build, in a browser
	continued      string // the ID of a build
	store          storeFlags
	limits         limitFlags
}

func (p *program) buildCommand() *cobra.Command {
	var flags buildFlags
	cmd := &cobra.Command{
		Use:     "build QUERY",
		GroupID: terminalGroup,
		Short:   "Build an automation and watch it happen",
		Long: `Build an automation. QUERY says in plain English what to do on the web, and
what should vary from run to run; - reads it from stdin.

A build takes 2 to 10 minutes and is billed by Notte. Progress goes to stderr,
the result to stdout. Ctrl-C cancels the build, which Notte may bill all the
same; a second Ctrl-C leaves at once.

With --continue the query is a follow-up to an earlier build, to change or
repair what that has made. With --detach the command ends when the build has
begun, and Notte goes on by itself. With --open a browser shows the build, from
this process: as long as it builds.`,
		Example: `  anything-mcp build --sandbox "fetch the top 3 hacker news posts"
  anything-mcp build --json "…" | jq -r .function_id
  anything-mcp build - < task.txt
  anything-mcp build --continue build_f73tdufmcx5uhpgf7zgqi7gnss "also return the score"`,
		RunE: func(cmd *cobra.Command, args []string) error { return p.build(cmd.Context(), args, flags) },
	}
	f := cmd.Flags()
	addBool(f, &flags.json, "json", "Print the result as JSON, with the fields of the MCP tool.")
	addBool(f, &flags.forceNew, "force-new", "Start a new build even if the same is being built or was just built. It is billed again.")
	addBool(f, &flags.open, "open", "Watch the build in a browser too.")
	f.StringVar(&flags.continued, "continue", "", "Continue the build `ID`, which has ended: its agent gets QUERY as a follow-up.")
	flags.store.add(f)
	flags.limits.add(f)
	return cmd
}

// build builds the query in words and prints the result.
func (p *program) build(ctx context.Context, words []string, flags buildFlags) error {
	query, err := readQuery(words, p.env.Stdin)
	if err != nil {
		return err
	}
	return p.withJobs(flags.store, flags.limits, func(a *app) error {
		title := "Building: "
		if a.simulated {
			title = "Building (in the sandbox: nothing is real): "
		}
		spec := jobs.BuildSpec{Client: a.client, Query: query, ForceNew: flags.forceNew, Detach: flags.limits.detach}
		if flags.continued != "" {
			parent, err := a.findJob(ctx, jobs.KindBuild, flags.continued)
			if err != nil {
				return err
			}
			spec.Continue = &parent
		}
		var begun func(jobs.Job) func()
		if flags.open {
			begun = func(job jobs.Job) func() { return p.openMonitor(ctx, a, job) }
		}
		return p.watch(ctx, a, title+query, spec, flags.json, begun)
	})
}

// readQuery returns the query that was typed, or that stdin holds.
func readQuery(words []string, stdin io.Reader) (string, error) {
	query := strings.Join(words, " ")
	if query == "-" {
		raw, err := io.ReadAll(io.LimitReader(stdin, tools.MaxQuery*utf8.UTFMax+1))
		if err != nil {
			return "", fmt.Errorf("reading the query from stdin: %w", err)
		}
		query = string(raw)
	}
	query = strings.TrimSpace(strings.ToValidUTF8(query, "\uFFFD"))
	if query == "" {
		return "", usageErrorf(`say what to build, for example: anything-mcp build "fetch the top 3 hacker news posts"`)
	}
	if n := utf8.RuneCountInString(query); n > tools.MaxQuery {
		return "", usageErrorf("the query has more than %d characters: make it shorter", tools.MaxQuery)
	}
	return query, nil
}
