package cli

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"runtime"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/anything-mcp/anything-mcp/functions"
	"github.com/anything-mcp/anything-mcp/notte"
	"github.com/anything-mcp/anything-mcp/text"
	"github.com/anything-mcp/anything-mcp/tools"
)

// pinsValue is the value of --pin: ID or ID=NAME, several times or separated by commas.
type pinsValue struct {
	pins  []tools.SetPin
	given []string
}

var _ pflag.SliceValue = (*pinsValue)(nil)

func (v *pinsValue) Type() string       { return "ID" }
func (v *pinsValue) String() string     { return strings.Join(v.given, ",") }
func (v *pinsValue) GetSlice() []string { return v.given }

func (v *pinsValue) Set(s string) error {
	for word := range strings.SplitSeq(s, ",") {
		if err := v.Append(strings.TrimSpace(word)); err != nil {
			return err
		}
	}
	return nil
}

func (v *pinsValue) Replace(words []string) error {
	var all pinsValue
	for _, word := range words {
		if err := all.Append(word); err != nil {
			return err
		}
	}
	*v = all
	return nil
}

func (v *pinsValue) Append(word string) error {
	id, name, named := strings.Cut(word, "=")
	switch {
	case !notte.ValidID(id):
		return fmt.Errorf("%.100q is not a function's ID: write ID or ID=NAME", id)
	case named && !functions.IsPinName(name):
		return fmt.Errorf("%.100q is not the name of a pin: it has 3 to 40 lower-case letters, digits and _, and begins with a letter", name)
	}
	v.pins, v.given = append(v.pins, tools.SetPin{FunctionID: id, Name: name}), append(v.given, word)
	return nil
}

func addMaxPins(f *pflag.FlagSet, target *int) {
	f.Var(countValue(target, functions.DefaultMaxPins, 1, 100), "max-pins", "How many functions may be pinned.")
}

// pinFlags are the settings of the commands for pins.
type pinFlags struct {
	name, description string
	fixed             []string
	dryRun, json      bool
	maxPins           int
	store             storeFlags
}

func (p *program) pinsCommand() *cobra.Command {
	var flags pinFlags
	cmd := &cobra.Command{
		Use:     "pins",
		GroupID: terminalGroup,
		Short:   "List the functions that are tools of their own",
		Long: `List the pinned functions: each is a tool of its own in the MCP servers of this
account. STATE is ok, changed if the function takes other variables now, or gone.`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return p.withJobs(flags.store, limitFlags{}, func(a *app) error { return p.listPins(cmd.Context(), a, flags.json) })
		},
	}
	addBool(cmd.Flags(), &flags.json, "json", "Print JSON.")
	flags.store.add(cmd.Flags())
	return cmd
}

func (p *program) pinCommand() *cobra.Command {
	var flags pinFlags
	cmd := &cobra.Command{
		Use:     "pin ID",
		GroupID: terminalGroup,
		Short:   "Make a function a tool of its own",
		Long: `Make a function of the account a tool of its own in every MCP server of this
account. What the tool says and takes stays as it is until the function is pinned
again. Servers that run list it within two seconds. Some hosts show it only after
a restart.`,
		Example: `  anything-mcp pin d3c31289-f28b-49bd-a340-95e071cfef7e --name top_posts
  anything-mcp pin d3c31289-f28b-49bd-a340-95e071cfef7e --fixed count=3 --dry-run`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return p.withJobs(flags.store, limitFlags{}, func(a *app) error { return p.pin(cmd.Context(), a, args[0], flags) })
		},
	}
	f := cmd.Flags()
	f.StringVar(&flags.name, "name", "", "The tool's `NAME`. Default: one like the function's.")
	f.StringVar(&flags.description, "description", "", "What the tool does, in `TEXT` for a model.")
	f.StringArrayVar(&flags.fixed, "fixed", nil, "Hide a variable and set it: `NAME=VALUE` or NAME:=JSON; may be repeated.")
	addBool(f, &flags.dryRun, "dry-run", "Show the tool, and pin nothing.")
	addBool(f, &flags.json, "json", "Print JSON with the fields of the MCP tool.")
	addMaxPins(f, &flags.maxPins)
	flags.store.add(f)
	return cmd
}

