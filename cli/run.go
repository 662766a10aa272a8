package cli

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"github.com/anything-mcp/anything-mcp/jobs"
	"github.com/anything-mcp/anything-mcp/notte"
	"github.com/anything-mcp/anything-mcp/text"
	"github.com/anything-mcp/anything-mcp/tools"
)

type runCommand struct {
	ID        string   `arg:"" optional:"" help:"The function's ID, from build."`
	Variables []string `arg:"" optional:"" sep:"none" help:"NAME=VALUE for text, which is what functions expect; NAME:=JSON for anything else."`
	JSON      bool     `name:"json" help:"Print all about the run, as JSON with the fields of the MCP tool."`

	keeping `embed:""`
}

// Help is the details of the command's help.
func (runCommand) Help() string {
	return `  anything-mcp run d3c31289-f28b-49bd-a340-95e071cfef7e count=3
  anything-mcp run d3c31289-f28b-49bd-a340-95e071cfef7e 'filter:={"max": 3}' > posts.json

NAME=VALUE gives a variable as text, which is what Notte's functions expect;
NAME:=JSON gives it as the JSON it is. The function's log goes to stderr, its
result to stdout as JSON. Ctrl-C stops the run; twice, it leaves at once.`
}

// Run runs a function, and shows how it goes and what came of it.
func (c *runCommand) Run(ctx context.Context, p *program) error {
	if c.ID == "" {
		return misused("run", "say which function to run: anything-mcp run ID, with the ID that build printed")
	}
	if !notte.ValidID(c.ID) {
		return misused("run", "%.140q is not a function's ID: it has letters, digits, - and _, as build printed it", c.ID)
	}
	variables, err := parseVariables(c.Variables)
	if err != nil {
		return usageError{err, "run"}
	}
	r, err := p.newRig(c.keeping, spending{})
	if err != nil {
		return err
	}
	defer r.close()
	if err := r.client.Ready(); err != nil {
		return err
	}
	job, err := p.watch(ctx, r, "Running "+c.ID, jobs.RunSpec{Client: r.client, FunctionID: c.ID, Variables: variables})
	if err != nil {
		return err
	}
	if c.JSON {
		err = p.printJSON(tools.RunJSON(job))
	} else {
		err = p.printRun(job)
	}
	if r.sandbox != nil && !job.Succeeded() {
		fmt.Fprintf(p.screen, "A command's own sandbox begins without functions. %s sandbox, in another terminal, is one that keeps them from build to run.\n", p.name)
	}
	return cmp.Or(err, verdict(ctx, job))
}

// maxError is the length of the longest error that is shown, in characters.
const maxError = 1000

// printRun prints a run's result, or why there is none.
func (p *program) printRun(job jobs.Job) error {
	run := job.Run
	if job.Succeeded() {
		if len(run.Result) == 0 {
			return nil
		}
		return p.printResult(run.Result, true)
	}
	if run.Error != "" {
		p.complain(errors.New(text.OneLine(run.Error, maxError)))
	}
	var result string // a traceback, as a rule
	if json.Unmarshal(run.Result, &result) == nil && strings.TrimSpace(result) != run.Error {
		fmt.Fprintln(p.screen, strings.TrimSpace(text.Lines(result)))
	}
	return nil
}

// parseVariables makes a JSON object of NAME=VALUE and NAME:=JSON words, or
// nil of none.
func parseVariables(words []string) (json.RawMessage, error) {
	if len(words) == 0 {
		return nil, nil
	}
	variables := make(map[string]any, len(words))
	for _, word := range words {
		name, value, ok := strings.Cut(word, "=")
		name, isJSON := strings.CutSuffix(name, ":")
		switch _, twice := variables[name]; {
		case !ok || name == "":
			return nil, fmt.Errorf("%.100q is not a variable: write NAME=VALUE, or NAME:=JSON", word)
		case twice:
			return nil, fmt.Errorf("the variable %.100q is given twice", name)
		case !isJSON:
			variables[name] = value
		case !json.Valid([]byte(value)):
			return nil, fmt.Errorf("the value of %.100q is not JSON: write %s=… for text, or quote the JSON for the shell", name, name)
		default:
			variables[name] = json.RawMessage(value)
		}
	}
	return json.Marshal(variables)
}
