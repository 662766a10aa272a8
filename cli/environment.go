package cli

import (
	"fmt"
	"maps"
	"runtime"
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

func isSecret(name string) bool { return name == keyVariable || name == tokenVariable }

// The beginnings of the names of our variables.
const (
	prefix      = "ANYTHING_MCP_"
	nottePrefix = "NOTTE_"
)

// environment holds variables by name: ours with clean values, which may be empty,
// and others that are not blank. On Windows names are in upper case, because Windows
// ignores their case.
type environment map[string]string

func newEnvironment(environ []string, goos string) environment {
	e := make(environment)
	for _, pair := range environ {
		name, value, ok := strings.Cut(pair, "=")
		if goos == "windows" {
			name = strings.ToUpper(name)
		}
		switch {
		case !ok || name == "": // Windows keeps directories in variables without a name
		case strings.HasPrefix(name, prefix), strings.HasPrefix(name, nottePrefix):
			e[name] = clean(name, value, goos)
		case strings.TrimSpace(value) != "":
			e[name] = value
		}
	}
	return e
}

// variable returns the environment variable of the flag with this name, or "" for a
// flag that has none.
func variable(flag string) string {
	name := strings.ToUpper(strings.ReplaceAll(flag, "-", "_"))
	switch flag {
	case "help":
		return ""
	case "api-url", "anything-url":
		return nottePrefix + name
	}
	return prefix + name
}

// secret returns the key or token in the variable called name, or "" if there is
// none. A placeholder is an error, which does not repeat it.
func (e environment) secret(name string) (string, error) {
	shown := notSecret(name, e[name])
	if shown == "" {
		return e[name], nil
	}
	remedy := "set it to the token itself, or remove it"
	if name == keyVariable {
		remedy = "set it to the key itself, from https://console.notte.cc"
	}
	return "", fmt.Errorf("%s holds a placeholder (%s), which the host or shell passed on as it stands: %s", name, shown, remedy)
}

// notSecret returns how to show a value that is not the secret called name, because it is
// a placeholder, and "" if it may be the secret.
func notSecret(name, value string) string {
	if shown := placeholder(value, fillIns); shown != "" || !strings.Contains(strings.ToUpper(value), name) {
		return shown
	}
	return "the name of a variable"
}

// unread is a flag or variable whose value is not taken.
type unread struct {
	flag  *pflag.Flag
	name  string // of the variable, or of the flag with its dashes
	value string
	err   error // nil: the value is empty or a placeholder
}

// notSet returns that a value is empty or a placeholder. A placeholder for one of the
// guards is an error, which shows it unless it may hold the password of a URL.
func notSet(flag *pflag.Flag, name, value string) unread {
	u := unread{flag: flag, name: name, value: value}
	if value != "" && slices.Contains(guards, flag.Name) {
		if strings.Contains(value, "@") {
			value = placeholder(value, unexpanded)
		}
		u.err = fmt.Errorf("%s holds a placeholder (%.100s), which the host or shell passed on as it stands: set it to a value, or remove it", name, value)
	}
	return u
}

// set sets the flags that were not typed from their variables, and returns the
// variables that it could not use.
func (e environment) set(flags *pflag.FlagSet) (failed []unread) {
	flags.VisitAll(func(flag *pflag.Flag) {
		name := variable(flag.Name)
		value, ok := e[name]
		switch {
		case !ok || flag.Changed:
		case value == "" || placeholder(value, unexpanded) != "":
			failed = append(failed, notSet(flag, name, value))
		default:
			if err := setFlag(flag, value); err != nil {
				failed = append(failed, unread{flag, name, value, fmt.Errorf("invalid value %.100q for %s: %w", value, name, err)})
			}
		}
	})
	return failed
}

// setFlag sets a flag from a clean value. The parts of a list are cleaned too.
func setFlag(flag *pflag.Flag, value string) error {
	if typed, ok := flag.Value.(*argument); ok {
		return typed.Value.Set(value)
	}
	list, ok := flag.Value.(pflag.SliceValue)
	if !ok {
		return flag.Value.Set(value)
	}
	var parts []string
	for part := range strings.SplitSeq(value, ",") {
		if part = clean(variable(flag.Name), part, runtime.GOOS); part != "" {
			parts = append(parts, part)
		}
	}
	return list.Replace(parts)
}

// unknown returns the variables with our prefix that no command reads.
func (e environment) unknown(root *cobra.Command) []string {
	known := map[string]bool{tokenVariable: true}
	know := func(flag *pflag.Flag) { known[variable(flag.Name)] = true }
	root.PersistentFlags().VisitAll(know)
	for _, command := range root.Commands() {
		command.Flags().VisitAll(know)
	}
	var names []string
	for _, name := range slices.Sorted(maps.Keys(e)) {
		if strings.HasPrefix(name, prefix) && e[name] != "" && !known[name] {
			names = append(names, name)
		}
	}
	return names
}
