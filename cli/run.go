package cli

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"github.com/anything-mcp/anything-mcp/jobs"
	"github.com/anything-mcp/anything-mcp/notte"
)

func (p *program) runCommand() *cobra.Command {
	var json bool
	var store storeFlags
	cmd := &cobra.Command{
		Use:     "run ID|NAME [NAME=VALUE…]",
		GroupID: terminalGroup,
		Short:   "Run a function that was built",
		Long: `Run a function. ID is the one that build printed, or the NAME of a pinned function.

NAME=VALUE sets a variable to a text, which is what Notte's functions expect;
NAME:=JSON sets it to any JSON. The function's log goes to stderr, its result to
stdout as JSON. Ctrl-C stops the run; a second Ctrl-C leaves at once.`,
		Example: `  anything-mcp run d3c31289-f28b-49bd-a340-95e071cfef7e count=3
  anything-mcp run d3c31289-f28b-49bd-a340-95e071cfef7e 'filter:={"max": 3}' > posts.json`,
		RunE: func(cmd *cobra.Command, args []string) error {
			spec, err := readRun(args)
			if err != nil {
				return err
			}
			return p.withJobs(store, limitFlags{}, func(a *app) error {
				if err := a.check(cmd.Context(), &spec); err != nil {
					return err
				}
				return p.watch(cmd.Context(), a, "Running "+spec.FunctionID, spec, json, nil)
			})
		},
	}
	addBool(cmd.Flags(), &json, "json", "Print all about the run as JSON, with the fields of the MCP tool.")
	store.add(cmd.Flags())
	return cmd
}

// check checks the variables of a run, whose function may be named by its pin.
func (a *app) check(ctx context.Context, spec *jobs.RunSpec) error {
	spec.Client = a.client
	pin, found, err := a.pinNamed(ctx, spec.FunctionID)
	switch {
	case err != nil:
		return err
	case found:
		spec.FunctionID = pin.FunctionID
		_, spec.Variables, _, err = a.functions.CheckPin(ctx, a.client, pin, spec.Variables)
		return err
	}
	_, _, err = a.functions.Check(ctx, a.client, spec.FunctionID, spec.Variables)
	return err
}

// readRun parses args: a function's ID and its variables.
func readRun(args []string) (jobs.RunSpec, error) {
	if len(args) == 0 {
		return jobs.RunSpec{}, usageErrorf("say which function to run: anything-mcp run ID, with the ID that build printed")
	}
	if !notte.ValidID(args[0]) {
		return jobs.RunSpec{}, usageErrorf("%.140q is not a function's ID: it has letters, digits, - and _, as build printed it", args[0])
	}
	variables, err := parseVariables(args[1:])
	if err != nil {
		return jobs.RunSpec{}, usageErrorf("%w", err)
	}
	return jobs.RunSpec{FunctionID: args[0], Variables: variables}, nil
}

// parseVariables returns NAME=VALUE and NAME:=JSON words as a JSON object, or
// nil for no words.
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
