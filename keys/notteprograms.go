package keys

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"time"
)

// nottePrograms returns the places that other programs keep for Notte's command line.
func (p Places) nottePrograms() (places []place) {
	if p.GOOS == "linux" && p.bus() != "" {
		places = append(places, place{"the entry of Notte's command line in the Secret Service", p.askSecretService, true},
			place{"the entry of Notte's command line in KWallet", p.askKWallet, true})
	}
	if p.GOOS != "windows" {
		places = append(places, place{"the entry of Notte's command line in pass", p.askPass, true})
	}
	return places
}

// passOptions keep pass, which has GnuPG decrypt, from starting a daemon and from asking
// the user.
const passOptions = " --batch --no-autostart --pinentry-mode=error"

// askPass asks the program pass for the key.
func (p Places) askPass(ctx context.Context) (string, error) {
	dir := p.Vars["PASSWORD_STORE_DIR"]
	if dir == "" {
		dir = filepath.Join(p.Home, ".password-store")
	}
	for _, name := range p.notteEntries() {
		if _, err := os.Stat(filepath.Join(dir, name+".gpg")); err != nil {
			continue
		}
		cmd := exec.CommandContext(ctx, "pass", "show", name)
		cmd.Env = append(os.Environ(), "PASSWORD_STORE_DIR="+dir, "PASSWORD_STORE_GPG_OPTS="+p.Vars["PASSWORD_STORE_GPG_OPTS"]+passOptions)
		cmd.WaitDelay = 100 * time.Millisecond
		raw, err := cmd.Output()
		switch {
		case errors.Is(err, exec.ErrNotFound):
			return "", errors.New("the program pass is not found")
		case ctx.Err() != nil:
			return "", context.Cause(ctx)
		case err != nil:
			return "", errors.New("it cannot be decrypted without asking you: run pass show " + name + " in a terminal, and try again")
		}
		return keyOfItem(raw)
	}
	return "", fs.ErrNotExist
}
