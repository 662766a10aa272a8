package keys

import (
	"context"
	"errors"
	"fmt"
	"os"
	"time"

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
		if address := p.Vars["DBUS_SESSION_BUS_ADDRESS"]; address != "" && address != "autolaunch:" {
			return true
		}
		_, err := os.Stat(fmt.Sprintf("/run/user/%d/bus", os.Getuid())) // where the library looks next
		return err == nil
	}
	return false
}

// ask asks the keyring, for a time. The library cannot be interrupted: what it does not
// do in time goes on until it is done or the process ends.
func (p Places) ask(ctx context.Context, wait time.Duration, do func() error) error {
	switch {
	case !p.Keyring:
		return fmt.Errorf("%w: it is switched off", ErrNoKeyring)
	case !p.reachable():
		return ErrNoKeyring
	}
	ctx, cancel := context.WithTimeoutCause(ctx, wait, errors.New("it did not answer in time, so it may be locked"))
	defer cancel()
	done := make(chan error, 1)
	go func() { done <- do() }()
	select {
	case err := <-done:
		return err
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

func (p Places) askKeyring(ctx context.Context) (string, error) {
	values := make(chan string, 1)
	err := p.ask(ctx, askTime, func() error {
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

func (p Places) setKeyring(ctx context.Context, key string) error {
	return p.ask(ctx, promptTime, func() error { return keyring.Set(service, account, key) })
}

func (p Places) deleteFromKeyring(ctx context.Context) (bool, error) {
	err := p.ask(ctx, promptTime, func() error { return keyring.Delete(service, account) })
	if errors.Is(err, keyring.ErrNotFound) || errors.Is(err, ErrNoKeyring) {
		return false, nil
	}
	return err == nil, err
}