func (p *program) unpinCommand() *cobra.Command {
	var flags pinFlags
	cmd := &cobra.Command{
		Use:     "unpin NAME",
		GroupID: terminalGroup,
		Short:   "Take a pinned function's tool away",
		Long:    "Take a tool away that pin made. The function itself stays.",
		Args:    cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return p.withJobs(flags.store, limitFlags{}, func(a *app) error { return p.unpin(cmd.Context(), a, args[0], flags.json) })
		},
	}
	addBool(cmd.Flags(), &flags.json, "json", "Print the names that were unpinned as JSON.")
	flags.store.add(cmd.Flags())
	return cmd
}

// toolConfig returns what the tools need to describe and pin functions.
func (a *app) toolConfig() tools.Config {
	return tools.Config{Jobs: a.jobs, Functions: a.functions, Logger: a.log, Sandbox: a.simulated}
}

// pinNamed returns the pin of a name, if there is one.
func (a *app) pinNamed(ctx context.Context, name string) (functions.Pin, bool, error) {
	if !functions.IsPinName(name) {
		return functions.Pin{}, false, nil
	}
	pins, err := a.functions.Pins(ctx, a.client)
	i := slices.IndexFunc(pins, func(pin functions.Pin) bool { return pin.Name == name })
	if err != nil || i < 0 {
		return functions.Pin{}, false, err
	}
	return pins[i], true, nil
}

func (p *program) listPins(ctx context.Context, a *app, asJSON bool) error {
	pins, err := a.functions.Pins(ctx, a.client)
	if err != nil {
		return err
	}
	if asJSON {
		return p.printJSON(tools.PinsJSON(pins))
	}
	rows := [][]string{{"NAME", "STATE", "TAKES", "FIXED", "USED", "FUNCTION"}}
	for _, pin := range pins {
		takes := functions.Function{Variables: pin.Shown()}.Signature()
		fixed := strings.Join(slices.Sorted(maps.Keys(pin.Fixed)), ", ")
		rows = append(rows, []string{pin.Name, string(pin.State), cmp.Or(text.OneLine(takes, 60), "-"), cmp.Or(fixed, "-"), localTime(pin.UsedAt), pin.FunctionID})
	}
	return p.print(table(rows))
}

func (p *program) pin(ctx context.Context, a *app, id string, flags pinFlags) error {
	fixed, err := parseVariables(flags.fixed)
	if err != nil {
		return usageErrorf("%w", err)
	}
	cfg := a.toolConfig()
	cfg.Pins.Most = flags.maxPins
	made, err := tools.Pin(ctx, cfg, a.client, tools.PinInput{FunctionID: id, Name: flags.name, Description: flags.description, Fixed: fixed}, flags.dryRun)
	if err != nil {
		return err
	}
	if flags.json {
		return p.printJSON(text.JSON(made))
	}
	page := p.newPage()
	page.row("Tool", made.PinnedAs)
	page.row("Says", made.Tool.Description)
	page.row("Takes", string(made.Tool.RawInputSchema))
	for _, warning := range made.Warnings {
		page.row("Note", warning)
	}
	if flags.dryRun {
		page.row("Note", "Nothing was pinned, because of --dry-run.")
	} else {
		page.line("Take away", shellLine(append(append([]string{p.name, "unpin"}, p.keptWords(a)...), made.PinnedAs), runtime.GOOS))
	}
	return p.print(page.text.String())
}

func (p *program) unpin(ctx context.Context, a *app, name string, asJSON bool) error {
	names, err := a.functions.Unpin(ctx, a.client, name)
	if err != nil {
		return err
	}
	if names == nil {
		return fmt.Errorf("nothing is pinned as %.100q: see the names with anything-mcp pins", name)
	}
	if asJSON {
		return p.printJSON(json.Marshal(names))
	}
	return p.print("Unpinned " + strings.Join(names, ", ") + ".\n")
}
