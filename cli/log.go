package cli

import (
	"log/slog"
	"time"

	"github.com/lmittmann/tint"
)

// logger logs to stderr as the settings say, above the status line if there
// is one.
func (p *program) logger() *slog.Logger {
	var level slog.Level
	if level.UnmarshalText([]byte(p.opts.LogLevel)) != nil {
		level = slog.LevelInfo // kong lets no other level pass
	}
	out := newLogWriter(p.screen)
	if p.opts.LogFormat == "json" {
		return slog.New(slog.NewJSONHandler(out, &slog.HandlerOptions{Level: level}))
	}
	return slog.New(tint.NewTextHandler(out, &tint.Options{
		Level:      level,
		TimeFormat: time.TimeOnly,
		NoColor:    !p.screen.colour,
	}))
}
