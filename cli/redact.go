package cli

import (
	"io"
	"regexp"
	"strconv"
	"strings"
	"sync"
)

const redacted = "[redacted]"

// redactor takes secrets out of texts: the last of several nets.
type redactor struct {
	spellings []string
}

// newRedactor knows secrets as they are and as strings are quoted. One of less
// than four characters is no secret, and would make any text unreadable.
func newRedactor(secrets ...string) redactor {
	var r redactor
	for _, secret := range secrets {
		if secret = strings.TrimSpace(secret); len(secret) >= 4 {
			quoted := strings.Trim(strconv.Quote(secret), `"`)
			r.spellings = append(r.spellings, secret)
			if quoted != secret {
				r.spellings = append(r.spellings, quoted)
			}
		}
	}
	return r
}

func (r redactor) clean(s string) string {
	for _, spelling := range r.spellings {
		s = strings.ReplaceAll(s, spelling, redacted)
	}
	return s
}

// logWriter takes out of a log what opens a link: the tokens and signatures in
// the query of a URL. It has to be given whole records, as slog's handlers
// write them. The secrets that are known are the screen's business.
type logWriter struct {
	out    io.Writer
	signed func() *regexp.Regexp // compiled when first needed: most processes log no link
}

func newLogWriter(out io.Writer) logWriter {
	return logWriter{out, sync.OnceValue(func() *regexp.Regexp {
		return regexp.MustCompile(`(?i)([?&](?:[\w.-]*(?:token|signature|credential|secret|api[_-]?key)[\w.-]*|sig|key|auth)=)[^&\s"'<>\\]+`)
	})}
}

func (w logWriter) Write(record []byte) (int, error) {
	text := string(record)
	if strings.Contains(text, "?") {
		text = w.signed().ReplaceAllString(text, "${1}"+redacted)
	}
	if _, err := io.WriteString(w.out, text); err != nil {
		return 0, err
	}
	return len(record), nil
}
