package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/alecthomas/kong"
)

// commands is all that can be typed: kong reads it.
type commands struct {
	settings `embed:""`

	Version bool `hidden:"" help:"The same as the command version."`

	Stdio   stdioCommand   `cmd:"" default:"withargs" usage:"[stdio]" help:"Serve MCP over stdin and stdout: what an MCP host starts."`
	HTTP    httpCommand    `cmd:"" name:"http" help:"Serve MCP over Streamable HTTP at /mcp."`
	Build   buildCommand   `cmd:"" usage:"build QUERY…" help:"Build an automation from here and watch it happen."`
	Run     runCommand     `cmd:"" usage:"run ID [NAME=VALUE…]" help:"Run a function that was built."`
	Builds  buildsCommand  `cmd:"" name:"builds" usage:"builds [ID]" help:"List earlier builds and what they cost, or show one."`
	Runs    runsCommand    `cmd:"" name:"runs" usage:"runs [ID]" help:"List earlier runs, or show one."`
	Sandbox sandboxCommand `cmd:"" name:"sandbox" help:"Serve the sandbox alone, for other clients of Notte's APIs."`
	About   versionCommand `cmd:"" name:"version" help:"Tell the version, commit, Go version and MCP versions."`
}

// program is one run of anything-mcp.
type program struct {
	name    string
	env     Env
	vars    environment
	secrets redactor
	screen  *screen // stderr: everything there goes through it
	opts    settings
}

func newProgram(env Env) *program {
	p := &program{name: "anything-mcp", env: env, vars: newEnvironment(env.Environ)}
	p.secrets = newRedactor(p.vars[keyVariable], p.vars[tokenVariable])
	p.screen = newScreen(env.Stderr, p.vars, p.secrets)
	return p
}

// run parses the command line and runs what it names.
func (p *program) run(ctx context.Context, args []string) error {
	var c commands
	parser, err := kong.New(&c, kong.Name(p.name), kong.Writers(p.env.Stdout, io.Discard),
		kong.Exit(func(int) {}), kong.Help(p.printHelp), kong.Resolvers(p.vars))
	if err != nil {
		return fmt.Errorf("reading the command line: %w", err)
	}
	if len(args) > 0 && args[0] == "help" {
		args = append(slices.Clone(args[1:]), "--help")
	}
	parsed, err := parser.Parse(args)
	switch {
	case errors.Is(err, errHelpShown):
		return err
	case err != nil:
		return usageError{p.vars.blame(plain(err, parser.Model), args), chosen(err)}
	}
	p.opts = c.settings
	p.vars.warn(parser.Model, p.logger())
	if c.Version {
		return c.About.Run(p)
	}
	parsed.BindTo(ctx, (*context.Context)(nil))
	err = parsed.Run(p)
	if usage, ok := errors.AsType[usageError](err); ok {
		return usageError{p.vars.blame(usage.err, args), usage.help}
	}
	return err
}

// plain says in other words what kong says in its own.
func plain(err error, app *kong.Application) error {
	text := err.Error()
	if flag, choice, ok := strings.Cut(text, ` must be one of "",`); ok {
		return errors.New(flag + " must be one of " + choice)
	}
	if flag, _, ok := strings.Cut(text, ": expected float value"); ok {
		return fmt.Errorf("%s needs a number", flag)
	}
	if flag, _, ok := strings.Cut(text, ": expected "); ok && strings.Contains(text, "<EOL>") {
		return fmt.Errorf("%s needs a value", flag)
	}
	if word, ok := strings.CutPrefix(text, "unexpected argument "); ok && chosen(err) == "" {
		var names []string
		for _, command := range app.Children {
			names = append(names, command.Name)
		}
		return fmt.Errorf("there is no command %s: the commands are %s", word, strings.Join(names, ", "))
	}
	return err
}

// chosen names the command that a command line in error had named, if any.
func chosen(err error) string {
	parse, ok := errors.AsType[*kong.ParseError](err)
	if !ok || parse.Context == nil {
		return ""
	}
	if node := parse.Context.Selected(); node != nil && slices.Contains(parse.Context.Args, node.Name) {
		return node.Name
	}
	return ""
}
