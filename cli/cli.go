// Package cli is the command line of anything-mcp: the commands that a person
// or an MCP host types, their settings, and what they show on a terminal.
package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"syscall"

	"github.com/anything-mcp/anything-mcp/notte"
)

// Env is what a process is given besides its arguments.
type Env struct {
	Environ []string // as [os.Environ] has it
	Stdin   io.Reader
	Stdout  io.Writer
	Stderr  io.Writer
	Signals <-chan os.Signal // interrupt and terminate; nil for none
}

// Exit codes, besides 128 and the number of the signal that ended a command.
const (
	exitDone   = 0
	exitFailed = 1
	exitUsage  = 2
)

// Main runs the command that args name and returns the process's exit code: 0
// done, 1 failed, 2 wrong use, 130 interrupted, 143 terminated. Servers that
// end because they were told to have done what they should.
//
// The first signal asks the command to end. At the second one Main returns at
// once and leaves the command's goroutines behind, for the process to end.
func Main(args []string, env Env) int {
	p := newProgram(env)
	ctx, stop := context.WithCancelCause(context.Background())
	defer stop(nil)
	done := make(chan int, 1)
	go func() { done <- p.exitCode(p.run(ctx, args)) }()
	for asked := false; ; asked = true {
		select {
		case code := <-done:
			return code
		case sig := <-env.Signals:
			if asked {
				p.screen.setStatus("")
				return signalled{sig}.code()
			}
			p.screen.wipe()
			stop(signalled{sig})
		}
	}
}

// signalled is why a command's context ended.
type signalled struct{ os.Signal }

func (s signalled) Error() string { return "ended by a signal: " + s.String() }

func (s signalled) code() int {
	if s.Signal == syscall.SIGTERM {
		return 128 + int(syscall.SIGTERM)
	}
	return 128 + int(syscall.SIGINT)
}

// usageError says what is wrong with how a command was called.
type usageError struct {
	err  error
	help string // the command whose --help tells more; empty for the program's
}

func (e usageError) Error() string { return e.err.Error() }
func (e usageError) Unwrap() error { return e.err }

func misused(command, format string, args ...any) error {
	return usageError{fmt.Errorf(format, args...), command}
}

// errFailed ends a command that has already said why it failed.
var errFailed = errors.New("failed")

// exitCode says on stderr what there is to say about err, in one line and a
// hint, and returns the code to exit with.
func (p *program) exitCode(err error) int {
	sig, bySignal := errors.AsType[signalled](err)
	usage, misuse := errors.AsType[usageError](err)
	switch {
	case err == nil, errors.Is(err, errHelpShown):
		return exitDone
	case errors.Is(err, errFailed):
		return exitFailed
	case bySignal:
		return sig.code()
	case misuse:
		p.complain(usage.err)
		command := p.name
		if usage.help != "" {
			command += " " + usage.help
		}
		fmt.Fprintf(p.screen, "See %s --help.\n", command)
		return exitUsage
	case errors.Is(err, notte.ErrNoKey):
		p.complain(errors.New("there is no Notte API key: get one at https://console.notte.cc and set it as " + keyVariable +
			" in the environment, or add --sandbox to try this without a key"))
		return exitUsage
	}
	p.complain(err)
	return exitFailed
}

func (p *program) complain(err error) {
	fmt.Fprintf(p.screen, "%s: %v\n", p.name, err)
}
