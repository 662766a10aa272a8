package cli

import (
	"sync/atomic"

	"github.com/anything-mcp/anything-mcp/text"
)

// secrets replaces the known secrets in texts. More can be added while the program
// runs. Its methods are safe for concurrent use, but add must not be called
// concurrently with itself.
type secrets struct {
	all   []string
	known atomic.Pointer[text.Redactor]
}

func newSecrets(values ...string) *secrets {
	s := new(secrets)
	s.add(values...)
	return s
}

// add makes secrets known.
func (s *secrets) add(values ...string) {
	s.all = append(s.all, values...)
	known := text.NewRedactor(s.all...)
	s.known.Store(&known)
}

func (s *secrets) Redact(text string) string { return s.known.Load().Redact(text) }

func (s *secrets) RedactLine(text string, limit int) string {
	return s.known.Load().RedactLine(text, limit)
}
