// Package text makes untrusted text safe to show: without terminal sequences,
// invisible characters, secrets and links, and within bounds.
package text

import (
	"regexp"
	"strings"
	"unicode"
	"unicode/utf8"
)

// scanFactor bounds what [OneLine] reads: this many bytes for each character
// that it may return. A coloured log needs about ten.
const scanFactor = 16

const ellipsis = "…"

// OneLine returns s as one line of at most limit characters (runes), safe for a
// terminal, a chat or a log. The last character is an ellipsis if something was
// cut off.
//
// White space and line ends become single spaces. Terminal sequences (CSI, OSC
// and their like) are removed whole, and so are control, format and invisible
// characters, among them the bidirectional overrides that make text read as
// something else. Bytes that are not UTF-8 become U+FFFD.
//
// OneLine reads at most 16 bytes for each character of the limit. It is
// idempotent, and returns s itself if nothing has to change.
func OneLine(s string, limit int) string {
	if isPlainLine(s, limit) {
		return s
	}
	s, cut := bound(s, limit)
	return shorten(cleanLine(s), limit, cut)
}

// Lines returns s, a text of several lines, without what [OneLine] removes. It
// keeps line ends (as \n), tabs, spacing, and the joiners without which some
// scripts and emoji read wrong. It does not bound s. It is idempotent, and returns
// s itself if nothing has to change.
func Lines(s string) string {
	if isPlainText(s) {
		return s
	}
	s = lineEnds.Replace(withoutSequences(s))
	return strings.Map(func(r rune) rune {
		if r == '\n' || r == '\t' || isVisible(r) || isJoiner(r) {
			return r
		}
		return -1
	}, s)
}

// bound returns the part of s that is read for limit characters, and reports
// whether it left out a rest.
func bound(s string, limit int) (string, bool) {
	if limit <= 0 {
		return "", s != ""
	}
	if len(s)/scanFactor <= limit {
		return s, false
	}
	return Prefix(s, limit*scanFactor), true
}

// cleanLine returns s as one line of any length.
func cleanLine(s string) string {
	s = strings.Map(func(r rune) rune {
		if unicode.IsSpace(r) || isVisible(r) {
			return r
		}
		return -1
	}, withoutSequences(s))
	return strings.Join(strings.Fields(s), " ")
}

// shorten cuts s to limit characters. Its last character is an ellipsis if it cut
// something, or if cut says that s was cut before.
func shorten(s string, limit int, cut bool) string {
	if limit <= 0 {
		return ""
	}
	end, n := len(s), 0 // s[:end] are limit-1 characters at most
	for i := range s {
		if n++; n == limit {
			end = i
		} else if n > limit {
			cut = true
			break
		}
	}
	if !cut {
		return s
	}
	return strings.TrimSuffix(s[:end], " ") + ellipsis
}

// isPlainLine reports whether s is printable ASCII with single spaces between
// its words and within the limit. Nearly every line is, and is not copied.
func isPlainLine(s string, limit int) bool {
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

// isPlainText reports whether s is printable ASCII in lines.
func isPlainText(s string) bool {
	for i := range len(s) {
		if c := s[i]; (c < ' ' || c > '~') && c != '\n' && c != '\t' {
			return false
		}
	}
	return true
}

// isVisible reports whether r has a shape of its own on screen. Variation
// selectors and the default-ignorable letters do not count, because they can hide
// a text.
func isVisible(r rune) bool {
	if r < utf8.RuneSelf {
		return ' ' <= r && r <= '~'
	}
	return unicode.IsGraphic(r) &&
		!unicode.In(r, unicode.Variation_Selector, unicode.Other_Default_Ignorable_Code_Point)
}

// isJoiner reports whether r shapes its neighbours: the zero-width joiner and
// non-joiner, and the selectors of text and emoji style.
func isJoiner(r rune) bool {
	return r == 0x200c || r == 0x200d || r == 0xfe0e || r == 0xfe0f
}

// lineEnds makes every line end of Unicode a line feed.
var lineEnds = strings.NewReplacer("\r\n", "\n", "\r", "\n", "\u0085", "\n", "\u2028", "\n", "\u2029", "\n")

// sequence matches a terminal sequence of ECMA-48, in its 7-bit form or in
// UTF-8, whole or broken off: a control sequence, a control string with its
// terminator, or another escape. As on terminals, a cancel, an escape and a line
// end also end a control string. So a string without its terminator takes at most
// the rest of its line.
var sequence = regexp.MustCompile(
	`(?:\x1b\[|\x{9b})[ -?]*[@-~]?` +
		`|(?:\x1b[PX\]^_]|[\x{90}\x{98}\x{9d}-\x{9f}])[^\x07\x18\x1a\x1b\n\r\x{9c}]*(?:[\x07\x18\x1a\x{9c}]|\x1b\\)?` +
		`|\x1b[@-_]` +
		`|\x1b[ -/]*[0-~]?`)

// withoutSequences removes the terminal sequences from s.
func withoutSequences(s string) string {
	if !strings.ContainsFunc(s, func(r rune) bool { return r == 0x1b || 0x80 <= r && r <= 0x9f }) {
		return s
	}
	return sequence.ReplaceAllLiteralString(s, "")
}
