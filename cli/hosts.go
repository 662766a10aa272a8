package cli

import (
	"cmp"
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/anything-mcp/anything-mcp/install"
	"github.com/anything-mcp/anything-mcp/tools"
)

// hostEnv returns where the files of hosts are.
func (p *program) hostEnv(project bool) (install.Env, error) {
	env := install.Env{GOOS: runtime.GOOS, Home: p.vars.home(), Vars: p.vars}
	if env.Home == "" {
		return env, errors.New("this user has no home directory, where the files of hosts are: set HOME")
	}
	// The copies may hold the secrets of other servers, so they are kept below the home
	// whatever the settings for other state are.
	vars := environment{"HOME": env.Home}
	if data := p.vars["LOCALAPPDATA"]; strings.HasPrefix(data, env.Home) {
		vars["LOCALAPPDATA"] = data
	}
	state, err := stateDir(vars, runtime.GOOS)
	if err == nil && project {
		env.Project, err = os.Getwd()
	}
	env.Backups = filepath.Join(state, "backups")
	return env, err
}

// chooseHosts returns the hosts that the command line names, and checks that their files
// can have what it asks for.
func chooseHosts(env install.Env, args []string, flags hostFlags) ([]*install.Host, error) {
	if flags.all && len(args) > 0 {
		return nil, usageErrorf("name the hosts or use --all, not both")
	}
	var chosen []*install.Host
	for _, h := range install.Hosts() {
		able := (!flags.project || h.HasProject()) && (flags.url == "" || h.HasURL())
		switch named := slices.Contains(args, h.Name); {
		case named && flags.project && !h.HasProject():
			return nil, usageErrorf("%s has no file in a project: leave out --project", h.Title)
		case named && !able:
			return nil, usageErrorf("the file of %s takes no URL: leave out --http", h.Title)
		case named, flags.all && able && h.Find(env, entryName).Here:
			chosen = append(chosen, h)
		}
	}
	for _, name := range args {
		if !slices.Contains(install.Names(), name) {
			return nil, usageErrorf("no host has the name %.100q: the names are %s", name, strings.Join(install.Names(), ", "))
		}
	}
	return chosen, nil
}

// hostServer returns what hosts are told about this server.
func (p *program) hostServer(cmd *cobra.Command, flags hostFlags) (install.Server, error) {
	s := install.Server{Name: entryName, URL: flags.url, CallTime: tools.MaxWait + time.Minute}
	if flags.keyInConfig && flags.project {
		return s, usageErrorf("--key-in-config with --project would put the key into a file that others may see: leave out one of them")
	}
	if s.URL != "" {
		return s, p.addToken(&s, flags)
	}
	exe, err := os.Executable()
	if err != nil {
		return s, fmt.Errorf("finding the file of this program: %w", err)
	}
	s.Command = install.Command(exe, p.name, filepath.SplitList(p.vars["PATH"]))
	if path := filepath.ToSlash(s.Command); strings.Contains(path, "/_npx/") || strings.Contains(path, "/go-build") {
		p.log.Warn("this program is in a folder for temporary files, from which it may vanish: it is better to install it, and to run this again",
			"program", s.Command)
	}
	s.Args = append([]string{"stdio"}, p.typedSettings(cmd.InheritedFlags())...)
	if s.Settings, err = p.settingsFor(cmd.Root()); err != nil || p.settings.sandbox {
		return s, err
	}
	s.KeyName = keyVariable
	if flags.keyInConfig {
		s.Key, err = p.writtenSecret(keyVariable)
		return s, err
	}
	key, _ := p.keyPlaces().Find(cmd.Context())
	s.KeyFound = key.Value != "" || p.settings.keyFile != "" || p.settings.keyCommand != ""
	return s, nil
}

