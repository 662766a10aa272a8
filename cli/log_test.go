package cli

import (
	"bytes"
	"encoding/json"
	"errors"
	"log/slog"
	"strings"
	"testing"
	"time"
)

// logged returns what log writes in a format.
func logged(t *testing.T, format string, log func(*slog.Logger)) string {
	t.Helper()
	var out bytes.Buffer
	p := newProgram(Env{Environ: []string{"NOTTE_API_KEY=key-4711", "ANYTHING_MCP_AUTH_TOKEN=token-4712"}, Stderr: &out})
	p.settings.logFormat = format
	log(p.newLogger(p.screen))
	p.stderr.await()
	return out.String()
}

func TestLogHidesSecretsAndLinks(t *testing.T) {
	for _, format := range []string{"text", "json"} {
		t.Run(format, func(t *testing.T) {
			got := logged(t, format, func(log *slog.Logger) {
				log.With("with", "key-4711").WithGroup("group").Info("key-4711",
					"err", errors.New(`Get "https://x.example/s3cret?X-Amz-Signature=s3cret&page=2": refused`),
					"viewer", "https://viewer.example/s3cret?token=s3cret#top",
					"any", struct{ Key, Link string }{"token-4712", "https://any.example/s3cret"},
					"split", "key-\u200b4711",
					"own", ownAddress("http://127.0.0.1:8808/mcp"),
					slog.Group("inner", "link", "see https://cdn.example/f.py?Expires=1&Signature=s3cret"))
			})
			for _, secret := range []string{"key-4711", "token-4712", "s3cret"} {
				if strings.Contains(got, secret) {
					t.Errorf("%s is in the log: %s", secret, got)
				}
			}
			for _, kept := range []string{"https://x.example/…", "refused", "viewer.example", "any.example", "cdn.example", "http://127.0.0.1:8808/mcp"} {
				if !strings.Contains(got, kept) {
					t.Errorf("%s is not in the log: %s", kept, got)
				}
			}
			if strings.Count(got, "\n") != 1 {
				t.Errorf("a record is not one line: %q", got)
			}
		})
	}
}

// An upstream can send megabytes in one line, or many lines.
func TestLogBoundsWhatItWrites(t *testing.T) {
	huge := strings.Repeat("x", 4<<20) + " https://x.example/s3cret/" + strings.Repeat("y", 4<<20)
	hostile := "line one\nline two\r\x1b[31mred\x1b]0;title\x07\u202e" + strings.Repeat("\x1b[0m", 1<<20)
	link := "https://x.example/" + strings.Repeat("s3cret/", 1<<20) // leaves little, and then nothing of the path
	for _, format := range []string{"text", "json"} {
		t.Run(format, func(t *testing.T) {
			got := logged(t, format, func(log *slog.Logger) {
				log.Info(huge, "err", errors.New(huge), "string", hostile, "any", []string{huge}, "link", link, slog.Group("g", "in", huge))
			})
			if len(got) > 10*maxLogText {
				t.Errorf("the record has %d bytes", len(got))
			}
			if strings.Count(got, "\n") != 1 || strings.ContainsAny(got, "\x1b\r\u202e") || strings.Contains(got, "s3cret") {
				t.Errorf("the record is not one clean line: %.3000q", got)
			}
			if !strings.Contains(got, "line one line two red") {
				t.Errorf("the text is lost: %.3000q", got)
			}
		})
	}
}

func TestLogKeepsTypes(t *testing.T) {
	got := logged(t, "json", func(log *slog.Logger) {
		log.Warn("m", "n", 7, "d", time.Second, "ok", true)
	})
	var record map[string]any
	if err := json.Unmarshal([]byte(got), &record); err != nil {
		t.Fatal(err)
	}
	delete(record, "time")
	want := map[string]any{"level": "WARN", "msg": "m", "n": 7.0, "d": 1e9, "ok": true}
	for key, value := range want {
		if record[key] != value {
			t.Errorf("%s is %v, want %v", key, record[key], value)
		}
	}
}
