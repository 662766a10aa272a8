package keys

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/zalando/go-keyring"
)

// places returns the places of a user who has nothing.
func places(t *testing.T) Places {
	home := t.TempDir()
	return Places{GOOS: "darwin", Home: home, Dir: filepath.Join(home, "state"), Keyring: true}
}

func write(t *testing.T, file, text string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(file), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

// sample is a file that Notte's command line has written.
func sample(t *testing.T) string {
	raw, err := os.ReadFile("testdata/notte-cli.jwe")
	if err != nil {
		t.Fatal(err)
	}
	return string(raw)
}

const sampleKey = "sk_notte_cli_sample_1234"

// TestFind removes one place after the other, from the first to the last.
func TestFind(t *testing.T) {
	keyring.MockInit()
	p := places(t)
	write(t, p.File(), "  of-the-file\n")
	keyring.Set(service, account, "of-the-keyring")
	write(t, filepath.Join(p.Home, ".notte/cli/api_key:prod"), sample(t))
	write(t, filepath.Join(p.Home, ".notte/cli/config.json"), `{"api_key": "of-the-config", "api_url": "https://us-prod.notte.cc"}`)
	for _, want := range []string{"of-the-file", "of-the-keyring", sampleKey, "of-the-config", ""} {
		key, err := p.Find(t.Context())
		if err != nil || key.Value != want || (want == "") != (key.Place == "") {
			t.Fatalf("%+v, %v; want %q", key, err, want)
		}
		if want == "of-the-keyring" {
			keyring.Delete(service, account)
		} else if want != "" {
			os.Remove(key.Place)
		}
	}
}

// TestEnvironment takes the key for the API that is used, and no other.
func TestEnvironment(t *testing.T) {
	keyring.MockInit()
	for _, tt := range []struct{ url, want string }{
		{"", sampleKey},
		{"https://api.notte.cc", sampleKey},
		{"https://us-prod.notte.cc/v1", sampleKey},
		{"https://us-staging.notte.cc", ""},
		{"http://127.0.0.1:8809", "of-this-machine"},
	} {
		p := places(t)
		p.Vars = map[string]string{"NOTTE_CONFIG_DIR": filepath.Join(p.Home, "other")}
		p.APIURL = tt.url
		write(t, filepath.Join(p.Home, "other/.notte/cli/api_key:prod"), sample(t))
		write(t, filepath.Join(p.Home, "other/.notte/cli/config.json"), `{"api_key": "of-this-machine", "api_url": "http://127.0.0.1:8809"}`)
		if key, err := p.Find(t.Context()); err != nil || key.Value != tt.want {
			t.Errorf("for %s: %+v, %v; want %q", tt.url, key, err, tt.want)
		}
	}
}

// TestBrokenPlaces passes over what cannot be read, and says so.
func TestBrokenPlaces(t *testing.T) {
	keyring.MockInitWithError(errors.New("no such daemon"))
	p := places(t)
	write(t, filepath.Join(p.Home, ".notte/cli/api_key:prod"), strings.Replace(sample(t), "W", "X", 1))
	write(t, filepath.Join(p.Home, ".notte/cli/config.json"), `{"api_key": "of-the-config"}`)
	key, err := p.Find(t.Context())
	if key.Value != "of-the-config" || err == nil || !strings.Contains(err.Error(), "no such daemon") || !strings.Contains(err.Error(), "api_key:prod") {
		t.Errorf("%+v, %v", key, err)
	}
	write(t, filepath.Join(p.Home, ".notte/cli/config.json"), `{`)
	os.Mkdir(p.Dir, 0o700)
	os.Mkdir(p.File(), 0o700)
	if key, err := p.Find(t.Context()); key != (Key{}) || !strings.Contains(err.Error(), "not JSON") || !strings.Contains(err.Error(), "not a regular file") {
		t.Errorf("%+v, %v", key, err)
	}
}

// TestSave keeps the key in the keyring, or in a file that only the user can read.
func TestSave(t *testing.T) {
	keyring.MockInit()
	p := places(t)
	p.Keyring = false
	place, why, err := p.Save(t.Context(), "first")
	if place != p.File() || !errors.Is(why, ErrNoKeyring) || err != nil {
		t.Fatalf("%s, %v, %v", place, why, err)
	}
	if info, err := os.Stat(place); err != nil || info.Mode().Perm()&0o077 != 0 && os.PathSeparator == '/' {
		t.Errorf("the file has mode %v, %v", info.Mode(), err)
	}
	if key, err := p.Find(t.Context()); err != nil || key != (Key{"first", place}) {
		t.Errorf("%+v, %v", key, err)
	}
	p.Keyring = true
	if place, why, err = p.Save(t.Context(), "second"); why != nil || err != nil {
		t.Fatalf("%s, %v, %v", place, why, err)
	}
	if key, err := p.Find(t.Context()); err != nil || key != (Key{"second", place}) {
		t.Errorf("%+v, %v", key, err)
	}
	for _, want := range []int{1, 0} {
		if places, err := p.Delete(t.Context()); err != nil || len(places) != want {
			t.Errorf("deleted from %v, %v", places, err)
		}
	}
	if key, err := p.Find(t.Context()); err != nil || key != (Key{}) {
		t.Errorf("%+v, %v", key, err)
	}
}

// TestSlowKeyring waits for two seconds at most.
func TestSlowKeyring(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := places(t)
		until := make(chan struct{})
		start := time.Now()
		ctx, cancel := context.WithTimeoutCause(t.Context(), askTime, errSlow)
		defer cancel()
		err := p.ask(ctx, func() error { <-until; return nil })
		if took := time.Since(start); took != askTime || err == nil || !strings.Contains(err.Error(), "locked") {
			t.Errorf("it took %v: %v", took, err)
		}
		close(until)
	})
}

