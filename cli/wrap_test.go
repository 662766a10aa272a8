package cli

import (
	"testing"
	"time"
	"unicode/utf8"

	"github.com/clipperhouse/displaywidth"
)

func TestHangingIndent(t *testing.T) {
	tests := []struct {
		name, head, text string
		column, width    int
		want             string
	}{
		{"one line", "Cost", "$0.43", 8, 40, "Cost    $0.43\n"},
		{"wrapped", "Answer", "one two three four", 8, 18, "Answer  one two\n        three four\n"},
		{"a word that is too long stays whole", "ID", "0123456789abcdef x", 4, 10, "ID  0123456789abcdef\n    x\n"},
		{"an ID is not broken at its hyphens", "ID", "a 0123-4567-89ab", 4, 10, "ID  a\n    0123-4567-89ab\n"},
		{"a head that is too long", "A long head", "text", 8, 40, "A long head\n        text\n"},
		{"line ends stay", "Answer", "one\n\n  two", 8, 0, "Answer  one\n\n          two\n"},
		{"no width wraps nothing", "A", "one two three four", 4, 0, "A   one two three four\n"},
		{"no head", "", "one two three", 0, 7, "one two\nthree\n"},
		{"no text", "A", "", 4, 10, ""},
		{"wide characters", "A", "世界 世界 世界", 4, 13, "A   世界 世界\n    世界\n"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := hangingIndent(tt.head, tt.text, tt.column, tt.width); got != tt.want {
				t.Errorf("got %q, want %q", got, tt.want)
			}
		})
	}
}

func TestTruncate(t *testing.T) {
	tests := []struct {
		text      string
		width     int
		end, left string
	}{
		{"", 5, "", ""},
		{"hello", 5, "hello", "hello"},
		{"hello", 4, "hel…", "…llo"},
		{"hello world", 7, "hello …", "… world"},
		{"世界世界", 8, "世界世界", "世界世界"},
		{"世界世界", 7, "世界世…", "…界世界"},
		{"世界世界", 6, "世界…", "…世界"},
		{"hello", 1, "…", "…"},
		{"hello", 0, "…", "…"},
	}
	for _, tt := range tests {
		if got := truncate(tt.text, tt.width); got != tt.end {
			t.Errorf("truncate(%q, %d) = %q, want %q", tt.text, tt.width, got, tt.end)
		}
		if got := truncateLeft(tt.text, tt.width); got != tt.left {
			t.Errorf("truncateLeft(%q, %d) = %q, want %q", tt.text, tt.width, got, tt.left)
		}
	}
}

func FuzzTruncate(f *testing.F) {
	f.Add("hello world", 7)
	f.Add("世界 “and” more", 9)
	f.Add("e\u0301 👩‍👩‍👧 ❤️", 2)
	f.Fuzz(func(t *testing.T, text string, width int) {
		if width < 1 || width > 1000 || !utf8.ValidString(text) {
			t.Skip()
		}
		for _, got := range []string{truncate(text, width), truncateLeft(text, width)} {
			if w := displaywidth.String(got); w > width {
				t.Errorf("%q in %d columns takes %d: %q", text, width, w, got)
			}
			if displaywidth.String(text) <= width && got != text {
				t.Errorf("%q fits into %d columns and became %q", text, width, got)
			}
		}
	})
}

func TestTable(t *testing.T) {
	got := table([][]string{{"ONE", "TWO", "THREE"}, {"a", "longer", "b c"}, {"größer", "x", ""}})
	want := "ONE     TWO     THREE\na       longer  b c\ngrößer  x       \n"
	if got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}

func TestFormatAge(t *testing.T) {
	for d, want := range map[time.Duration]string{
		-time.Second:                   "0s",
		0:                              "0s",
		60 * time.Millisecond:          "0s",
		250 * time.Millisecond:         "0.2s",
		3 * time.Second:                "3s",
		9990 * time.Millisecond:        "9.9s",
		12700 * time.Millisecond:       "12s",
		time.Minute + 5*time.Second:    "1m5s",
		time.Hour + 2*time.Minute + 30: "1h2m",
	} {
		if got := formatAge(d); got != want {
			t.Errorf("formatAge(%v) = %q, want %q", d, got, want)
		}
	}
}

func TestPlural(t *testing.T) {
	for n, want := range map[int]string{0: "0 builds", 1: "1 build", 2: "2 builds"} {
		if got := plural(n, "build"); got != want {
			t.Errorf("plural(%d) = %q, want %q", n, got, want)
		}
	}
}

// The words of a command to copy may hold text from web pages.
func TestShellQuote(t *testing.T) {
	for _, tt := range []struct{ word, posix, windows string }{ // windows: "" if it cannot be quoted
		{"count=3", "count=3", "count=3"},
		{"0fd8b335-d1f5", "0fd8b335-d1f5", "0fd8b335-d1f5"},
		{"url=https://x.example/", "url=https://x.example/", `"url=https://x.example/"`},
		{"--api-url=http://x", "--api-url=http://x", `"--api-url=http://x"`},
		{"", "''", `""`},
		{"q=a b", "'q=a b'", `"q=a b"`},
		{"q=a,b", "q=a,b", `"q=a,b"`},
		{"q=it's", `'q=it'\''s'`, `"q=it's"`},
		{"q=a&b|c<d>e^f(g)", "'q=a&b|c<d>e^f(g)'", `"q=a&b|c<d>e^f(g)"`},
		{`q=C:\dir`, `'q=C:\dir'`, `"q=C:\dir"`},
		{`q=C:\dir\`, `'q=C:\dir\'`, ""},
		{`q="a"`, `'q="a"'`, ""},
		{"q=“a”", "'q=“a”'", ""},
		{"q=$(rm -rf ~)", "'q=$(rm -rf ~)'", ""},
		{"q=`id`", "'q=`id`'", ""},
		{"q=%PATH%", "q=%PATH%", ""},
		{"q=a!b", "'q=a!b'", ""},
		{"q=*?[a]{b}~#;", "'q=*?[a]{b}~#;'", `"q=*?[a]{b}~#;"`},
	} {
		if got, ok := shellQuote(tt.word, "linux"); got != tt.posix || !ok {
			t.Errorf("on Linux %q is %s, %v; want %s", tt.word, got, ok, tt.posix)
		}
		if got, ok := shellQuote(tt.word, "windows"); got != tt.windows || ok != (tt.windows != "") {
			t.Errorf("on Windows %q is %s, %v; want %s", tt.word, got, ok, tt.windows)
		}
	}
}

func TestShellLine(t *testing.T) {
	words := []string{"anything-mcp", "run", "id", "count=3", "q=$(x) y", "$odd=1"}
	for goos, want := range map[string]string{
		"linux":   `anything-mcp run id count=3 'q=$(x) y' '$odd=1'`,
		"windows": `anything-mcp run id count=3 q=VALUE`,
	} {
		if got := shellLine(words, goos); got != want {
			t.Errorf("on %s: %s, want %s", goos, got, want)
		}
	}
}
