// Package cli is the command line.
//
// Each command is made in a file of its own and listed in commands.go. Only
// this package knows flags and environment variables.
package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"syscall"

	"github.com/anything-mcp/anything-mcp/notte"
)

// Env is the environment of a process: its variables, streams and signals.
type Env struct {
	Environ []string // in the form of [os.Environ]
	Stdin   io.Reader
	Stdout  io.Writer
	Stderr  io.Writer
	Signals <-chan os.Signal // interrupt, hang up and terminate; nil for none
}

// Exit codes, besides 128 plus the number of the signal that ended a command.
const (
	exitDone   = 0
	exitFailed = 1
	exitUsage  = 2
)

// Main runs the command that args name and returns the exit code of the
// process: 0 done, 1 failed, 2 wrong use, 129 hung up, 130 interrupted, 143
// terminated. A server that a signal stops returns 0. Main waits only a moment for
// a stderr that stalls.
//
// The first signal asks the command to end. After a second one Main returns at
// once and leaves the goroutines of the command behind, because the process is
// about to exit.
func Main(args []string, env Env) int {
	p := newProgram(env)
	ctx, stop := context.WithCancelCause(context.Background())
	defer stop(nil)
	done := make(chan int, 1)
	go func() {
		code := p.exitCode(p.run(ctx, args))
		p.stderr.flush()
		done <- code
	}()
	for stopping := false; ; stopping = true {
		select {
		case code := <-done:
			return code
		case sig := <-env.Signals:
			if stopping {
				p.screen.setStatus("")
				p.stderr.flush()
				return signalError{sig}.exitCode()
			}
			stop(signalError{sig}) // first, because redraw may wait a moment
			p.screen.redraw()
		}
	}
}

// signalError is the cause with which a signal cancels a command's context.
type signalError struct{ os.Signal }

func (s signalError) Error() string { return "ended by a signal: " + s.String() }

func (s signalError) exitCode() int {
	number, _ := s.Signal.(syscall.Signal)
	return 128 + int(number)
}

// usageError is a mistake in how a command was called.
type usageError struct {
	err     error
	command string // whose --help the message names
}

func (e usageError) Error() string { return e.err.Error() }
func (e usageError) Unwrap() error { return e.err }

func usageErrorf(format string, args ...any) error {
	return usageError{err: fmt.Errorf(format, args...)}
}

// errFailed ends a command that has already printed why it failed.
var errFailed = errors.New("failed")

// exitCode prints err, if it is not printed yet, and returns the exit code.
func (p *program) exitCode(err error) int {
	sig, bySignal := errors.AsType[signalError](err)
	usage, misuse := errors.AsType[usageError](err)
	switch {
	case err == nil:
		return exitDone
	case errors.Is(err, errFailed):
		return exitFailed
	case bySignal:
		return sig.exitCode()
	case misuse:
		p.printError(err)
		fmt.Fprintf(p.screen, "See %s --help.\n", usage.command)
		return exitUsage
	case errors.Is(err, notte.ErrNoKey):
		p.printError(errors.New("there is no Notte API key: get one at https://console.notte.cc and keep it with the command login, or set it as " + keyVariable +
			" in the environment, or add --sandbox to try this without a key"))
		return exitUsage
	}
	p.printError(err)
	return exitFailed
}

// printError prints err and what to do about it.
func (p *program) printError(err error) {
	message := strings.TrimSpace(err.Error())
	if next := advice(err); next != "" {
		message = strings.TrimRight(message, ".") + ". " + next
	}
	fmt.Fprintf(p.screen, "%s: %s\n", p.name, message)
}
