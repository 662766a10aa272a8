package cli

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/anything-mcp/anything-mcp/jobs"
	"github.com/anything-mcp/anything-mcp/notte"
	"github.com/anything-mcp/anything-mcp/text"
	"github.com/anything-mcp/anything-mcp/tools"
)

type buildCommand struct {
	Query    []string `arg:"" optional:"" sep:"none" help:"The task in plain English, or - to read it from stdin."`
	JSON     bool     `name:"json" help:"Print the result alone, as JSON with the fields of the MCP tool."`
	ForceNew bool     `help:"Build anew even if the same was just built, or is being built. Billed again."`

	keeping  `embed:""`
	spending `embed:""`
}

// Help is the details of the command's help.
func (buildCommand) Help() string {
	return `Say what is to be done on the web, and what should vary from run to run:

  anything-mcp build --sandbox "fetch the top 3 hacker news posts"
  anything-mcp build --json "…" | jq -r .function_id
  anything-mcp build - < task.txt

A build takes 2 to 10 minutes and is billed by Notte. Progress goes to stderr,
the result to stdout. Ctrl-C cancels the build, which Notte may bill all the
same; twice, it leaves at once.`
}

// Run builds, and shows how it goes and what came of it.
func (c *buildCommand) Run(ctx context.Context, p *program) error {
	query, err := c.query(p.env.Stdin)
	if err != nil {
		return err
	}
	r, err := p.newRig(c.keeping, c.spending)
	if err != nil {
		return err
	}
	defer r.close()
	if err := r.client.Ready(); err != nil {
		return err
	}
	title := "Building: " + query
	if r.sandbox != nil {
		title = "Building (in the sandbox: nothing is real): " + query
	}
	job, err := p.watch(ctx, r, title, jobs.BuildSpec{Client: r.client, Query: query, ForceNew: c.ForceNew})
	if err != nil {
		return err
	}
	if c.JSON {
		err = p.printJSON(tools.BuildJSON(job))
	} else {
		err = p.printBuild(ctx, r, job)
	}
	return cmp.Or(err, verdict(ctx, job))
}

// query is what was typed, or what stdin holds.
func (c *buildCommand) query(stdin io.Reader) (string, error) {
	query := strings.Join(c.Query, " ")
	if query == "-" {
		raw, err := io.ReadAll(io.LimitReader(stdin, tools.MaxQuery*utf8.UTFMax+1))
		if err != nil {
			return "", fmt.Errorf("reading the query from stdin: %w", err)
		}
		query = string(raw)
	}
	query = strings.TrimSpace(strings.ToValidUTF8(query, "\uFFFD"))
	if query == "" {
		return "", misused("build", `say what to build, for example: anything-mcp build "fetch the top 3 hacker news posts"`)
	}
	if n := utf8.RuneCountInString(query); n > tools.MaxQuery {
		return "", misused("build", "the query has more than %d characters: make it shorter", tools.MaxQuery)
	}
	return query, nil
}

// printBuild prints what came of a build for a person.
func (p *program) printBuild(ctx context.Context, r *rig, job jobs.Job) error {
	width := 0
	if isTerminal(p.env.Stdout) {
		width = columns(p.env.Stdout)
	}
	b := job.Build
	var page strings.Builder
	row := func(name, value string) {
		if value = strings.TrimSpace(value); value != "" {
			page.WriteString(beside(name, value, 12, width))
		}
	}
	row("Status", string(job.State)+" after "+age(job.Elapsed(time.Now())))
	row("Error", text.Lines(b.Error))
	row("Detail", text.Lines(b.Detail))
	row("Reason", text.Lines(b.Reason))
	row("Function", oneLine(b.FunctionName))
	row("ID", oneLine(b.FunctionID))
	if job.State.Ended() {
		row("Cost", costText(b, r.sandbox != nil))
	}
	row("Answer", text.Lines(b.Answer))
	if b.FunctionID != "" {
		row("Run it", p.howToRun(ctx, r, b.FunctionID))
	}
	return p.print(page.String())
}

// costText is what an ended build has cost. What nobody told is not nothing,
// but not known.
func costText(b *jobs.Build, simulated bool) string {
	switch usd := b.TotalCostUSD; {
	case usd == nil && !b.Started:
		return "none"
	case usd == nil:
		return "unknown"
	case simulated:
		return fmt.Sprintf("$%.2f (simulated: nothing is billed)", *usd)
	case *usd > 0 && *usd < 0.01:
		return fmt.Sprintf("$%.4f", *usd)
	default:
		return fmt.Sprintf("$%.2f", *usd)
	}
}

// howToRun is the command that runs a new function. A sandbox of this process
// takes its functions along when it ends, which is now.
func (p *program) howToRun(ctx context.Context, r *rig, functionID string) string {
	words := []string{p.name, "run", functionID}
	if p.opts.APIURL != notte.DefaultAPIURL && p.vars["NOTTE_API_URL"] != p.opts.APIURL {
		words = append(words, "--api-url="+p.opts.APIURL)
	}
	if r.sandbox != nil {
		return "The function is gone with this command's own sandbox. To keep one, start " + p.name +
			" sandbox in another terminal, set here what it tells you to set, and build again without --sandbox."
	}
	// A look-up costs nothing, and its failure only the variables' names.
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 3*time.Second)
	defer cancel()
	if f, err := r.client.GetFunction(ctx, functionID); err == nil {
		for _, v := range f.Variables {
			words = append(words, example(v))
		}
	}
	for i, word := range words {
		words[i] = shellQuoted(word)
	}
	return strings.Join(words, " ")
}

// example gives a variable as run takes it, with its default if it has one.
func example(v notte.Variable) string {
	value := string(v.Default)
	var text string
	if json.Unmarshal(v.Default, &text) == nil {
		value = text
	}
	return oneLine(v.Name) + "=" + cmp.Or(oneLine(value), "VALUE")
}
