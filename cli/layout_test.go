package cli

import "testing"

func TestBeside(t *testing.T) {
	tests := []struct {
		name, head, text string
		column, width    int
		want             string
	}{
		{"one line", "Cost", "$0.43", 8, 40, "Cost    $0.43\n"},
		{"broken", "Answer", "one two three four", 8, 18, "Answer  one two\n        three four\n"},
		{"a word too long stays whole", "ID", "0123456789abcdef x", 4, 10, "ID  0123456789abcdef\n    x\n"},
		{"a head too long", "A long head", "text", 8, 40, "A long head\n        text\n"},
		{"lines are kept", "Answer", "one\n\n  two", 8, 0, "Answer  one\n\n          two\n"},
		{"no width, nothing broken", "A", "one two three four", 4, 0, "A   one two three four\n"},
		{"no head", "", "one two three", 0, 7, "one two\nthree\n"},
		{"no text", "A", "", 4, 10, ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := beside(tt.head, tt.text, tt.column, tt.width); got != tt.want {
				t.Errorf("got %q, want %q", got, tt.want)
			}
		})
	}
}

// What is printed for a shell to run holds text from web pages.
func TestShellQuoted(t *testing.T) {
	for word, want := range map[string]string{
		"count=3":                "count=3",
		"url=https://x.example/": "url=https://x.example/",
		"":                       "''",
		"q=a b":                  "'q=a b'",
		"q=$(rm -rf ~)":          "'q=$(rm -rf ~)'",
		"q=it's; `id`":           `'q=it'\''s; ` + "`id`'",
		"q=*?[a]{b}~!#&|<>\"\\":  "'q=*?[a]{b}~!#&|<>\"\\'",
	} {
		if got := shellQuoted(word); got != want {
			t.Errorf("shellQuoted(%q) = %s, want %s", word, got, want)
		}
	}
}
