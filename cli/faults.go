package cli

import (
	"errors"
	"slices"
	"strings"
)

// tellUnread logs that a value was not taken, or has calls tell it, if the default may
// not take its place.
func (p *program) tellUnread(f unread) {
	switch {
	case f.err == nil && f.value == "":
		if p.serves { // in a shell that is how to unset a variable for one command
			p.log.Warn("the variable counts as not set: it is empty", "variable", f.name)
		}
	case f.err == nil && strings.HasPrefix(f.name, "--"):
		p.log.Warn("the flag counts as not given: its value is a placeholder, which the host passed on as it stands", "flag", f.name)
	case f.err == nil:
		p.log.Warn("the variable counts as not set: it holds a placeholder, which the host or shell passed on as it stands",
			"variable", f.name, "value", f.value)
	case slices.Contains(harmless, f.flag.Name):
		p.log.Warn("the default is used", "default", f.flag.DefValue, "err", f.err)
	default:
		p.faults = append(p.faults, f.err)
	}
}

// report returns nil if calls of the server will tell err, about the flag or variable
// called setting, and otherwise the error that ends the command. A host gets to read
// only what calls answer. Every server starts with a wrong key, as it does without one.
func (p *program) report(setting string, err error) error {
	switch {
	case err == nil:
		return nil
	case !p.serves, !p.hosted && setting != keyVariable:
		return usageErrorf("%w", err)
	case !slices.ContainsFunc(p.faults, func(told error) bool { return told.Error() == err.Error() }): // each client tells a wrong URL
		p.faults = append(p.faults, err)
	}
	return nil
}

// unfit returns what is wrong with the settings, for the model that calls a tool and
// its user, or nil.
func (p *program) unfit() error {
	if len(p.faults) == 0 {
		return nil
	}
	return p.unusable(p.faults...)
}

// What begins and ends the error of a call while settings cannot be used.
const (
	startsNothing = "This MCP server starts nothing until its settings are corrected: "
	howToCorrect  = ". The user can correct them where the server is configured, and must then restart it."
)

// unusable returns the error of a call while settings cannot be used.
func (p *program) unusable(faults ...error) error {
	var all []string
	for _, fault := range faults {
		all = append(all, fault.Error())
	}
	return errors.New(startsNothing + p.secrets.Redact(strings.Join(all, "; ")) + howToCorrect)
}

// typed reports whether a flag was given on the command line.
func (p *program) typed(flag string) bool { return p.flags.Changed(flag) }

// source returns the name by which the user set a flag, or can set it: its own if it
// was typed, otherwise that of its variable.
func (p *program) source(flag string) string {
	if p.typed(flag) {
		return "--" + flag
	}
	return variable(flag)
}
