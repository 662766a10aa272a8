package notte

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/url"
	"regexp"
	"slices"
	"strings"
)

const redacted = "[redacted]"

// APIKey is a key of Notte's. However it is printed, logged or marshalled, it
// shows as "[redacted]", or as "(none)" when it is empty. Only this package
// reads the secret in it, to send it to the configured hosts.
type APIKey string

// String says whether there is a key, not which.
func (k APIKey) String() string {
	if k == "" {
		return "(none)"
	}
	return redacted
}

// GoString keeps the key out of %#v.
func (k APIKey) GoString() string { return "notte.APIKey(" + k.String() + ")" }

// Format keeps the key out of every verb of package fmt: without it, %x or %d
// would print the letters after all.
func (k APIKey) Format(f fmt.State, verb rune) {
	if verb == 'v' && f.Flag('#') {
		io.WriteString(f, k.GoString())
		return
	}
	io.WriteString(f, k.String())
}

// LogValue keeps the key out of log/slog, whatever the handler.
func (k APIKey) LogValue() slog.Value { return slog.StringValue(k.String()) }

// MarshalText keeps the key out of JSON, XML and their like.
func (k APIKey) MarshalText() ([]byte, error) { return []byte(k.String()), nil }

// secret is the key itself.
func (k APIKey) secret() string { return string(k) }

// owner names the key without giving it away. The prefix keeps the name from
// equalling a plain hash of the key that somebody else may have kept.
func (k APIKey) owner() string {
	if k == "" {
		return ""
	}
	sum := sha256.Sum256([]byte("anything-mcp owner\x00" + k.secret()))
	return hex.EncodeToString(sum[:16])
}

// scrubber takes the key out of texts.
type scrubber struct {
	spellings []string // longest first
}

var percentByte = regexp.MustCompile(`%[0-9A-F]{2}`)

// minScrubbed is the length from which a key is told from ordinary words.
// Notte's keys are several times as long.
const minScrubbed = 8

// newScrubber knows the key as it is and as URLs and JSON strings escape it.
func newScrubber(k APIKey) scrubber {
	secret := k.secret()
	if len(secret) < minScrubbed {
		return scrubber{}
	}
	all := []string{secret, url.QueryEscape(secret), url.PathEscape(secret)}
	for _, s := range all[1:] {
		all = append(all, percentByte.ReplaceAllStringFunc(s, strings.ToLower))
	}
	for range 2 { // a run's result is JSON in JSON
		for _, s := range all {
			plain, _ := marshal(s)
			escaped, _ := json.Marshal(s)
			all = append(all, inQuotes(plain), inQuotes(escaped))
		}
	}
	slices.SortFunc(all, func(a, b string) int {
		if d := len(b) - len(a); d != 0 {
			return d
		}
		return strings.Compare(a, b)
	})
	return scrubber{spellings: slices.Compact(all)}
}

// inQuotes is what stands between the quotes of a JSON string.
func inQuotes(b []byte) string { return string(b[1 : len(b)-1]) }

// line is s without the key, as one clean line of at most maxMessage characters.
// The key is looked for again once what might have hidden it is gone, and before
// a cut could leave half of it.
func (c scrubber) line(s string) string {
	return truncate(c.clean(flatten(c.clean(s))))
}

// clean is s with "[redacted]" for every occurrence of the key.
func (c scrubber) clean(s string) string {
	for _, spelling := range c.spellings {
		// ReplaceAll would search the whole of s twice to find nothing.
		if strings.Contains(s, spelling) {
			s = strings.ReplaceAll(s, spelling, redacted)
		}
	}
	return s
}
