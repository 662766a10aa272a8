package text_test

import (
	"math"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	"github.com/anything-mcp/anything-mcp/text"
)

func TestOneLine(t *testing.T) {
	tests := []struct {
		in    string
		limit int
		want  string
	}{
		{"", 10, ""},
		{"plain text", 10, "plain text"},
		{"plain text!", 10, "plain tex…"},
		{"plain text", 0, ""},
		{"plain text", -1, ""},
		{"ab", 1, "…"},
		{"a", 1, "a"},
		{"abc def", 5, "abc…"},
		{"  a \t\r\n b\u00a0\u2028\u3000c\v\u0085 ", 10, "a b c"},
		{"abc   ", 3, "abc"},
		{"é漢😀", 3, "é漢😀"},
		{"é漢😀!", 3, "é漢…"},
		{"a\x00b\x7fc\bd\u0084e", 10, "abcde"},
		{"\xffa\xe6\xbc", 10, "\ufffda\ufffd\ufffd"},

		{"\x1b[31;1mred\x1b[0m", 10, "red"},
		{"\x1b[38:2::255:0:0mred\x1b[?25l", 10, "red"},
		{"\u009b31mred\u009b0m", 10, "red"},
		{"\x1b]0;title\x07text", 10, "text"},
		{"\x1b]8;;https://evil.example\x1b\\link\x1b]8;;\x1b\\", 10, "link"},
		{"\u009d0;title\u009ctext", 10, "text"},
		{"\x1bP1$r0m\x1b\\\x1b^pm\x1b\\\x1b_apc\x1b\\\x1bXsos\x1b\\text", 10, "text"},
		{"\x1b(B\x1b7\x1b#8text\x1bc", 10, "text"},
		{"\x1b]0;no end\ntext", 10, "text"},
		{"\x1b]0;no end", 10, ""},
		{"\x1b]0;a\x1b[31mtext", 10, "text"},
		{"a\x1b", 10, "a"},
		{"a\x1b[", 10, "a"},
		{"a\x1b[31", 10, "a"},
		{"\x1b\x1b[31m[31mtext", 10, "[31mtext"},
		{"\x1b[31\ntext", 10, "text"},

		{"user\u202etxt.exe", 20, "usertxt.exe"},
		{"a\u200bb\u200db\u2060\ufeff\u00ad\u2066", 10, "abb"},
		{"a\U000e0068\U000e0069\ufe0f\U000e0100\u3164\u115f\u034f", 10, "a"},
		{"\ue000\U0010ffff\ufdd0a", 10, "a"},
		{"e\u0301", 10, "e\u0301"},

		{strings.Repeat("x", 16<<20), 5, "xxxx…"},
		{strings.Repeat(" ", 16<<20) + "x", 5, "…"},
		{strings.Repeat("漢", 1000), 3, "漢漢…"},
		{strings.Repeat("\u200b", 1000) + "x", 10, "…"},
		{"a\n" + strings.Repeat("\x1b[0m", 1000), 2, "a…"},
		{" a ", math.MaxInt, "a"},
	}
	for _, tt := range tests {
		if got := text.OneLine(tt.in, tt.limit); got != tt.want {
			t.Errorf("OneLine(%.60q, %d) = %q, want %q", tt.in, tt.limit, got, tt.want)
		}
	}
}

func TestOneLineReturnsPlainTextItself(t *testing.T) {
	s := "Using browser_click on the button"
	if allocs := testing.AllocsPerRun(100, func() { s = text.OneLine(s, 200) }); allocs != 0 {
		t.Errorf("plain text costs %v allocations", allocs)
	}
}

func FuzzOneLine(f *testing.F) {
	for _, s := range []string{
		"plain", " a \n b ", "\x1b[31mred\x1b[0m", "\x1b]8;;https://a\x1b\\b", "\x1b]0;a", "\u009b1m", "\xc2",
		"\xc2\x9d", "a\u202eb\u200b", "\xff\xfe", "漢字 😀 e\u0301", "\x1b\x1b\x1b[", "\x1bP\x18\x1a", strings.Repeat("a ", 300),
	} {
		for _, limit := range []int{1, 5, 200} {
			f.Add(s, limit)
		}
	}
	f.Fuzz(func(t *testing.T, s string, limit int) {
		got := text.OneLine(s, limit)
		if !utf8.ValidString(got) {
			t.Errorf("not UTF-8: %q", got)
		}
		if n := utf8.RuneCountInString(got); n > max(limit, 0) {
			t.Errorf("%d characters, limit %d: %q", n, limit, got)
		}
		for _, r := range got {
			if !unicode.IsGraphic(r) || unicode.IsSpace(r) && r != ' ' ||
				unicode.In(r, unicode.Cc, unicode.Cf, unicode.Bidi_Control, unicode.Variation_Selector) {
				t.Errorf("%U in %q", r, got)
			}
		}
		if strings.Contains(got, "  ") || strings.TrimSpace(got) != got {
			t.Errorf("loose space in %q", got)
		}
		if again := text.OneLine(got, limit); again != got {
			t.Errorf("%q becomes %q the second time", got, again)
		}
	})
}

func BenchmarkOneLine(b *testing.B) {
	for name, s := range map[string]string{
		"plain":    "2026-08-01 10:00:00 | INFO | main:run:12 | page 1 of 3",
		"coloured": "\x1b[32m2026-08-01 10:00:00\x1b[0m | \x1b[1mINFO\x1b[0m | main:run:12 | page 1 of 3",
		"16MiB":    strings.Repeat("\x1b[0m", 4<<20),
	} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				text.OneLine(s, 200)
			}
		})
	}
}
