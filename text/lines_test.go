package text_test

import (
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/anything-mcp/anything-mcp/text"
)

func TestLines(t *testing.T) {
	for _, c := range []struct{ why, in, want string }{
		{"plain text stays", "a  b\n\n\tc\n", "a  b\n\n\tc\n"},
		{"line ends are one", "a\r\nb\rc\u2028d\u0085e", "a\nb\nc\nd\ne"},
		{"colours go", "\x1b[31mred\x1b[0m", "red"},
		{"titles go", "\x1b]0;owned\x07ok", "ok"},
		{"control characters go", "a\x00b\x08c\x7f", "abc"},
		{"overrides go", "a\u202eb", "ab"},
		{"joiners stay", "\u0645\u06cc\u200c\u0631\u0648\u0645 \u2764\ufe0f", "\u0645\u06cc\u200c\u0631\u0648\u0645 \u2764\ufe0f"},
		{"broken bytes show", "a\xffb", "a\ufffdb"},
	} {
		if got := text.Lines(c.in); got != c.want {
			t.Errorf("%s: Lines(%q) = %q, want %q", c.why, c.in, got, c.want)
		}
	}
}

func FuzzLines(f *testing.F) {
	f.Add("a\r\n\x1b[31mb\x1b]0;c\x07\u202e\xff")
	f.Fuzz(func(t *testing.T, s string) {
		got := text.Lines(s)
		if !utf8.ValidString(got) || strings.ContainsAny(got, "\x00\x1b\r\x7f\u202e") {
			t.Errorf("Lines(%q) = %q: not clean", s, got)
		}
		if again := text.Lines(got); again != got {
			t.Errorf("Lines(%q) = %q, and of that %q", s, got, again)
		}
	})
}
