package cli

import (
	"cmp"
	"fmt"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/anything-mcp/anything-mcp/install"
	"github.com/anything-mcp/anything-mcp/text"
)

// entryName is the name of our entry in the files of hosts.
const entryName = "anything"

// hostFlags are the settings of the commands that change the files of hosts.
type hostFlags struct {
	all, project, dryRun bool

	// Those of the command install alone.
	url                string
	print, keyInConfig bool
}

func (f *hostFlags) add(flags *pflag.FlagSet) {
	addBool(flags, &f.all, "all", "All hosts that are on this machine.")
	addBool(flags, &f.project, "project", "Change the files of the project in this folder, not those of the user.")
	addBool(flags, &f.dryRun, "dry-run", "Show the changes and make none.")
}

func (p *program) installCommand() *cobra.Command {
	var flags hostFlags
	cmd := &cobra.Command{
		Use:     "install [HOST…]",
		GroupID: setupGroup,
		Short:   "Add this server to MCP hosts, or list those on this machine",
		Long: `Add this server to the configuration of MCP hosts. Without HOST, list the hosts on
this machine. HOST is one of:

` + hostNames() + `

Only our entry changes in a host's file. The change is shown, and a copy of the file
is kept. A file that cannot be read for certain is left alone.

The key is not written: the server finds the one that the command login keeps, or a
host hands ` + keyVariable + ` down. With --sandbox it needs none. Other settings that
are in the environment now, or typed, are written where a host needs that.`,
		Example: `  anything-mcp install cursor codex
  anything-mcp install --all --dry-run
  anything-mcp install --sandbox claude-desktop
  anything-mcp install --print`,
		RunE: func(cmd *cobra.Command, args []string) error { return p.install(cmd, args, flags) },
	}
	f := cmd.Flags()
	flags.add(f)
	f.StringVar(&flags.url, "http", "", "Have the hosts connect to the server at `URL`, which runs already.")
	addBool(f, &flags.print, "print", "Print what to add by hand. Without HOST: what most hosts need.")
	addBool(f, &flags.keyInConfig, "key-in-config", "Write the key into the file, in plain text.")
	return cmd
}

func (p *program) uninstallCommand() *cobra.Command {
	var flags hostFlags
	cmd := &cobra.Command{
		Use:     "uninstall HOST…",
		GroupID: setupGroup,
		Short:   "Remove this server from MCP hosts",
		Long: `Remove this server from the configuration of MCP hosts. Nothing else changes in
their files. HOST is one of:

` + hostNames(),
		Example: `  anything-mcp uninstall cursor
  anything-mcp uninstall --all`,
		RunE: func(_ *cobra.Command, args []string) error { return p.uninstall(args, flags) },
	}
	flags.add(cmd.Flags())
	return cmd
}

// hostNames returns the names of all hosts, in lines for the help.
func hostNames() string {
	return strings.TrimRight(hangingIndent("", strings.Join(install.Names(), " "), 2, 80), "\n")
}

func (p *program) install(cmd *cobra.Command, args []string, flags hostFlags) error {
	env, err := p.hostEnv(flags.project)
	if err != nil {
		return err
	}
	hosts, err := chooseHosts(env, args, flags)
	if err != nil {
		return err
	}
	if len(hosts) == 0 && !flags.print {
		return p.listHosts(env)
	}
	server, err := p.hostServer(cmd, flags)
	switch {
	case err != nil:
		return err
	case flags.print && len(hosts) == 0:
		return p.print(install.Lines(server))
	case flags.print:
		return p.printLines(hosts, server)
	}
	err = p.changeHosts(hosts, flags.dryRun, func(h *install.Host) (*install.Plan, error) { return h.Install(env, server) })
	return cmp.Or(p.print(p.keyHint(server)), err)
}

func (p *program) uninstall(args []string, flags hostFlags) error {
	env, err := p.hostEnv(flags.project)
	if err != nil {
		return err
	}
	if len(args) == 0 && !flags.all {
		return usageErrorf("say of which hosts, or --all")
	}
	hosts, err := chooseHosts(env, args, flags)
	if err != nil {
		return err
	}
	server := install.Server{Name: entryName, KeyName: keyVariable, TokenName: tokenVariable}
	return p.changeHosts(hosts, flags.dryRun, func(h *install.Host) (*install.Plan, error) { return h.Uninstall(env, server) })
}

// changeHosts makes the planned change of each host. One that fails does not stop the
// others.
func (p *program) changeHosts(hosts []*install.Host, dryRun bool, plan func(*install.Host) (*install.Plan, error)) error {
	var failed error
	for _, h := range hosts {
		if err := p.changeHost(h, dryRun, plan); err != nil {
			p.printError(fmt.Errorf("%s: %w", h.Title, err))
			failed = errFailed
		}
	}
	return failed
}

func (p *program) changeHost(h *install.Host, dryRun bool, plan func(*install.Host) (*install.Plan, error)) error {
	change, err := plan(h)
	if err != nil {
		return err
	}
	if len(change.Changes) == 0 {
		return p.print(fmt.Sprintf("%s: nothing to change in %s\n", h.Title, change.File))
	}
	if err := p.print(fmt.Sprintf("%s: %s\n%s", h.Title, change.File, showChanges(change.Changes))); err != nil || dryRun {
		return err
	}
	backup, err := change.Apply()
	if err != nil {
		return err
	}
	done := "  Done. " + h.Effect + "\n"
	if backup != "" {
		done += "  A copy of the file as it was: " + backup + "\n"
	}
	return p.print(done)
}

// showChanges returns changes as lines that begin with - or +.
func showChanges(changes []install.Change) string {
	var b strings.Builder
	in := ""
	for _, c := range changes {
		if c.In != in {
			in = c.In
			fmt.Fprintf(&b, "  in %s:\n", in)
		}
		writeLines(&b, "  - ", c.Old)
		writeLines(&b, "  + ", c.New)
	}
	return b.String()
}

func writeLines(b *strings.Builder, before, lines string) {
	for line := range strings.Lines(withoutAssigned(text.Lines(lines))) {
		b.WriteString(before + strings.TrimRight(line, "\n") + "\n")
	}
}

// printLines prints what to add to the files of hosts by hand.
func (p *program) printLines(hosts []*install.Host, s install.Server) error {
	for _, h := range hosts {
		if err := p.print(fmt.Sprintf("%s:\n\n%s\n", h.Title, h.Lines(s))); err != nil {
			return err
		}
	}
	return nil
}

// listHosts prints the hosts on this machine, and what they have of us.
func (p *program) listHosts(env install.Env) error {
	rows := [][]string{{"HOST", "FILE", "STATE"}}
	for _, h := range install.Hosts() {
		if found := h.Find(env, entryName); found.Here {
			rows = append(rows, []string{h.Name, found.File, text.OneLine(hostState(found), maxLine)})
		}
	}
	if len(rows) == 1 {
		return p.print("No host was found. These are known:\n" + hostNames() + "\n")
	}
	return p.print(table(rows))
}

func hostState(found install.Found) string {
	switch {
	case found.Err != nil:
		return "unreadable: " + found.Err.Error()
	case !found.Installed:
		return "not installed"
	case found.URL != "":
		return "installed: " + found.URL
	}
	return "installed: " + withoutAssigned(strings.Join(found.Command, " "))
}
