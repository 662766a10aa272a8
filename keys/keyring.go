package keys

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"github.com/zalando/go-keyring"
)

// The names of our entry in the keyring.
const (
	service = "anything-mcp"
	account = "api_key"
)

// ErrNoKeyring is the error of a system without a keyring that can be reached.
var ErrNoKeyring = errors.New("this system has no keyring that can be reached")

// reachable reports whether asking the keyring starts nothing. On Linux the library
// starts a message bus if it finds none, which would outlive this process.
func (p Places) reachable() bool {
	switch p.GOOS {
	case "darwin", "windows":
		return true
	case "linux":
		return p.bus() != ""
	}
	return false
}

// bus returns the address of the session's message bus on Linux, or "" if there is none.
// Not all hosts hand the variable down, so its usual place is looked at too.
func (p Places) bus() string {
	if address := p.Vars["DBUS_SESSION_BUS_ADDRESS"]; address != "" && address != "autolaunch:" {
		return address
	}
	socket := fmt.Sprintf("/run/user/%d/bus", os.Getuid()) // where the library looks next
	if _, err := os.Stat(socket); err != nil {
		return ""
	}
	return "unix:path=" + socket
}

var errSlow = errors.New("it did not answer in time, so it may be locked")

// ask asks the keyring until ctx ends. The library cannot be interrupted: what it does
// not do in time goes on until it is done or the process ends.
func (p Places) ask(ctx context.Context, do func() error) error {
	switch {
	case !p.Keyring:
		return fmt.Errorf("%w: it is switched off", ErrNoKeyring)
	case !p.reachable():
		return ErrNoKeyring
	}
	done := make(chan error, 1)
	go func() { done <- do() }()
	select {
	case err := <-done:
		return err
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// askUser is ask for as long as the user may take who is there to answer.
func (p Places) askUser(ctx context.Context, do func() error) error {
	ctx, cancel := context.WithTimeoutCause(ctx, promptTime, errSlow)
	defer cancel()
	return p.ask(ctx, do)
}

func (p Places) askKeyring(ctx context.Context) (string, error) {
	if !p.mayAsk(ctx) {
		return "", nil
	}
	values := make(chan string, 1)
	err := p.ask(ctx, func() error {
		value, err := keyring.Get(service, account)
		values <- value
		return err
	})
	switch {
	case errors.Is(err, keyring.ErrNotFound), errors.Is(err, ErrNoKeyring):
		return "", nil
	case err != nil:
		return "", fmt.Errorf("%w: %w", ErrKeyring, err)
	}
	return <-values, nil
}

// mayAsk reports whether the keyring is to be asked for our key. On Linux that may start
// the keyring, which is done only if it is known to have the key.
func (p Places) mayAsk(ctx context.Context) bool {
	_, err := os.Stat(p.keptMark())
	return err == nil || p.GOOS != "linux" || p.mayHaveKey(ctx)
}

// keptMark is an empty file, which says that our key is in the keyring.
func (p Places) keptMark() string { return filepath.Join(p.Dir, "key-in-keyring") }

func (p Places) setKeyring(ctx context.Context, key string) error {
	err := p.askUser(ctx, func() error { return keyring.Set(service, account, key) })
	if err == nil && p.GOOS == "linux" && os.MkdirAll(p.Dir, 0o700) == nil {
		os.WriteFile(p.keptMark(), nil, 0o600) // without it, the key is found while the keyring runs
	}
	return err
}

func (p Places) deleteFromKeyring(ctx context.Context) (bool, error) {
	if !p.mayAsk(ctx) {
		return false, nil
	}
	err := p.askUser(ctx, func() error { return keyring.Delete(service, account) })
	if errors.Is(err, keyring.ErrNotFound) || errors.Is(err, ErrNoKeyring) {
		return false, nil
	}
	if err == nil {
		os.Remove(p.keptMark())
	}
	return err == nil, err
}
