package cli

import (
	"sync/atomic"

	"github.com/anything-mcp/anything-mcp/text"
)

// secrets removes from texts the secrets that are known. Others become known while the
// program runs. It is safe for concurrent use, but for add.
type secrets struct {
	all   []string
	known atomic.Pointer[text.Redactor]
}

func newSecrets(values ...string) *secrets {
	s := new(secrets)
	s.add(values...)
	return s
}

// add makes secrets known. It must not be called concurrently with itself.
func (s *secrets) add(values ...string) {
	s.all = append(s.all, values...)
	known := text.NewRedactor(s.all...)
	s.known.Store(&known)
}

func (s *secrets) Redact(text string) string { return s.known.Load().Redact(text) }

func (s *secrets) RedactLine(text string, limit int) string {
	return s.known.Load().RedactLine(text, limit)
}
