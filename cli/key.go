package cli

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"runtime"
	"strings"
	"time"

	"github.com/anything-mcp/anything-mcp/keys"
	"github.com/anything-mcp/anything-mcp/notte"
)

// commandTime bounds how long --api-key-command may take: it may ask the user.
const commandTime = time.Minute

// findKey returns the user's key and the name of its place, or a zero Key if there is
// none. The first place that the settings name decides; otherwise it asks one place
// after the other.
func (p *program) findKey(ctx context.Context) (keys.Key, error) {
	switch s := p.settings; {
	case s.keyFile != "":
		return p.keyInFile(s.keyFile)
	case s.keyCommand != "":
		return p.keyOfCommand(ctx, s.keyCommand)
	}
	value, wrong := p.vars.secret(keyVariable)
	if value != "" {
		return keys.Key{Value: value, Place: keyVariable}, nil
	}
	key, err := p.keyPlaces().Find(ctx)
	switch {
	case key.Value != "": // a host that passed a placeholder on does not have to have a key
		p.secrets.add(key.Value)
		if err != nil {
			p.log.Warn("a place where a key may be could not be read", "err", err)
		}
		return key, nil
	case wrong == nil && err != nil:
		wrong = fmt.Errorf("no Notte API key was found, and %w", err)
	}
	return key, wrong
}

// atHand reports whether the key, or that there is none, is known without asking a
// program that may take its time.
func (p *program) atHand() bool {
	value, _ := p.vars.secret(keyVariable)
	return p.settings.keyFile != "" || p.settings.keyCommand == "" && value != ""
}

// keyPlaces returns where programs keep keys on this machine.
func (p *program) keyPlaces() keys.Places {
	dir, _ := usualStateDir(p.vars, runtime.GOOS) // which servers of all hosts find
	return keys.Places{
		GOOS: runtime.GOOS, Home: p.vars.home(), Vars: p.vars, Dir: dir, APIURL: p.settings.apiURL, Keyring: p.settings.keyring,
	}
}

// keyInFile returns the key in the file of --api-key-file.
func (p *program) keyInFile(file string) (keys.Key, error) {
	setting := p.source("api-key-file")
	file, err := expandHome(file, p.vars, runtime.GOOS)
	var raw []byte
	if err == nil {
		raw, err = os.ReadFile(file)
	}
	if path, ok := errors.AsType[*os.PathError](err); ok {
		err = path.Err // does not repeat the file
	}
	if err != nil {
		return keys.Key{}, fmt.Errorf("the key file %.200q in %s cannot be read: %w", file, setting, err)
	}
	return p.givenKey(raw, "the file "+file)
}

// keyOfCommand returns the key that --api-key-command prints.
func (p *program) keyOfCommand(ctx context.Context, command string) (keys.Key, error) {
	ctx, cancel := context.WithTimeout(ctx, commandTime)
	defer cancel()
	cmd := shell(ctx, command)
	var out bytes.Buffer
	cmd.Stdout, cmd.WaitDelay = &out, time.Second
	if err := cmd.Run(); err != nil {
		return keys.Key{}, fmt.Errorf("the command in %s failed: %w; run it in a terminal to see why", p.source("api-key-command"), cmp.Or(ctx.Err(), err))
	}
	return p.givenKey(out.Bytes(), "the command in "+p.source("api-key-command"))
}

// givenKey returns the key in the first line of a text from a place.
func (p *program) givenKey(raw []byte, place string) (keys.Key, error) {
	line, _, _ := strings.Cut(strings.TrimSpace(string(raw)), "\n")
	value := clean(keyVariable, line, runtime.GOOS)
	p.secrets.add(value)
	switch {
	case value == "":
		return keys.Key{}, fmt.Errorf("%s gives no key", place)
	case notSecret(keyVariable, value) != "":
		return keys.Key{}, fmt.Errorf("%s gives a placeholder (%s) and not a key", place, notSecret(keyVariable, value))
	}
	return keys.Key{Value: value, Place: place}, nil
}

// account returns the client of the user's account, or one without a key if there is
// none. It looks for the key when it is first called, and again while there is none: a
// user may log in meanwhile. A keyring that fails is not asked again, since that may
// show a window.
func (a *app) account(ctx context.Context) (*notte.Client, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if !a.settled {
		client, err := a.open(context.WithoutCancel(ctx))
		a.settled = errors.Is(err, keys.ErrKeyring) || err == nil && client.Ready() == nil
		a.accountErr = err
		if err == nil {
			a.client = client
		}
		if a.settled {
			a.jobs.Recover(a.client)
		}
	}
	return a.client, a.accountErr
}

// callerAccount is account for a call, which tells why there is none.
func (p *program) callerAccount(a *app) func(context.Context) (*notte.Client, error) {
	return func(ctx context.Context) (*notte.Client, error) {
		client, err := a.account(ctx)
		if err != nil {
			err = p.unusable(err)
		}
		return client, err
	}
}

// opener returns a function that looks for the key and makes the client of its account.
func (p *program) opener(cfg notte.Config) func(context.Context) (*notte.Client, error) {
	return func(ctx context.Context) (*notte.Client, error) {
		key, err := p.findKey(ctx)
		if err != nil {
			return nil, err
		}
		cfg.Key = notte.APIKey(key.Value)
		cfg.Names.Key = cmp.Or(key.Place, cfg.Names.Key)
		return notte.NewClient(cfg)
	}
}
