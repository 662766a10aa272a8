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

// Clip returns s, cut to at most n bytes and an ellipsis. It shares no memory
// with s, so that keeping the result does not keep a large event alive.
func Clip(s string, n int) string {
	if len(s) > n {
		return strings.ToValidUTF8(Prefix(s, n), "") + ellipsis
	}
	return strings.Clone(s)
}

// Duration formats d like [time.Duration.String], without trailing units that are
// zero, and with less than a second as a fraction: 0.2s, 1m20s, 2m, 1h. It does
// not round d.
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
