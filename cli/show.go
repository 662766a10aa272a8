package cli

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"runtime"
	"slices"
	"strings"
	"time"

	"github.com/tidwall/gjson"

	"github.com/anything-mcp/anything-mcp/functions"
	"github.com/anything-mcp/anything-mcp/jobs"
	"github.com/anything-mcp/anything-mcp/text"
	"github.com/anything-mcp/anything-mcp/tools"
)

// maxError bounds an error that is shown, in characters.
const maxError = 1000

// printJob prints a job, as JSON or for a person.
func (p *program) printJob(ctx context.Context, a *app, job jobs.Job, asJSON bool) error {
	switch {
	case asJSON && job.Kind == jobs.KindBuild:
		return p.printJSON(tools.BuildJSON(job))
	case asJSON && job.Kind == jobs.KindBatch:
		return p.printJSON(tools.BatchJSON(job))
	case asJSON:
		return p.printJSON(tools.RunJSON(job))
	case job.Kind == jobs.KindBuild:
		return p.printBuild(ctx, a, job)
	case job.Kind == jobs.KindBatch:
		return p.printBatch(ctx, a, job)
	}
	return p.printRun(a, job)
}

// findJob returns a job of the key's owner.
func (a *app) findJob(ctx context.Context, kind jobs.Kind, id string) (jobs.Job, error) {
	job, err := a.jobs.Get(ctx, a.client.Owner(), id)
	if batch := kind == jobs.KindRun && job.Kind == jobs.KindBatch; err == nil && job.Kind != kind && !batch {
		err = jobs.ErrNotFound
	}
	if err != nil {
		return jobs.Job{}, fmt.Errorf("could not show the %s %.60q: %w for this key; see the IDs with anything-mcp %ss", kind, id, err, kind)
	}
	return job, nil
}

// printBuild prints the state and the result of a build for a person.
func (p *program) printBuild(ctx context.Context, a *app, job jobs.Job) error {
	b := job.Build
	page := p.newPage()
	line := func(s string) string { return text.OneLine(s, maxLine) }
	page.row("Status", string(job.State)+" after "+formatAge(job.Elapsed(time.Now())))
	page.row("Error", text.Lines(b.Error))
	page.row("Detail", text.Lines(b.Detail))
	page.row("Reason", text.Lines(b.Reason))
	page.row("Warning", line(b.Warning))
	page.row("Function", line(b.FunctionName))
	page.row("ID", line(b.FunctionID))
	if job.State.Ended() {
		page.row("Note", functionNote(b))
		for i := 0; b.FunctionID == "" && i < len(b.Candidates); i++ {
			page.row("Candidate", line(b.Candidates[i].FunctionID)+"  "+line(b.Candidates[i].Name))
		}
		page.row("Cost", formatCost(b, a.simulated))
	} else {
		page.row("Build", job.ID)
	}
	if !a.simulated { // the page of a sandbox ends with its process
		page.line("Thread", line(b.ThreadURL))
	}
	page.row("Answer", text.Lines(b.Answer))
	switch {
	case !job.State.Ended():
		page.line("See it", p.jobLine(a, "builds", job.ID))
	case b.FunctionID != "" && a.simulated && a.dir == "":
		page.row("Run it", "The function ended with this command, because its sandbox keeps nothing.")
	case b.FunctionID != "":
		page.line("Run it", p.runLine(ctx, a, b.FunctionID))
	}
	return p.print(page.text.String())
}

// functionNote returns what is doubtful or new about a build's function, or "".
func functionNote(b *jobs.Build) string {
	switch {
	case b.FunctionID == "" && len(b.Candidates) > 0:
		return "It is not known which function the build made. It may be one of these."
	case b.FunctionID == "":
		return ""
	case b.FunctionFrom == jobs.FromUnconfirmed:
		return "The build named this function, but Notte could not be asked about it."
	case b.Updated() && b.FunctionVersion != "":
		return "The same function as before, now in version " + text.OneLine(b.FunctionVersion, maxLine) + "."
	case b.FunctionFrom == jobs.FromCatalogue:
		return "This is probably the build's function: it appeared in the account while the build ran."
	}
	return ""
}

// formatCost formats the cost of an ended build. A cost that Notte did not report
// is unknown, not zero.
func formatCost(b *jobs.Build, simulated bool) string {
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

// runLine returns the command that runs a new function.
func (p *program) runLine(ctx context.Context, a *app, functionID string) string {
	words := []string{p.name, "run"}
	if a.simulated {
		words = append(words, p.keptWords(a)...)
	}
	words = append(words, functionID)
	if !a.simulated && p.typed("api-url") {
		words = append(words, "--api-url="+p.settings.apiURL)
	}
	// The look-up is free. If it fails, the line just lacks the variables.
	if f, err := a.functions.Get(context.WithoutCancel(ctx), a.client, functionID); err == nil {
		for _, v := range f.Variables {
			if v.Required || v.Default != nil {
				words = append(words, variableWord(v))
			}
		}
	}
	return shellLine(words, runtime.GOOS)
}

// jobLine returns the line that runs a command on a job.
func (p *program) jobLine(a *app, command string, words ...string) string {
	return shellLine(slices.Concat([]string{p.name, command}, p.keptWords(a), words), runtime.GOOS)
}

// keptWords returns the flags with which another command finds what this one stores.
func (p *program) keptWords(a *app) (words []string) {
	if a.simulated && p.typed("sandbox") {
		words = append(words, "--sandbox")
	}
	if p.typed("state-dir") {
		words = append(words, "--state-dir="+a.stateDir)
	}
	return words
}

// shellLine returns words as a line for the shells of goos. If the value of a word
// name=value cannot be quoted there, it becomes VALUE, for the user to fill in. Any
// other word that cannot be quoted is left out.
func shellLine(words []string, goos string) string {
	var line []string
	for _, word := range words {
		quoted, ok := shellQuote(word, goos)
		if !ok {
			name, _, _ := strings.Cut(word, "=")
			if quoted, ok = shellQuote(name+"=VALUE", goos); !ok {
				continue
			}
		}
		line = append(line, quoted)
	}
	return strings.Join(line, " ")
}

// variableWord returns a variable in the form that the command run takes: its name
// and its default, or VALUE if it has no default.
func variableWord(v functions.Variable) string {
	return v.Name + "=" + cmp.Or(gjson.ParseBytes(v.Default).String(), "VALUE")
}

// printRun prints the result of a run to stdout, or its error to stderr.
func (p *program) printRun(a *app, job jobs.Job) error {
	run := job.Run
	switch {
	case job.Succeeded() && len(run.Result) == 0:
		return nil
	case job.Succeeded():
		return p.printResult(run.Result, true)
	}
	if run.Error != "" {
		p.printError(errors.New(text.OneLine(run.Error, maxError)))
	}
	var result string // often a traceback
	if json.Unmarshal(run.Result, &result) == nil && strings.TrimSpace(result) != run.Error {
		fmt.Fprintln(p.screen, strings.TrimSpace(text.Lines(result)))
	}
	if a.simulated && a.dir == "" {
		fmt.Fprintln(p.screen, "A sandbox in memory keeps no function from one command to the next: it has only its examples.")
	}
	return nil
}
