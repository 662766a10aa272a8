package cli

import (
	"bytes"
	"strings"
	"testing"
	"unicode/utf8"
)

func TestScreenKeepsItsStatusLast(t *testing.T) {
	var out bytes.Buffer
	s := &screen{out: &out, live: true}
	steps := []struct {
		do   func()
		want string
	}{
		{func() { s.Write([]byte("one\n")) }, "one\n"},
		{func() { s.setStatus("busy") }, "\r\x1b[Kbusy"},
		{func() { s.setStatus("busy") }, ""}, // nothing has changed
		{func() { s.Write([]byte("two\n")) }, "\r\x1b[Ktwo\nbusy"},
		{func() { s.setStatus("") }, "\r\x1b[K"},
		{func() { s.Write([]byte("three\n")) }, "three\n"},
	}
	for i, step := range steps {
		out.Reset()
		step.do()
		if got := out.String(); got != step.want {
			t.Errorf("step %d wrote %q, want %q", i, got, step.want)
		}
	}
}

func TestScreenWithoutATerminalHasNoStatus(t *testing.T) {
	var out bytes.Buffer
	s := newScreen(&out, environment{"TERM": "xterm"}, redactor{})
	s.setStatus("busy")
	s.wipe()
	s.Write([]byte(s.paint(bold, "one") + "\n"))
	if got := out.String(); got != "one\n" {
		t.Errorf("wrote %q, want one line and nothing else", got)
	}
}

func TestScreenHidesSecrets(t *testing.T) {
	var out bytes.Buffer
	s := newScreen(&out, nil, newRedactor("key-4711"))
	s.live = true
	s.setStatus("using key-4711")
	n, err := s.Write([]byte("the key is key-4711\n"))
	if err != nil || n != len("the key is key-4711\n") {
		t.Errorf("Write = %d, %v; the caller's bytes all count", n, err)
	}
	if got := out.String(); strings.Contains(got, "4711") || strings.Count(got, redacted) != 3 {
		t.Errorf("wrote %q", got)
	}
}

func TestFit(t *testing.T) {
	tests := []struct {
		text       string
		width      int
		end, start string
	}{
		{"", 5, "", ""},
		{"hello", 5, "hello", "hello"},
		{"hello", 4, "hel…", "…llo"},
		{"hello world", 7, "hello…", "…world"},
		{"世界世界", 8, "世界世界", "世界世界"},
		{"世界世界", 7, "世界世…", "…界世界"},
		{"世界世界", 6, "世界…", "…世界"},
		{"hello", 1, "…", "…"},
	}
	for _, tt := range tests {
		if got := fitEnd(tt.text, tt.width); got != tt.end {
			t.Errorf("fitEnd(%q, %d) = %q, want %q", tt.text, tt.width, got, tt.end)
		}
		if got := fitStart(tt.text, tt.width); got != tt.start {
			t.Errorf("fitStart(%q, %d) = %q, want %q", tt.text, tt.width, got, tt.start)
		}
	}
}

func FuzzFit(f *testing.F) {
	f.Add("hello world", 7)
	f.Add("世界 “and” more", 9)
	f.Fuzz(func(t *testing.T, text string, width int) {
		if width < 1 || width > 1000 || !utf8.ValidString(text) {
			t.Skip()
		}
		for _, got := range []string{fitEnd(text, width), fitStart(text, width)} {
			if textWidth(got) > width {
				t.Errorf("%q in %d columns takes %d: %q", text, width, textWidth(got), got)
			}
			if textWidth(text) <= width && got != text {
				t.Errorf("%q fits into %d columns and became %q", text, width, got)
			}
		}
	})
}
