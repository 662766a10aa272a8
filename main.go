// Command anything-mcp builds web automations from plain English with Notte's
// Anything API, for assistants (MCP) and from a terminal.
package main

import (
	"os"
	"os/signal"
	"syscall"

	"github.com/anything-mcp/anything-mcp/cli"
)

func main() {
	// Ignore SIGPIPE: a closed stdout shows up as a write error, so running
	// jobs can still be stopped cleanly.
	signal.Ignore(syscall.SIGPIPE)
	signals := make(chan os.Signal, 2)
	signal.Notify(signals, os.Interrupt, syscall.SIGTERM)
	if !signal.Ignored(syscall.SIGHUP) { // nohup ignores it, so that a closed terminal ends nothing
		signal.Notify(signals, syscall.SIGHUP)
	}
	os.Exit(cli.Main(os.Args[1:], cli.Env{
		Environ: os.Environ(),
		Stdin:   os.Stdin,
		Stdout:  os.Stdout,
		Stderr:  os.Stderr,
		Signals: signals,
	}))
}
