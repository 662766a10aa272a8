package progress

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// scanFactor bounds what [OneLine] looks at: this many bytes for each
// character it may return. A coloured log needs about ten.
const scanFactor = 16

const ellipsis = '…'

// OneLine makes untrusted text fit to be shown in a line of a terminal, a chat
// or a log: valid UTF-8 of at most limit characters (runes), with an ellipsis
// as the last one where something was cut off. White space and line ends
// become single spaces; terminal sequences (CSI, OSC and their like) go whole;
// control, format and invisible characters go, and so do the bidirectional
// overrides that make text read as something else. Bytes that are not UTF-8
// become U+FFFD.
//
// It reads at most 16 bytes for each character of the limit, however long s
// is, and returns s itself when there is nothing to do. Applied twice it
// changes nothing more.
func OneLine(s string, limit int) string {
	if limit <= 0 {
		return ""
	}
	if isPlain(s, limit) {
		return s
	}
	cut := len(s)/scanFactor > limit
	if cut {
		s = trimToRune(s[:limit*scanFactor])
	}
	out := make([]rune, 0, min(len(s), limit))
	space := false
	for len(s) > 0 && len(out) <= limit {
		if n := sequenceLen(s); n > 0 {
			s = s[n:]
			continue
		}
		r, size := utf8.DecodeRuneInString(s)
		s = s[size:]
		switch {
		case unicode.IsSpace(r):
			space = len(out) > 0
		case isShown(r):
			if space {
				out = append(out, ' ')
				space = false
			}
			out = append(out, r)
		}
	}
	if !cut && len(out) <= limit {
		return string(out)
	}
	head := string(out[:min(len(out), limit-1)])
	return strings.TrimSuffix(head, " ") + string(ellipsis)
}

// isPlain reports whether s is printable ASCII with single spaces between its
// words and within the limit: nearly every line is, and needs no copy.
func isPlain(s string, limit int) bool {
	if len(s) > limit {
		return false
	}
	previous := byte(' ')
	for i := range len(s) {
		c := s[i]
		if c < ' ' || c > '~' || c == ' ' && previous == ' ' {
			return false
		}
		previous = c
	}
	return s == "" || previous != ' '
}

// isShown reports whether r has a shape of its own on screen. Variation
// selectors and the default-ignorable letters count as hidden: they can carry
// a text that no one sees.
func isShown(r rune) bool {
	if r < utf8.RuneSelf {
		return ' ' <= r && r <= '~'
	}
	return unicode.IsGraphic(r) &&
		!unicode.In(r, unicode.Variation_Selector, unicode.Other_Default_Ignorable_Code_Point)
}

// trimToRune takes away the beginning of a rune at the end of s.
func trimToRune(s string) string {
	for i := 1; i < utf8.UTFMax && i <= len(s); i++ {
		if c := s[len(s)-i:]; utf8.RuneStart(c[0]) {
			if !utf8.FullRuneInString(c) {
				return s[:len(s)-i]
			}
			break
		}
	}
	return s
}

// The control characters that sequenceLen knows, as ECMA-48 numbers them.
const (
	bel = 0x07
	can = 0x18
	sub = 0x1a
	esc = 0x1b

	dcs = 0x90
	sos = 0x98
	csi = 0x9b
	st  = 0x9c
	osc = 0x9d
	pm  = 0x9e
	apc = 0x9f
	nel = 0x85
)

// sequenceLen returns the length in bytes of the terminal control sequence
// that s begins with (ECMA-48, in its 7-bit form or as UTF-8), or 0.
func sequenceLen(s string) int {
	control, n := introducer(s)
	switch control {
	case csi:
		for n < len(s) && ' ' <= s[n] && s[n] <= '?' {
			n++
		}
		if n < len(s) && '@' <= s[n] && s[n] <= '~' {
			n++
		}
		return n
	case dcs, sos, osc, pm, apc:
		return stringEnd(s, n)
	}
	return n
}

// introducer reads the control function at the start of s and its length. An
// escape that is no C1 control is read whole, with 0 as its number.
func introducer(s string) (control byte, n int) {
	switch {
	case s[0] == 0xc2 && len(s) > 1 && 0x80 <= s[1] && s[1] <= 0x9f:
		if s[1] == nel {
			return 0, 0 // a line end, hence white space
		}
		return s[1], 2
	case s[0] != esc:
		return 0, 0
	case len(s) > 1 && '@' <= s[1] && s[1] <= '_':
		return s[1] + 0x40, 2
	}
	n = 1
	for n < len(s) && ' ' <= s[n] && s[n] <= '/' {
		n++
	}
	if n < len(s) && '0' <= s[n] && s[n] <= '~' {
		n++
	}
	return 0, n
}

// stringEnd returns where the control string of which n bytes are read is
// over. Like terminals, and so that a string without its end hides no more
// than its line, it takes a cancel, an escape or a line end for the end too.
func stringEnd(s string, n int) int {
	for ; n < len(s); n++ {
		switch s[n] {
		case bel, can, sub:
			return n + 1
		case '\n', '\r':
			return n
		case esc:
			if strings.HasPrefix(s[n+1:], `\`) {
				return n + 2
			}
			return n
		case 0xc2:
			if n+1 < len(s) && s[n+1] == st {
				return n + 2
			}
		}
	}
	return n
}
