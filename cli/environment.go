package cli

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// The settings without a flag, because a flag's value shows in process lists.
const (
	keyVariable   = "NOTTE_API_KEY"
	tokenVariable = "ANYTHING_MCP_AUTH_TOKEN"
)

// prefix begins the names of our own variables.
const prefix = "ANYTHING_MCP_"

// environment holds the variables that are not blank, by name. On Windows names are
// in upper case, because Windows ignores their case.
type environment map[string]string

func newEnvironment(environ []string, goos string) environment {
	e := make(environment)
	for _, pair := range environ {
		name, value, ok := strings.Cut(pair, "=")
		if goos == "windows" {
			name = strings.ToUpper(name)
		}
		if ok && strings.TrimSpace(value) != "" {
			e[name] = value
		}
	}
	return e
}

// variable returns the environment variable of a flag, or "" for a flag that
// has none.
func variable(flag *pflag.Flag) string {
	name := strings.ToUpper(strings.ReplaceAll(flag.Name, "-", "_"))
	switch flag.Name {
	case "help":
		return ""
	case "api-url", "anything-url":
		return "NOTTE_" + name
	}
	return prefix + name
}

// set sets the flags that were not typed from their variables.
func (e environment) set(flags *pflag.FlagSet) (err error) {
	flags.VisitAll(func(flag *pflag.Flag) {
		name := variable(flag)
		value, ok := e[name]
		if !ok || flag.Changed || err != nil {
			return
		}
		if cause := flag.Value.Set(value); cause != nil {
			err = fmt.Errorf("invalid value %.100q for %s: %w", value, name, cause)
		}
	})
	return err
}

// unknown returns the variables with our prefix that no command reads.
func (e environment) unknown(root *cobra.Command) []string {
	known := map[string]bool{tokenVariable: true}
	know := func(flag *pflag.Flag) { known[variable(flag)] = true }
	root.PersistentFlags().VisitAll(know)
	for _, command := range root.Commands() {
		command.Flags().VisitAll(know)
	}
	var names []string
	for _, name := range slices.Sorted(maps.Keys(e)) {
		if strings.HasPrefix(name, prefix) && !known[name] {
			names = append(names, name)
		}
	}
	return names
}
