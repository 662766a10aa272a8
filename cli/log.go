package cli

import (
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/lmittmann/tint"

	"github.com/anything-mcp/anything-mcp/text"
)

// maxLogText bounds a message, and each value beside it, in characters.
const maxLogText = 2000

// newLogger returns the logger of the program, which writes to out. Because some
// texts come from other services, every message is one line of bounded length,
// without secrets, and with links reduced to their hosts.
func (s settings) newLogger(out *screen, secrets text.Redactor) *slog.Logger {
	var level slog.Level
	_ = level.UnmarshalText([]byte(s.logLevel)) // the flag takes no other words
	replace := func(_ []string, a slog.Attr) slog.Attr {
		a.Value = safeValue(a.Value.Resolve(), secrets)
		return a
	}
	if s.logFormat == "json" {
		return slog.New(slog.NewJSONHandler(out, &slog.HandlerOptions{Level: level, ReplaceAttr: replace}))
	}
	return slog.New(tint.NewTextHandler(out, &tint.Options{
		Level:       level,
		ReplaceAttr: replace,
		TimeFormat:  time.TimeOnly,
		NoColor:     !out.colour,
	}))
}

// ownAddress is an address of this program. The log shows the whole of it.
type ownAddress string

// safeValue returns v in a form that is safe to log. Numbers, times and the like do
// not change; anything else becomes text.
func safeValue(v slog.Value, secrets text.Redactor) slog.Value {
	safe := func(s string) string {
		s = secrets.RedactLine(s, 4*maxLogText) // links become shorter
		return text.OneLine(text.WithoutLinks(s), maxLogText)
	}
	switch v.Kind() {
	case slog.KindString:
		return slog.StringValue(safe(v.String()))
	case slog.KindAny:
		switch any := v.Any().(type) {
		case slog.Level:
			return v
		case ownAddress:
			return slog.StringValue(secrets.Redact(string(any)))
		case error:
			return slog.AnyValue(errors.New(safe(any.Error())))
		default:
			return slog.StringValue(safe(fmt.Sprintf("%+v", any)))
		}
	}
	return v
}
