package cli

import (
	"cmp"
	"errors"
	"fmt"
	"math"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/pflag"

	"github.com/anything-mcp/anything-mcp/text"
)

// helpWidth is the width of the help text beside a flag, in columns. With the longest
// flag a line has 80 columns.
const helpWidth = 46

// finish wraps a flag's help text, adds the flag's variable below it, and lets the
// flag keep aside what it does not take.
func finish(flag *pflag.Flag) {
	flag.Usage = strings.Join(wrap(flag.Usage, helpWidth), "\n") + "\n$" + variable(flag.Name)
	if _, list := flag.Value.(pflag.SliceValue); !list {
		flag.Value = &argument{Value: flag.Value}
	}
}

// argument is the value of a flag on the command line. What it does not take, it keeps
// aside: a wrong value, and a placeholder, which a host may leave there. What follows
// from that depends on who gave it.
type argument struct {
	pflag.Value
	given string
	err   error // why given was not taken; nil: it was
}

var errPlaceholder = errors.New("it is a placeholder, which must be replaced by a value")

func (a *argument) Set(s string) error {
	a.given, a.err = s, errPlaceholder
	if placeholder(s, unexpanded) == "" {
		a.err = a.Value.Set(s)
	}
	return nil
}

// untaken makes the flags whose values were not taken count as not given, and returns
// them.
func untaken(flags *pflag.FlagSet) (all []unread) {
	flags.Visit(func(flag *pflag.Flag) {
		given, ok := flag.Value.(*argument)
		if !ok || given.err == nil {
			return
		}
		flag.Changed = false
		u := notSet(flag, "--"+flag.Name, given.given)
		if given.err != errPlaceholder {
			u.err = given.invalid(flag.Name)
		}
		all = append(all, u)
	})
	return all
}

// invalid returns the error of a value that was not taken.
func (a *argument) invalid(flag string) error {
	return fmt.Errorf("invalid argument %.100q for %q flag: %w", a.given, "--"+flag, a.err)
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
	f.VarPF(boolValue(target, "bool", "true", "false"), name, "", usage).NoOptDefVal = "true"
}

// boolValue takes yes and no in many words, and shows them as the two words given.
func boolValue(target *bool, kind, yes, no string) value {
	set := func(s string) error {
		switch strings.ToLower(s) {
		case "true", "t", "yes", "y", "on", "1", "enabled":
			*target = true
		case "false", "f", "no", "n", "off", "0", "disabled":
			*target = false
		default:
			return errors.New("it must be " + yes + " or " + no)
		}
		return nil
	}
	return value{kind, set, func() string {
		if *target {
			return yes
		}
		return no
	}}
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

// timeValue takes a length of time: 45s, 1m30s, 90d, 2 weeks, or 45 for seconds.
func timeValue(target *time.Duration, byDefault, low, high time.Duration) value {
	*target = byDefault
	return within(target, low, high, "TIME", "a time like 45s or 2m30s,", parseTime, text.Duration)
}

// units are the units of a length of time. Each may also end in s.
var units = map[string]time.Duration{
	"ms": time.Millisecond, "s": time.Second, "sec": time.Second, "second": time.Second,
	"m": time.Minute, "min": time.Minute, "minute": time.Minute, "h": time.Hour, "hr": time.Hour, "hour": time.Hour,
	"d": day, "day": day, "w": 7 * day, "week": 7 * day,
}

var quantity = regexp.MustCompile(`^([0-9]*\.?[0-9]+) *([a-z]+) *`)

func parseTime(s string) (time.Duration, error) {
	s = strings.ToLower(s)
	if _, err := strconv.ParseFloat(s, 64); err == nil {
		s += "s"
	}
	var total float64
	for {
		parts := quantity.FindStringSubmatch(s)
		if parts == nil {
			return 0, errors.New("not a time")
		}
		n, _ := strconv.ParseFloat(parts[1], 64) // infinite if it is too large
		unit := cmp.Or(units[parts[2]], units[strings.TrimSuffix(parts[2], "s")])
		total += n * float64(unit)
		if unit == 0 || total > math.MaxInt64/2 {
			return 0, errors.New("not a time")
		}
		if s = s[len(parts[0]):]; s == "" {
			return time.Duration(math.Round(total)), nil
		}
	}
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
	return within(target, 0, high, kind, "a number", parse, formatNumber)
}

func formatNumber(n float64) string { return strconv.FormatFloat(n, 'f', -1, 64) }

var dollarSign = regexp.MustCompile(`(?i)^(us)? *\$ *|^usd *| *(\$|usd|dollars?)$`)

// dollarsValue takes a sum from 0 to high: 5, $5, or 5 USD.
func dollarsValue(target *float64, high float64) value {
	parse := func(s string) (float64, error) { return strconv.ParseFloat(dollarSign.ReplaceAllString(s, ""), 64) }
	return within(target, 0, high, "USD", "a number", parse, formatNumber)
}

// choiceValue takes one of words. The first is the default; if it is empty, the flag
// is not set by default.
func choiceValue(target *string, words ...string) value {
	*target = words[0]
	set := func(s string) error {
		s = strings.ToLower(s)
		if !slices.Contains(words, s) {
			return errors.New("it must be one of " + strings.TrimPrefix(strings.Join(words, ", "), ", "))
		}
		*target = s
		return nil
	}
	return value{"WORD", set, func() string { return *target }}
}