// keyHint says what a user still has to do about the key, or "".
func (p *program) keyHint(s install.Server) string {
	switch {
	case s.KeyName == "", s.Key != "", s.KeyFound:
		return ""
	case p.vars[keyVariable] != "":
		return "The key is in " + keyVariable + " here. A host that is not started from this shell does not get it: anything-mcp login keeps it where every host's server finds it.\n"
	}
	return "There is no key yet: anything-mcp login keeps one where the server finds it.\n"
}

// addToken tells hosts about the token of a server that runs already, if it has one.
func (p *program) addToken(s *install.Server, flags hostFlags) error {
	u, err := url.Parse(s.URL)
	switch {
	case err == nil && u.User != nil:
		return usageErrorf("--http takes no password in the URL: set %s to the token of the server", tokenVariable)
	case err != nil, u.Scheme != "http" && u.Scheme != "https", u.Host == "":
		return usageErrorf("--http %.200q is not the URL of a server: write it like http://127.0.0.1:8808/mcp", s.URL)
	}
	if p.vars[tokenVariable] == "" {
		return nil
	}
	s.TokenName = tokenVariable
	if flags.keyInConfig {
		s.Token, err = p.writtenSecret(tokenVariable)
	}
	return err
}

// writtenSecret returns a secret that --key-in-config writes.
func (p *program) writtenSecret(name string) (string, error) {
	secret, err := p.vars.secret(name)
	switch {
	case err != nil:
		return "", usageErrorf("%w", err)
	case secret == "":
		return "", usageErrorf("--key-in-config writes what is in %s, which is not set", name)
	}
	return secret, nil
}

// typedSettings returns flags as they were typed. The sandbox counts as typed wherever it
// is set: without it, builds are billed.
func (p *program) typedSettings(flags *pflag.FlagSet) []string {
	var args []string
	flags.VisitAll(func(flag *pflag.Flag) {
		switch {
		case flag.Name == "sandbox":
			if p.settings.sandbox {
				args = append(args, "--sandbox")
			}
		case flag.Changed:
			args = append(args, "--"+flag.Name+"="+flag.Value.String())
		}
	})
	return args
}

// settingsFor returns the variables with which the command stdio would run here as
// otherwise it would not.
func (p *program) settingsFor(root *cobra.Command) (settings []install.Setting, err error) {
	stdio, _, err := root.Find([]string{"stdio"})
	if err != nil {
		return nil, err
	}
	add := func(name, value string) {
		settings = append(settings, install.Setting{Name: name, Value: value})
	}
	dir, err := p.keptIn(p.vars[variable("state-dir")])
	if usual, _ := usualStateDir(p.vars, runtime.GOOS); err == nil && dir != usual {
		add(variable("state-dir"), cmp.Or(dir, inMemory))
	}
	flags := stdio.Flags()
	flags.AddFlagSet(stdio.InheritedFlags())
	p.vars.set(flags)
	flags.VisitAll(func(flag *pflag.Flag) {
		name := variable(flag.Name)
		if p.vars[name] != "" && !flag.Changed && flag.Value.String() != flag.DefValue && flag.Name != "state-dir" && flag.Name != "sandbox" {
			add(name, flag.Value.String())
		}
	})
	for _, name := range passedOn {
		if name, value := p.vars.firstOf(name); name != "" {
			if u, err := url.Parse(value); err == nil && u.User != nil {
				p.log.Warn("the variable is not written, because it holds a password: set it where the host starts", "variable", name)
				continue
			}
			add(name, value)
		}
	}
	return settings, err
}

// assigned is a secret in a command line, where some people put it.
var assigned = sync.OnceValue(func() *regexp.Regexp {
	return regexp.MustCompile(`\b(` + keyVariable + `|` + tokenVariable + `)=["']?[^\s"',]+`)
})

// withoutAssigned returns what the file of a host has without secrets.
func withoutAssigned(text string) string { return assigned().ReplaceAllString(text, "$1=…") }

// passedOn are the variables of other programs that the server heeds.
var passedOn = []string{"HTTPS_PROXY", "HTTP_PROXY", "ALL_PROXY", "NO_PROXY", "SSL_CERT_FILE", "SSL_CERT_DIR"}
