package cli

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/anything-mcp/anything-mcp/text"
)

// helpWidth is the width of the help text beside a flag, in columns. With the longest
// flag a line has 80 columns.
const helpWidth = 46

// describe wraps a flag's help text and adds the flag's variable below it.
func describe(flag *pflag.Flag) {
	flag.Usage = strings.Join(wrap(flag.Usage, helpWidth), "\n") + "\n$" + variable(flag)
}

// withSuggestions adds to err the flags of cmd that an unknown flag may mean.
func withSuggestions(err error, cmd *cobra.Command) error {
	unknown, ok := errors.AsType[*pflag.NotExistError](err)
	if !ok {
		return err
	}
	flags := cobra.Command{SuggestionsMinimumDistance: 2} // cobra suggests only commands
	cmd.Flags().VisitAll(func(flag *pflag.Flag) {
		flags.AddCommand(&cobra.Command{Use: flag.Name, Run: func(*cobra.Command, []string) {}})
	})
	if names := flags.SuggestionsFor(unknown.GetSpecifiedName()); len(names) > 0 {
		return fmt.Errorf("%w, did you mean --%s?", err, strings.Join(names, " or --"))
	}
	return err
}

// value is the value of a flag that is checked when it is set. It implements
// [pflag.Value].
type value struct {
	kind string // the value's name in the help
	set  func(string) error
	get  func() string
}

func (v value) Set(s string) error { return v.set(strings.TrimSpace(s)) }
func (v value) String() string     { return v.get() }
func (v value) Type() string       { return v.kind }

// addBool adds a switch to f, which is off by default.
func addBool(f *pflag.FlagSet, target *bool, name, usage string) {
	set := func(s string) error {
		b, err := strconv.ParseBool(s)
		if err != nil {
			return errors.New("it must be true or false")
		}
		*target = b
		return nil
	}
	f.VarPF(value{"bool", set, func() string { return strconv.FormatBool(*target) }}, name, "", usage).NoOptDefVal = "true"
}

// within returns the value of a flag that must be from low to high.
func within[T cmp.Ordered](target *T, low, high T, kind, what string, parse func(string) (T, error), format func(T) string) value {
	set := func(s string) error {
		v, err := parse(s)
		if err != nil || !(low <= v && v <= high) { // NaN is not within
			return fmt.Errorf("it must be %s from %s to %s", what, format(low), format(high))
		}
		*target = v
		return nil
	}
	return value{kind, set, func() string { return format(*target) }}
}

// timeValue takes a length of time: 45s, 1m30s, or 45 for seconds.
func timeValue(target *time.Duration, byDefault, low, high time.Duration) value {
	*target = byDefault
	return within(target, low, high, "TIME", "a time like 45s or 2m30s,", parseTime, text.Duration)
}

func parseTime(s string) (time.Duration, error) {
	if _, err := strconv.ParseFloat(s, 64); err == nil {
		s += "s"
	}
	return time.ParseDuration(s)
}

// countValue takes a whole number.
func countValue(target *int, byDefault, low, high int) value {
	*target = byDefault
	return within(target, low, high, "N", "a whole number", strconv.Atoi, strconv.Itoa)
}

// numberValue takes a number from 0 to high.
func numberValue(target *float64, byDefault, high float64, kind string) value {
	*target = byDefault
	parse := func(s string) (float64, error) { return strconv.ParseFloat(s, 64) }
	format := func(n float64) string { return strconv.FormatFloat(n, 'f', -1, 64) }
	return within(target, 0, high, kind, "a number", parse, format)
}

// choiceValue takes one of words. The first is the default; if it is empty, the flag
// is not set by default.
func choiceValue(target *string, words ...string) value {
	*target = words[0]
	set := func(s string) error {
		if !slices.Contains(words, s) {
			return errors.New("it must be one of " + strings.TrimPrefix(strings.Join(words, ", "), ", "))
		}
		*target = s
		return nil
	}
	return value{"WORD", set, func() string { return *target }}
}
