package notte

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"log/slog"

	"github.com/anything-mcp/anything-mcp/text"
)

// APIKey is a key of Notte's. However it is printed, logged or marshalled, it
// shows as "[redacted]", or as "(none)" if it is empty. Only this package reads
// the secret in it, to send it to the configured hosts.
type APIKey string

// String returns "[redacted]", or "(none)" without a key.
func (k APIKey) String() string {
	if k == "" {
		return "(none)"
	}
	return text.Redacted
}

// GoString keeps the key out of %#v.
func (k APIKey) GoString() string { return "notte.APIKey(" + k.String() + ")" }

// Format keeps the key out of every verb of package fmt: without it, %x and %d
// would print the key's bytes.
func (k APIKey) Format(f fmt.State, verb rune) {
	if verb == 'v' && f.Flag('#') {
		io.WriteString(f, k.GoString())
		return
	}
	io.WriteString(f, k.String())
}

// LogValue keeps the key out of log/slog, whatever the handler.
func (k APIKey) LogValue() slog.Value { return slog.StringValue(k.String()) }

// MarshalText keeps the key out of JSON, XML and similar encodings.
func (k APIKey) MarshalText() ([]byte, error) { return []byte(k.String()), nil }

// secret returns the key itself.
func (k APIKey) secret() string { return string(k) }

// owner returns 32 hexadecimal digits that identify the key without revealing
// it. The prefix makes them differ from a plain hash of the key, which other
// services may have stored.
func (k APIKey) owner() string {
	if k == "" {
		return ""
	}
	sum := sha256.Sum256([]byte("anything-mcp owner\x00" + k.secret()))
	return hex.EncodeToString(sum[:16])
}

// minRedacted is the shortest key that is redacted, in bytes. Notte's keys are
// several times as long. A shorter one may equal an ordinary word, such as the
// key "sandbox" of the built-in sandbox.
const minRedacted = 8

// redactor returns what removes the key from text.
func (k APIKey) redactor() text.Redactor {
	if len(k) < minRedacted {
		return text.Redactor{}
	}
	return text.NewRedactor(k.secret())
}
