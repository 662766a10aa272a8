package cli

import (
	"slices"
	"testing"
	"time"

	"github.com/spf13/pflag"
)

// Values in the ways in which people write them. The last column is what the flag then
// shows; an empty one means that the value is refused.
func TestValues(t *testing.T) {
	var (
		length  time.Duration
		yes     bool
		dollars float64
		count   int
		word    string
	)
	kinds := map[string]value{
		"time":    timeValue(&length, 0, 0, 36500*day),
		"switch":  boolValue(&yes, "bool", "true", "false"),
		"dollars": dollarsValue(&dollars, 1e9),
		"count":   countValue(&count, 0, 0, many),
		"word":    choiceValue(&word, "info", "debug"),
	}
	for _, test := range []struct{ kind, value, want string }{
		{"time", "45", "45s"}, {"time", "45s", "45s"}, {"time", "45S", "45s"}, {"time", "1m30s", "1m30s"}, {"time", "0.5h", "30m"}, {"time", ".5h", "30m"},
		{"time", "500ms", "0.5s"}, {"time", "45 s", "45s"}, {"time", "45 sec", "45s"}, {"time", "5min", "5m"}, {"time", "5 Minutes", "5m"}, {"time", "1 hour 30 min", "1h30m"},
		{"time", "1h 30m", "1h30m"}, {"time", "1d", "24h"}, {"time", "90d", "2160h"}, {"time", "90 days", "2160h"}, {"time", "2w", "336h"}, {"time", "2 weeks", "336h"}, {"time", "1d12h", "36h"}, {"time", "0", "0s"},
		{"time", "soon", ""}, {"time", "1h30", ""}, {"time", "d", ""}, {"time", "5x", ""}, {"time", "-1s", ""}, {"time", "-1d", ""}, {"time", "1e3", ""}, {"time", "36501d", ""},
		{"time", "99999999999999999999d", ""}, {"time", "NaN", ""}, {"time", "inf", ""}, {"time", "5s x", ""}, {"time", "1,5h", ""}, {"time", "for ever", ""},
		{"switch", "true", "true"}, {"switch", "TRUE", "true"}, {"switch", "on", "true"}, {"switch", "ON", "true"}, {"switch", "Yes", "true"}, {"switch", "y", "true"}, {"switch", "1", "true"}, {"switch", "enabled", "true"},
		{"switch", "false", "false"}, {"switch", "Off", "false"}, {"switch", "NO", "false"}, {"switch", "n", "false"}, {"switch", "0", "false"}, {"switch", "disabled", "false"},
		{"switch", "perhaps", ""}, {"switch", "2", ""}, {"switch", "truee", ""},
		{"dollars", "5", "5"}, {"dollars", "$5", "5"}, {"dollars", "$ 5.50", "5.5"}, {"dollars", "5$", "5"}, {"dollars", "5 USD", "5"}, {"dollars", "5usd", "5"}, {"dollars", "USD 5", "5"}, {"dollars", "US$5", "5"}, {"dollars", "5 dollars", "5"}, {"dollars", "0", "0"},
		{"dollars", "five", ""}, {"dollars", "-5", ""}, {"dollars", "$-5", ""}, {"dollars", "€5", ""}, {"dollars", "5 EUR", ""}, {"dollars", "5,50", ""}, {"dollars", "1,000", ""}, {"dollars", "NaN", ""}, {"dollars", "Inf", ""}, {"dollars", "$", ""}, {"dollars", "5x", ""}, {"dollars", "5 5", ""}, {"dollars", "1e10", ""},
		{"count", "4", "4"}, {"count", " 4 ", "4"}, {"count", "4.5", ""}, {"count", "-1", ""}, {"count", "many", ""}, {"count", "99999999999999999999", ""},
		{"word", "DEBUG", "debug"}, {"word", "Info", "info"}, {"word", "loud", ""}, {"word", "", ""},
	} {
		v := kinds[test.kind]
		before := v.String()
		switch err := v.Set(test.value); {
		case err != nil && test.want != "":
			t.Errorf("the %s %q is refused: %v", test.kind, test.value, err)
		case err == nil && v.String() != test.want:
			t.Errorf("the %s %q is read as %s, want %q", test.kind, test.value, v, test.want)
		case err != nil && v.String() != before:
			t.Errorf("the %s %q is refused, and changes %s to %s", test.kind, test.value, before, v)
		}
	}
}

// harmless names existing flags only, and none that guards money or access.
func TestHarmless(t *testing.T) {
	flags := map[string]*pflag.Flag{}
	root := newProgram(Env{}).rootCommand()
	know := func(f *pflag.Flag) { flags[f.Name] = f }
	root.PersistentFlags().VisitAll(know)
	for _, command := range root.Commands() {
		command.Flags().VisitAll(know)
	}
	for _, name := range harmless {
		if flags[name] == nil {
			t.Errorf("no flag is called %s", name)
		}
	}
	for _, name := range []string{"sandbox", "api-url", "anything-url", "daily-budget", "max-concurrent-builds", "max-calls", "build-timeout", "reuse-window", "state-dir", "keep", "allow-host", "allow-origin"} {
		if flags[name] == nil || slices.Contains(harmless, name) {
			t.Errorf("%s counts as harmless, or is no flag", name)
		}
	}
}

// The parts of a list in a variable are cleaned one by one.
func TestListInAVariable(t *testing.T) {
	for value, want := range map[string]string{
		"a.example,b.example":         "[a.example,b.example]",
		" a.example , b.example, ":    "[a.example,b.example]",
		`"a.example", "b.example"`:    "[a.example,b.example]",
		`"a.example,b.example"`:       "[a.example,b.example]",
		"${user_config.hosts}":        "[]",
		"'*.example.com'":             "[*.example.com]",
		"ANYTHING_MCP_ALLOW_HOST=a.b": "[a.b]",
	} {
		if got := parse(t, []string{"http"}, "ANYTHING_MCP_ALLOW_HOST="+value)["allow-host"]; got != want {
			t.Errorf("%s is read as %s, want %s", value, got, want)
		}
	}
}
