package progress

import (
	"strings"
	"unicode/utf8"
)

// Text cleans untrusted text of several lines: it drops what [OneLine] drops,
// terminal sequences and invisible characters, and keeps line ends (as \n),
// tabs, spacing, and the joiners without which some scripts and emoji read wrong. It
// bounds nothing. It returns s itself when there is nothing to do.
func Text(s string) string {
	if isPlainText(s) {
		return s
	}
	var b strings.Builder
	b.Grow(len(s))
	for len(s) > 0 {
		if n := sequenceLen(s); n > 0 {
			s = s[n:]
			continue
		}
		r, size := utf8.DecodeRuneInString(s)
		s = s[size:]
		if isLineEnd(r) {
			if r == '\r' && strings.HasPrefix(s, "\n") {
				continue
			}
			r = '\n'
		}
		if r == '\n' || r == '\t' || isShown(r) || isJoiner(r) {
			b.WriteRune(r)
		}
	}
	return b.String()
}

// isJoiner reports whether r shapes its neighbours: the zero-width joiner and
// non-joiner, and the selectors of text and emoji style.
func isJoiner(r rune) bool {
	return r == 0x200c || r == 0x200d || r == 0xfe0e || r == 0xfe0f
}

// isLineEnd reports whether r ends a line: CR, NEL, and Unicode's line and
// paragraph separators, besides LF.
func isLineEnd(r rune) bool {
	return r == '\r' || r == 0x85 || r == 0x2028 || r == 0x2029
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
