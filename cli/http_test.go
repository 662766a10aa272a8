package cli

import "testing"

func TestConnectableAddr(t *testing.T) {
	for addr, want := range map[string]string{
		"127.0.0.1:8808":   "127.0.0.1:8808",
		"0.0.0.0:8808":     "127.0.0.1:8808",
		"[::]:8808":        "127.0.0.1:8808",
		"192.0.2.1:8808":   "192.0.2.1:8808",
		"example.com:8808": "example.com:8808",
	} {
		if got := connectableAddr(addr); got != want {
			t.Errorf("connectableAddr(%q) = %q, want %q", addr, got, want)
		}
	}
}
