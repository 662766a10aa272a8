package cli

import (
	"bytes"
	"strings"
	"testing"

	"github.com/anything-mcp/anything-mcp/text"
)

func TestScreenKeepsItsStatusLast(t *testing.T) {
	var out bytes.Buffer
	s := &screen{out: &out, secrets: newSecrets(), live: true}
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
	s := newScreen(&out, environment{"TERM": "xterm"}, newSecrets())
	s.setStatus("busy")
	s.redraw()
	s.Write([]byte(s.styled(bold, "one") + "\n"))
	if got := out.String(); got != "one\n" {
		t.Errorf("wrote %q, want one line and nothing else", got)
	}
}

func TestScreenRedactsSecrets(t *testing.T) {
	var out bytes.Buffer
	s := newScreen(&out, nil, newSecrets("key-4711"))
	s.live = true
	s.setStatus("using key-4711")
	n, err := s.Write([]byte("the key is key-4711\n"))
	if err != nil || n != len("the key is key-4711\n") {
		t.Errorf("Write = %d, %v; the caller's bytes all count", n, err)
	}
	if got := out.String(); strings.Contains(got, "4711") || strings.Count(got, text.Redacted) != 3 {
		t.Errorf("wrote %q", got)
	}
}

func TestHasEscapes(t *testing.T) {
	for _, tt := range []struct {
		goos string
		vars environment
		want bool
	}{
		{"linux", environment{"TERM": "xterm"}, true},
		{"linux", environment{"TERM": "dumb"}, false},
		{"linux", environment{"WT_SESSION": "1"}, false},
		{"windows", environment{"WT_SESSION": "1"}, true},
		{"windows", environment{"TERM": "xterm"}, true},
		{"windows", environment{}, false},
	} {
		if got := hasEscapes(tt.vars, tt.goos); got != tt.want {
			t.Errorf("on %s with %v: %v", tt.goos, tt.vars, got)
		}
	}
}
