package text

import (
	"strconv"
	"strings"
	"time"
	"unicode/utf8"
)

// Prefix returns the longest prefix of s that has at most n bytes and ends at a
// rune's end. It shares memory with s.
func Prefix[S ~string | ~[]byte](s S, n int) S {
	if n >= len(s) {
		return s
	}
	cut := max(n, 0)
	for i := 0; i < utf8.UTFMax && cut > 0; i++ {
		if utf8.RuneStart(s[cut]) {
			return s[:cut]
		}
		cut--
	}
	return s[:max(n, 0)] // not UTF-8, or nothing
}

// Suffix returns the longest suffix of s that has at most n bytes and begins at
// a rune's start. It shares memory with s.
func Suffix[S ~string | ~[]byte](s S, n int) S {
	if n >= len(s) {
		return s
	}
	start := len(s) - max(n, 0)
	for i := start; i < len(s) && i < start+utf8.UTFMax; i++ {
		if utf8.RuneStart(s[i]) {
			return s[i:]
		}
	}
	return s[start:]
}

// Clip returns s, cut to at most n bytes and an ellipsis. It shares no memory
// with s: keeping a clipped field does not keep the event that it came from.
func Clip(s string, n int) string {
	if len(s) > n {
		return strings.ToValidUTF8(Prefix(s, n), "") + ellipsis
	}
	return strings.Clone(s)
}

// Duration formats d like [time.Duration.String], without units that are zero
// at its end and with fractions of a second alone: 0.2s, 1m20s, 2m, 1h. Callers
// round d first.
func Duration(d time.Duration) string {
	if d.Abs() < time.Second {
		return strconv.FormatFloat(d.Seconds(), 'f', -1, 64) + "s"
	}
	s := d.String()
	if strings.HasSuffix(s, "m0s") {
		s = strings.TrimSuffix(s, "0s")
	}
	if strings.HasSuffix(s, "h0m") {
		s = strings.TrimSuffix(s, "0m")
	}
	return s
}
