package notte_test

import (
	"bytes"
	"encoding/base64"
	"strings"
	"testing"

	"github.com/anything-mcp/anything-mcp/notte"
)

const viewerLink = "https://viewer.notte.cc/?token=secret-4711"

func TestSealedTextOpensWithTheSameKeyOnly(t *testing.T) {
	sealer := newClient(t, notte.Config{Key: "key-1"})
	sealed := sealer.Seal(viewerLink)
	for _, c := range []struct {
		why, key, sealed string
		want             string
		ok               bool
	}{
		{"the same key in another client", " key-1\n", sealed, viewerLink, true},
		{"another key", "key-2", sealed, "", false},
		{"no key", "", sealed, "", false},
		{"an empty text", "key-1", "", "", true},
		{"a text that is not sealed", "key-1", viewerLink, "", false},
		{"another format", "key-1", strings.Replace(sealed, "1", "2", 1), "", false},
		{"cut short", "key-1", sealed[:len(sealed)-4], "", false},
		{"too short for a nonce", "key-1", sealed[:12], "", false},
		{"nothing but the prefix", "key-1", "sealed1.", "", false},
	} {
		if got, ok := newClient(t, notte.Config{Key: notte.APIKey(c.key)}).Open(c.sealed); got != c.want || ok != c.ok {
			t.Errorf("%s: Open = %q, %v", c.why, got, ok)
		}
	}
}

func TestOpenRefusesEachChangedByte(t *testing.T) {
	c := newClient(t, notte.Config{Key: "key-1"})
	prefix, encoded, _ := strings.Cut(c.Seal("text"), ".")
	raw, err := base64.RawURLEncoding.DecodeString(encoded)
	if err != nil {
		t.Fatal(err)
	}
	for i := range raw {
		changed := bytes.Clone(raw)
		changed[i] ^= 1
		if got, ok := c.Open(prefix + "." + base64.RawURLEncoding.EncodeToString(changed)); ok {
			t.Errorf("byte %d changed: opened as %q", i, got)
		}
	}
}

func TestSealHidesItsText(t *testing.T) {
	c := newClient(t, notte.Config{Key: "key-1"})
	sealed, again := c.Seal(viewerLink), c.Seal(viewerLink)
	if sealed == again {
		t.Error("the same text is sealed the same way twice")
	}
	raw, err := base64.RawURLEncoding.DecodeString(strings.TrimPrefix(sealed, "sealed1."))
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range []string{sealed, string(raw)} {
		for n := range len(viewerLink) - 7 {
			if strings.Contains(s, viewerLink[n:n+8]) {
				t.Errorf("%q shows %q", s, viewerLink[n:n+8])
			}
		}
	}
	if got := c.Seal(""); got != "" {
		t.Errorf("an empty text is sealed as %q", got)
	}
	if got := newClient(t, notte.Config{}).Seal(viewerLink); got != "" {
		t.Errorf("without a key: %q", got)
	}
}
