package cli

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// startedByHost reports whether an MCP host has started cmd, and not a person.
func (p *program) startedByHost(cmd *cobra.Command) bool {
	return (cmd == cmd.Root() || cmd.Name() == "stdio") && !isTerminal(p.env.Stdin)
}

// serveMisread serves a host whose command line for cmd cannot be read, so that calls
// tell its user what is wrong.
func (p *program) serveMisread(cmd *cobra.Command, err error) error {
	p.faults = append(p.faults, err)
	if err := p.prepare(cmd, nil); err != nil {
		return err
	}
	return cmd.RunE(cmd, nil)
}

// mayBeHosts reports whether a command line that cannot be read may be a host's. A
// person who means another command gives more words, or asks for help.
func mayBeHosts(args []string) bool {
	if slices.Contains(args, "--help") {
		return false
	}
	words := slices.DeleteFunc(slices.Clone(args), func(arg string) bool { return strings.HasPrefix(arg, "-") })
	return len(words) <= 1 || words[0] == "stdio"
}

// misread returns the error of a command line that cmd cannot read in words that repeat
// no value, which may be a secret, with what may have been meant.
func misread(err error, cmd *cobra.Command) error {
	message, given := err.Error(), ""
	unknown, isFlag := errors.AsType[*pflag.NotExistError](err)
	switch n, _ := fmt.Sscanf(message, "unknown command %q", &given); {
	case isFlag && unknown.GetSpecifiedShortnames() != "": // such as -sandbox
		given = "-" + unknown.GetSpecifiedShortnames()
		message = "unknown flag: " + withoutValue(given)
	case isFlag:
		given = "--" + unknown.GetSpecifiedName()
		message = "unknown flag: " + withoutValue(given)
	case n == 1:
		message = fmt.Sprintf("unknown command %q for %q", withoutValue(given), cmd.CommandPath())
	default:
		return err
	}
	if names := similar(given, cmd); len(names) > 0 {
		message += " (did you mean " + strings.Join(names, " or ") + "?)"
	}
	return errors.New(message)
}

// similar returns the commands below cmd, if there are any and no flag was given, or the
// flags of cmd that are spelt like an argument.
func similar(given string, cmd *cobra.Command) []string {
	if !strings.HasPrefix(given, "-") && cmd.HasSubCommands() {
		cmd.SuggestionsMinimumDistance = 2
		return cmd.SuggestionsFor(given)
	}
	flags := cobra.Command{SuggestionsMinimumDistance: 2} // cobra suggests only commands
	cmd.Flags().VisitAll(func(flag *pflag.Flag) {
		flags.AddCommand(&cobra.Command{Use: flag.Name, Run: func(*cobra.Command, []string) {}})
	})
	given, _, _ = strings.Cut(strings.TrimLeft(given, "-"), "=")
	names := flags.SuggestionsFor(given)
	for i, name := range names {
		names[i] = "--" + name
	}
	return names
}

// withoutValue returns an argument without what may be a secret in it: the value behind
// its name, or a word that is long or has digits, as keys are.
func withoutValue(arg string) string {
	name, _, valued := strings.Cut(arg, "=")
	switch {
	case len(name) > 30 || strings.ContainsAny(name, "0123456789"):
		return fmt.Sprintf("%.4s…", name)
	case valued:
		return name + "=…"
	}
	return name
}
