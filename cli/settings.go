package cli

import (
	"cmp"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/alecthomas/kong"
)

// The settings that no flag has: a flag's value shows in process lists.
const (
	keyVariable   = "NOTTE_API_KEY"
	tokenVariable = "ANYTHING_MCP_AUTH_TOKEN"
)

// prefix begins the variables that are ours.
const prefix = "ANYTHING_MCP_"

// settings are those of every command. A flag comes before its variable, and
// that before the default.
type settings struct {
	Sandbox      bool     `help:"Use the built-in sandbox: no key, no web, no bill. All results are simulated."`
	SandboxSpeed float64  `hidden:"" default:"1" placeholder:"FACTOR" help:"The sandbox's pace: 10 is ten times as fast, 0 is without pauses."`
	APIURL       string   `name:"api-url" setting:"NOTTE_API_URL" default:"https://api.notte.cc" placeholder:"URL" help:"Notte's Functions API."`
	AnythingURL  string   `setting:"NOTTE_ANYTHING_URL" default:"https://anything.notte.cc" placeholder:"URL" help:"Notte's Anything API."`
	IdleTimeout  duration `default:"5m" placeholder:"TIME" help:"Give a silent stream from Notte up after this long."`
	LogLevel     string   `default:"info" enum:"debug,info,warn,error" placeholder:"LEVEL" help:"debug, info, warn or error."`
	LogFormat    string   `default:"text" enum:"text,json" placeholder:"FORMAT" help:"text or json, on stderr."`
}

// check says what is wrong with settings that are fine one by one.
func (s settings) check() error {
	if !(s.SandboxSpeed >= 0) {
		return errors.New("--sandbox-speed must be 0 or more")
	}
	return s.IdleTimeout.within("--idle-timeout", time.Second, 24*time.Hour)
}

// duration is a length of time as people write it: 45s, 1m30s, or 45 for
// seconds.
type duration time.Duration

// UnmarshalText reads what was typed.
func (d *duration) UnmarshalText(text []byte) error {
	s := strings.TrimSpace(string(text))
	if _, err := strconv.ParseFloat(s, 64); err == nil {
		s += "s"
	}
	parsed, err := time.ParseDuration(s)
	if err != nil {
		return fmt.Errorf("%q is not a length of time: write it like 45s or 2m30s", text)
	}
	*d = duration(parsed)
	return nil
}

func (d duration) within(flag string, low, high time.Duration) error {
	if time.Duration(d) < low || time.Duration(d) > high {
		return fmt.Errorf("%s must be from %s to %s, and it is %s", flag, brief(low), brief(high), brief(time.Duration(d)))
	}
	return nil
}

// brief is d without units that are nought: 1h, not 1h0m0s.
func brief(d time.Duration) string {
	s := d.String()
	for _, zero := range []string{"m0s", "h0m"} {
		if strings.HasSuffix(s, zero) {
			s = s[:len(s)-2]
		}
	}
	return s
}

// environment holds the variables that are set to something, by name. It is
// where kong looks for flags that were not typed.
type environment map[string]string

func newEnvironment(environ []string) environment {
	e := make(environment)
	for _, pair := range environ {
		if name, value, ok := strings.Cut(pair, "="); ok && strings.TrimSpace(value) != "" {
			e[name] = value
		}
	}
	return e
}

// variable names the environment variable of a flag.
func variable(flag *kong.Flag) string {
	return cmp.Or(flag.Tag.Get("setting"), prefix+strings.ToUpper(strings.ReplaceAll(flag.Name, "-", "_")))
}

// Validate makes an environment a kong.Resolver.
func (e environment) Validate(*kong.Application) error { return nil }

// Resolve gives the value of a flag that was not typed.
func (e environment) Resolve(_ *kong.Context, _ *kong.Path, flag *kong.Flag) (any, error) {
	if value, ok := e[variable(flag)]; ok && settable(flag) {
		return value, nil
	}
	return nil, nil
}

// settable reports whether the environment can set a flag: not those that ask
// for another command.
func settable(flag *kong.Flag) bool { return flag.Name != "help" && flag.Name != "version" }

// blame puts the variable in the place of the flag in an error about a value
// that came from the environment, not from args.
func (e environment) blame(err error, args []string) error {
	text := err.Error()
	flag := text
	if end := strings.IndexAny(text, " :"); end >= 0 {
		flag = text[:end]
	}
	typed := func(arg string) bool { return arg == flag || strings.HasPrefix(arg, flag+"=") }
	name := strings.ToUpper(strings.ReplaceAll(strings.TrimPrefix(flag, "--"), "-", "_"))
	if !strings.HasPrefix(flag, "--") || slices.ContainsFunc(args, typed) {
		return err
	}
	for _, variable := range []string{prefix + name, "NOTTE_" + name} {
		if _, ok := e[variable]; ok {
			return errors.New(variable + strings.TrimPrefix(text, flag))
		}
	}
	return err
}

// warn tells of variables of ours that no flag knows: they are misspelt.
func (e environment) warn(app *kong.Application, log *slog.Logger) {
	known := map[string]bool{tokenVariable: true}
	for _, node := range append([]*kong.Node{app.Node}, app.Children...) {
		for _, flag := range node.Flags {
			known[variable(flag)] = settable(flag)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(e)) {
		if strings.HasPrefix(name, prefix) && !known[name] {
			log.Warn("a variable is set that means nothing here: it may be misspelt", "variable", name)
		}
	}
}
