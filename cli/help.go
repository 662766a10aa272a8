package cli

import (
	"cmp"
	"errors"
	"io"
	"strings"

	"github.com/alecthomas/kong"
)

// errHelpShown ends the parsing of a command line that asked for help.
var errHelpShown = errors.New("help was shown")

// helpColumn is where the texts of a list begin.
const helpColumn = 26

// printHelp writes the help of the program or of the command that was named.
func (p *program) printHelp(_ kong.HelpOptions, ctx *kong.Context) error {
	h := &helpPage{width: columns(p.env.Stdout)}
	if command := ctx.Selected(); command != nil {
		h.command(p.name, command)
	} else {
		h.program(ctx.Model)
	}
	if _, err := io.WriteString(p.env.Stdout, h.String()); err != nil {
		return err
	}
	return errHelpShown
}

// helpPage is a page of help under construction.
type helpPage struct {
	strings.Builder
	width int
}

func (h *helpPage) program(app *kong.Application) {
	h.text("Build web automations from plain English with Notte's Anything API, from an assistant (MCP) or from here, and run them again.")
	h.title("Try it, without a key")
	h.WriteString("  " + app.Name + " build --sandbox \"fetch the top 3 hacker news posts\"\n")
	h.title("Commands")
	for _, command := range app.Children {
		if !command.Hidden {
			h.item(usage(command), command.Help)
		}
	}
	h.title("Settings of every command")
	h.flags(app.Flags)
	h.WriteString("\n")
	h.text("Each --some-name can be set as ANYTHING_MCP_SOME_NAME in the environment instead; a flag wins. The key has no flag, as flags show in lists of processes:")
	h.item(keyVariable, "Your key, from https://console.notte.cc.")
	h.WriteString("\n")
	h.text(app.Name + " COMMAND --help tells more. Exit codes: 0 done, 1 failed, 2 wrong use, 130 interrupted.")
}

func (h *helpPage) command(program string, command *kong.Node) {
	h.WriteString("Usage: " + program + " " + usage(command) + "\n\n")
	h.text(command.Help)
	if command.Detail != "" {
		h.WriteString("\n" + command.Detail + "\n")
	}
	if len(command.Flags) > 0 {
		h.title("Settings")
		h.flags(command.Flags)
	}
	if command.Name != "version" {
		h.title("Settings of every command")
		h.flags(command.Parent.Flags)
	}
}

// usage is how a command is typed, without its flags.
func usage(command *kong.Node) string { return cmp.Or(command.Tag.Get("usage"), command.Name) }

func (h *helpPage) flags(flags []*kong.Flag) {
	for _, flag := range flags {
		if flag.Hidden || flag.Name == "help" {
			continue
		}
		name := "--" + flag.Name
		if !flag.IsBool() {
			name += " " + flag.PlaceHolder
		}
		text := flag.Help
		if flag.HasDefault && flag.Default != "" {
			text += " Default: " + flag.Default + "."
		}
		if v := variable(flag); !strings.HasPrefix(v, prefix) {
			text += " Variable: " + v + "."
		}
		h.item(name, text)
	}
}

func (h *helpPage) title(text string) { h.WriteString("\n" + text + "\n") }

// item is a name with a text beside it.
func (h *helpPage) item(name, text string) {
	h.WriteString(beside("  "+name, text, helpColumn, h.width))
}

func (h *helpPage) text(text string) { h.WriteString(beside("", text, 0, h.width)) }
