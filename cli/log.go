package cli

import (
	"errors"
	"fmt"
	"io"
	"log"
	"log/slog"
	"time"

	"github.com/lmittmann/tint"

	"github.com/anything-mcp/anything-mcp/text"
)

// maxLogText bounds a message, and each value beside it, in characters.
const maxLogText = 2000

// startLog makes the logger. The writes of an MCP server never wait for stderr. Those
// of a command for a terminal may wait a moment, so that stderr and stdout stay in order.
// Such a command shows the start and the end of a job itself, and logs nothing at info.
func (p *program) startLog(forTerminal bool) {
	if forTerminal && p.settings.logLevel == "info" {
		p.settings.logLevel = "warn"
	}
	p.log = p.newLogger(p.screen)
	direct := p.newLogger(p.env.Stderr)
	p.stderr.configure(forTerminal, func(missed int) {
		direct.Warn("stderr could not be written, so lines were dropped", "lines", missed)
	})
	// The standard logger has what net/http and other libraries say of a connection.
	log.SetFlags(0)
	log.SetOutput(slog.NewLogLogger(p.log.Handler(), slog.LevelDebug).Writer())
}

// newLogger returns a logger that writes to out. Because some texts come from other
// services, every message is one line of bounded length, without secrets, and with
// links reduced to their hosts.
func (p *program) newLogger(out io.Writer) *slog.Logger {
	var level slog.Level
	_ = level.UnmarshalText([]byte(p.settings.logLevel)) // the flag takes no other words
	replace := func(_ []string, a slog.Attr) slog.Attr {
		a.Value = safeValue(a.Value.Resolve(), p.secrets)
		return a
	}
	if p.settings.logFormat == "json" {
		return slog.New(slog.NewJSONHandler(out, &slog.HandlerOptions{Level: level, ReplaceAttr: replace}))
	}
	return slog.New(tint.NewTextHandler(out, &tint.Options{
		Level:       level,
		ReplaceAttr: replace,
		TimeFormat:  time.TimeOnly,
		NoColor:     !p.screen.colour,
	}))
}

// ownAddress is an address of this program. The log shows the whole of it.
type ownAddress string

// safeValue returns v in a form that is safe to log. Numbers, times and the like do
// not change; anything else becomes text.
func safeValue(v slog.Value, secrets *secrets) slog.Value {
	safe := func(s string) string {
		s = secrets.RedactLine(s, 4*maxLogText) // links become shorter
		return text.OneLine(text.WithoutLinks(s), maxLogText)
	}
	switch v.Kind() {
	case slog.KindString:
		return slog.StringValue(safe(v.String()))
	case slog.KindAny:
		switch value := v.Any().(type) {
		case slog.Level:
			return v
		case ownAddress:
			return slog.StringValue(secrets.Redact(string(value)))
		case error:
			return slog.AnyValue(errors.New(safe(value.Error())))
		default:
			return slog.StringValue(safe(fmt.Sprintf("%+v", value)))
		}
	}
	return v
}
