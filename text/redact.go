package text

import (
	"cmp"
	"encoding/json"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// Redacted stands in a text where a secret was.
const Redacted = "[redacted]"

// minSecret is the length in bytes from which a secret is redacted. Redacting a
// shorter one would make ordinary words unreadable.
const minSecret = 4

// Redactor removes secrets from texts, in each spelling that URLs, JSON strings
// and Go's quoted strings give them. The zero value knows no secrets. A Redactor
// is immutable, and so safe for concurrent use.
type Redactor struct {
	spellings []string // longest first
}

// NewRedactor returns a Redactor of secrets. White space around a secret does
// not count, and secrets of less than 4 bytes are left out.
func NewRedactor(secrets ...string) Redactor {
	var all []string
	for _, secret := range secrets {
		if secret = strings.TrimSpace(secret); len(secret) >= minSecret {
			all = append(all, spellings(secret)...)
		}
	}
	slices.SortFunc(all, func(a, b string) int {
		return cmp.Or(len(b)-len(a), strings.Compare(a, b))
	})
	return Redactor{slices.Compact(all)}
}

var percentByte = regexp.MustCompile(`%[0-9A-F]{2}`)

// spellings returns secret as it is and as URLs and quoted strings escape it.
func spellings(secret string) []string {
	all := []string{secret, url.QueryEscape(secret), url.PathEscape(secret)}
	for _, s := range all[1:] {
		all = append(all, percentByte.ReplaceAllStringFunc(s, strings.ToLower))
	}
	for range 2 { // a run's result is JSON in JSON
		for _, s := range all {
			plain, _ := JSON(s)
			escaped, _ := json.Marshal(s)
			all = append(all, inQuotes(string(plain)), inQuotes(string(escaped)))
		}
	}
	return append(all, inQuotes(strconv.Quote(secret)))
}

// inQuotes returns what stands between the quotes of a quoted string.
func inQuotes(s string) string { return s[1 : len(s)-1] }

// Redact returns s with "[redacted]" in the place of each secret.
func (r Redactor) Redact(s string) string {
	for _, spelling := range r.spellings {
		// ReplaceAll would search the whole of s twice to find nothing.
		if strings.Contains(s, spelling) {
			s = strings.ReplaceAll(s, spelling, Redacted)
		}
	}
	return s
}

// RedactLine is [OneLine] without secrets. It redacts before and after it
// removes invisible characters, which may split a secret, and before it
// truncates.
func (r Redactor) RedactLine(s string, limit int) string {
	s, cut := bound(r.Redact(s), limit)
	s = r.Redact(cleanLine(s))
	if cut {
		s = s[:len(s)-r.Pending(s)]
	}
	return shorten(s, limit, cut)
}

// Pending returns how many bytes at the end of s may be the beginning of a
// secret whose rest is still to come. A caller that cuts a stream of text into
// pieces must move these bytes to the next piece.
func (r Redactor) Pending(s string) int {
	longest := 0
	for _, spelling := range r.spellings {
		for n := min(len(spelling)-1, len(s)); n > longest; n-- {
			if strings.HasSuffix(s, spelling[:n]) {
				longest = n
			}
		}
	}
	return longest
}
