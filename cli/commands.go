package cli

import (
	"context"
	"errors"
	"log/slog"
	"runtime"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// program is one run of anything-mcp.
type program struct {
	name     string
	env      Env
	vars     environment
	secrets  *secrets
	stderr   *queue
	screen   *screen        // all output to stderr goes through it, and from it to stderr
	settings settings       // of every command
	flags    *pflag.FlagSet // of the command that runs
	log      *slog.Logger
	parsed   bool // the command line is valid, and a command runs

	// serves means that the command serves MCP, hosted that an MCP host started it and
	// not a person at a terminal. A host shows its user what calls answer, and seldom
	// what a process prints.
	serves, hosted bool
	faults         []error // of settings, which calls answer with

	readBuffer int // bytes, for each stream from Notte
}

func newProgram(env Env) *program {
	p := &program{name: "anything-mcp", env: env, flags: new(pflag.FlagSet), vars: newEnvironment(env.Environ, runtime.GOOS), readBuffer: 16 << 10}
	key, _ := p.vars.secret(keyVariable)
	token, _ := p.vars.secret(tokenVariable)
	p.secrets = newSecrets(key, token)
	p.stderr = &queue{out: env.Stderr}
	p.screen = newScreen(env.Stderr, p.vars, p.secrets)
	p.screen.out = p.stderr
	return p
}

// The groups of commands in the help.
const (
	setupGroup    = "setup"
	serverGroup   = "servers"
	terminalGroup = "terminal"
)

// rootCommand returns the tree of commands.
func (p *program) rootCommand() *cobra.Command {
	root := &cobra.Command{
		Use: p.name,
		Long: `Build web automations from plain English with Notte's Anything API, from an
assistant over MCP or from this terminal, and run them again. Without a command,
anything-mcp serves MCP over stdin and stdout, like its command stdio.

Each flag has an environment variable, which the help shows as $NAME. A flag
wins over its variable. Two settings have a variable only, because other users
of the machine can see flags:

  NOTTE_API_KEY            your key, from https://console.notte.cc
  ANYTHING_MCP_AUTH_TOKEN  the token that clients of the command http must send

Exit codes: 0 done, 1 failed, 2 wrong use, 129 terminal closed,
130 interrupted, 143 terminated.`,
		Example:       `  anything-mcp build --sandbox "fetch the top 3 hacker news posts"`,
		SilenceErrors: true,
		SilenceUsage:  true,

		DisableSuggestions: true, // misread has them
		PersistentPreRunE:  p.prepare,
	}
	root.AddGroup(&cobra.Group{ID: setupGroup, Title: "Setting up:"}, &cobra.Group{ID: terminalGroup, Title: "From a terminal:"}, &cobra.Group{ID: serverGroup, Title: "Servers:"})
	stdio := p.stdioCommand()
	root.AddCommand(stdio, p.httpCommand(), p.healthCommand(), p.sandboxCommand(), p.buildCommand(), p.runCommand(), p.batchCommand(),
		p.functionsCommand(), p.pinsCommand(), p.pinCommand(), p.unpinCommand(), p.buildsCommand(), p.runsCommand(), p.installCommand(), p.uninstallCommand(), p.loginCommand(), p.logoutCommand(), p.whoamiCommand(), p.doctorCommand(),
		p.versionCommand())
	p.settings.add(root.PersistentFlags())
	root.PersistentFlags().VisitAll(finish)
	for _, command := range root.Commands() {
		command.Flags().SortFlags = false
		command.Flags().VisitAll(finish)
	}
	// Without a command the program is the command stdio, with its flags.
	root.RunE = stdio.RunE
	stdio.Flags().VisitAll(func(f *pflag.Flag) {
		hidden := *f
		hidden.Hidden = true
		root.Flags().AddFlag(&hidden)
	})
	return root
}

// prepare sets the flags of cmd from the environment and makes the logger. It
// runs before each command.
func (p *program) prepare(cmd *cobra.Command, _ []string) error {
	p.flags = cmd.Flags()
	p.hosted = p.startedByHost(cmd)
	p.serves = cmd == cmd.Root() || cmd.Name() == "stdio" || cmd.Name() == "http"
	failed := untaken(p.flags)
	if len(failed) > 0 && !p.hosted {
		return failed[0].flag.Value.(*argument).invalid(failed[0].flag.Name)
	}
	failed = append(failed, p.vars.set(p.flags)...)
	doctor := cmd.Name() == "doctor" // it says itself what is wrong with variables
	for _, f := range failed {
		if f.err != nil && !p.hosted && !doctor {
			return f.err
		}
	}
	p.startLog(!p.serves)
	p.parsed = true
	if doctor {
		return nil
	}
	for _, f := range failed {
		p.tellUnread(f)
	}
	for _, name := range p.vars.unknown(cmd.Root()) {
		p.log.Warn("no setting has this name: it may be misspelt", "variable", name)
	}
	return nil
}

// run reads the command line and runs the command that it names.
func (p *program) run(ctx context.Context, args []string) error {
	switch {
	case len(args) == 0:
		args = []string{} // cobra would replace nil by os.Args
	case args[0] == "help":
		args = append(args[1:len(args):len(args)], "--help") // so that an unknown command is an error
	case args[0] == "--version":
		args = []string{"version"}
	}
	root := p.rootCommand()
	root.SetArgs(args)
	root.SetOut(p.env.Stdout)
	root.SetErr(p.screen)
	cmd, err := root.ExecuteContextC(ctx)
	if err != nil && !p.parsed {
		err = usageErrorf("%w", misread(err, cmd))
		if p.startedByHost(cmd) && mayBeHosts(args) {
			err = p.serveMisread(cmd, err)
		}
	}
	if usage, misuse := errors.AsType[usageError](err); misuse {
		err = usageError{usage.err, cmd.CommandPath()}
	}
	return err
}