// TestNoTimeLeft asks no program any more, and reads the files.
func TestNoTimeLeft(t *testing.T) {
	keyring.MockInit()
	p := places(t)
	keyring.Set(service, account, "of-the-keyring")
	write(t, filepath.Join(p.Home, ".notte/cli/api_key"), sample(t)) // as older versions called it
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if key, err := p.Find(ctx); key.Value != sampleKey || err != nil {
		t.Errorf("%+v, %v", key, err)
	}
}

// TestPass has a program in the place of pass, which needs GnuPG.
func TestPass(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("there is no pass on Windows")
	}
	for _, tt := range []struct{ script, file, want, problem string }{
		{"", "api_key:prod", "of-pass", ""},
		{"", "api_key", "of-pass", ""},
		{"", "other", "", ""},
		{"exit 2", "api_key:prod", "", "run pass show api_key:prod in a terminal"},
		{"echo nonsense; exit", "api_key:prod", "", "not a key that Notte's command line has written"},
		{"none", "api_key:prod", "", "the program pass is not found"},
	} {
		p := places(t)
		p.Keyring = true
		t.Setenv("PATH", filepath.Join(p.Home, "bin")+":/usr/bin:/bin")
		if tt.script == "none" {
			t.Setenv("PATH", p.Home)
		}
		write(t, filepath.Join(p.Home, "bin/pass"), "#!/bin/sh\n"+tt.script+`
[ "$*" = "show `+tt.file+`" ] && [ "$PASSWORD_STORE_DIR" = "`+p.Home+`/.password-store" ] || exit 1
case "$PASSWORD_STORE_GPG_OPTS" in *--no-autostart*--pinentry-mode=error) echo '{"Data":"b2YtcGFzcw=="}' ;; esac
`)
		if err := os.Chmod(filepath.Join(p.Home, "bin/pass"), 0o700); err != nil {
			t.Fatal(err)
		}
		write(t, filepath.Join(p.Home, ".password-store", tt.file+".gpg"), "")
		key, err := p.askPass(t.Context())
		if err == nil {
			err = errors.New("")
		}
		if key != tt.want || !strings.Contains(err.Error(), tt.problem) {
			t.Errorf("%q with %q: %q, %v", tt.script, tt.file, key, err)
		}
	}
}

// TestNoBus does not ask where that would start a daemon.
func TestNoBus(t *testing.T) {
	p := places(t)
	p.GOOS = "linux"
	_, err := os.Stat(fmt.Sprintf("/run/user/%d/bus", os.Getuid()))
	bus := err == nil
	for address, want := range map[string]bool{"unix:path=/nowhere": true, "autolaunch:": bus, "": bus} {
		p.Vars = map[string]string{"DBUS_SESSION_BUS_ADDRESS": address}
		if got := p.reachable(); got != want {
			t.Errorf("with the address %q: %v", address, got)
		}
	}
	if p.GOOS = "plan9"; p.reachable() {
		t.Error("a keyring on Plan 9")
	}
}

// TestUnwrap is the example of RFC 3394, section 4.1.
func TestUnwrap(t *testing.T) {
	wrapping, _ := hex.DecodeString("000102030405060708090A0B0C0D0E0F")
	wrapped, _ := hex.DecodeString("1FA68B0A8112B447AEF34BD8FB5A7B829D3E862371D2CFE5")
	key, err := unwrap(wrapping, wrapped)
	if err != nil || hex.EncodeToString(key) != "00112233445566778899aabbccddeeff" {
		t.Errorf("%x, %v", key, err)
	}
}

func FuzzDecrypt(f *testing.F) {
	raw, err := os.ReadFile("testdata/notte-cli.jwe")
	if err != nil {
		f.Fatal(err)
	}
	f.Add(string(raw))
	f.Add("e30.AA.AA.AA.AA")
	f.Fuzz(func(t *testing.T, text string) {
		if plain, err := decrypt(text, nottePassword); err == nil && !strings.Contains(string(plain), `"Key"`) {
			t.Errorf("%q was decrypted to %q", text, plain)
		}
	})
}
