// Command anything-mcp lets assistants, and people at a terminal, build web
// automations from plain English with Notte's Anything API.
package main

import (
	"os"
	"os/signal"
	"syscall"

	"github.com/anything-mcp/anything-mcp/cli"
)

func main() {
	// A reader that has gone is an error where something is written, not the
	// end of the process: what runs is to be ended in order.
	signal.Ignore(syscall.SIGPIPE)
	signals := make(chan os.Signal, 2)
	signal.Notify(signals, os.Interrupt, syscall.SIGTERM)
	os.Exit(cli.Main(os.Args[1:], cli.Env{
		Environ: os.Environ(),
		Stdin:   os.Stdin,
		Stdout:  os.Stdout,
		Stderr:  os.Stderr,
		Signals: signals,
	}))
}
