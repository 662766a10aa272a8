// Package keys finds the user's API key where programs of this machine keep it, and
// keeps it there: in the system's keyring or, where there is none, in a file that only
// the user can read. It also reads, and never writes, where Notte's own command line
// keeps its key.
package keys

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"
)

// Places are the places of keys on this machine.
type Places struct {
	GOOS    string
	Home    string            // the user's
	Vars    map[string]string // the environment
	Dir     string            // of the file that takes the place of a keyring
	APIURL  string            // of the API that the key is for
	Keyring bool              // the keyring may be asked, and those of Notte's command line
}

// Key is a key and the place where it was found.
type Key struct{ Value, Place string }

// askTime bounds how long other programs are waited for when the key is needed: the
// keyring may be locked, and ask the user.
const askTime = 2 * time.Second

// promptTime bounds the same when the user is there to answer.
const promptTime = time.Minute

// maxFile bounds the files that are read, in bytes.
const maxFile = 1 << 20

// File returns the file that takes the place of a keyring.
func (p Places) File() string { return filepath.Join(p.Dir, "key") }

// ErrKeyring is the error of a keyring that may have the key and did not give it. To ask
// it again may show the user a window again.
var ErrKeyring = errors.New("the system's keyring could not be read")

// place is a place where a key may be.
type place struct {
	name string
	read func(context.Context) (string, error)
	asks bool // another program, which may take its time
}

func (p Places) all() []place {
	file := func(name string) place {
		return place{name: name, read: func(context.Context) (string, error) { return readText(name) }}
	}
	notteFile := func(name string) place {
		return place{name: name, read: func(context.Context) (string, error) { return readNotteFile(name) }}
	}
	places := []place{file(p.File()), {"the system's keyring", p.askKeyring, true}}
	if p.Keyring {
		places = append(places, p.nottePrograms()...)
	}
	for _, name := range p.notteEntries() {
		places = append(places, notteFile(filepath.Join(p.notteDir(), name)))
	}
	readConfig := func(context.Context) (string, error) { return p.readNotteConfig() }
	return append(places, place{name: p.notteConfig(), read: readConfig})
}

// Find returns the first key in the order of the package's comment, or a zero Key if
// there is none, after 2 s at the latest. The error, which may come with a key, says which
// places could not be read, and wraps [ErrKeyring] if the keyring is one of them.
func (p Places) Find(ctx context.Context) (Key, error) {
	ctx, cancel := context.WithTimeoutCause(ctx, askTime, errSlow)
	defer cancel()
	var problems []error
	for _, from := range p.all() {
		if from.asks && ctx.Err() != nil {
			continue
		}
		value, err := from.read(ctx)
		switch {
		case err == nil, errors.Is(err, fs.ErrNotExist):
		case errors.Is(err, ErrKeyring):
			problems = append(problems, err)
		default:
			problems = append(problems, fmt.Errorf("%s could not be read: %w", from.name, err))
		}
		if value = strings.TrimSpace(value); value != "" {
			return Key{value, from.name}, errors.Join(problems...)
		}
	}
	return Key{}, errors.Join(problems...)
}

// Save keeps a key and returns the place. why is nil if that is the keyring, and says
// otherwise why it is not.
func (p Places) Save(ctx context.Context, key string) (place string, why, err error) {
	if why = p.setKeyring(ctx, key); why == nil {
		if err := os.Remove(p.File()); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return "", nil, err // its old key would win
		}
		return "the system's keyring", nil, nil
	}
	return p.File(), why, p.writeFile(key)
}

// writeFile replaces the file as a whole.
func (p Places) writeFile(key string) error {
	if err := os.MkdirAll(p.Dir, 0o700); err != nil {
		return err
	}
	f, err := os.CreateTemp(p.Dir, "key.*") // has mode 0600
	if err != nil {
		return err
	}
	defer os.Remove(f.Name()) // after a rename there is none
	_, err = f.WriteString(key + "\n")
	if err := errors.Join(err, f.Close()); err != nil {
		return err
	}
	return os.Rename(f.Name(), p.File())
}

// Delete removes the key that Save kept, and returns the places that had it.
func (p Places) Delete(ctx context.Context) (places []string, err error) {
	err = os.Remove(p.File())
	switch {
	case err == nil:
		places = append(places, p.File())
	case !errors.Is(err, fs.ErrNotExist):
		return nil, err
	}
	deleted, err := p.deleteFromKeyring(ctx)
	if deleted {
		places = append(places, "the system's keyring")
	}
	return places, err
}

// readText reads a short file.
func readText(file string) (string, error) {
	info, err := os.Stat(file)
	switch {
	case err != nil:
		return "", err
	case !info.Mode().IsRegular():
		return "", errors.New("it is not a regular file")
	case info.Size() > maxFile:
		return "", errors.New("it is too large to be a key")
	}
	raw, err := os.ReadFile(file)
	return string(raw), err
}
