package cli

import (
	"bytes"
	"errors"
	"log/slog"
	"strings"
	"testing"
)

func TestRedactor(t *testing.T) {
	r := newRedactor(" key-4711 ", `quo"ted\key`, "abc", "")
	tests := []struct{ text, want string }{
		{"nothing to hide", "nothing to hide"},
		{"key-4711key-4711", redacted + redacted},
		{"Bearer key-4711.", "Bearer " + redacted + "."},
		{`it is quo"ted\key`, "it is " + redacted},
		{`msg="it is quo\"ted\\key"`, `msg="it is ` + redacted + `"`},
		{"abc is too short to be a secret", "abc is too short to be a secret"},
	}
	for _, tt := range tests {
		if got := r.clean(tt.text); got != tt.want {
			t.Errorf("clean(%q) = %q, want %q", tt.text, got, tt.want)
		}
	}
}

// The log hides keys and what opens links, wherever in a record they are and
// whichever format it has.
func TestLogsHideSecrets(t *testing.T) {
	for _, format := range []string{"text", "json"} {
		t.Run(format, func(t *testing.T) {
			var out bytes.Buffer
			p := newProgram(Env{Environ: []string{"NOTTE_API_KEY=key-4711", "ANYTHING_MCP_AUTH_TOKEN=token-4712"}, Stderr: &out})
			p.opts.LogFormat = format
			log := p.logger().With("with", "key-4711").WithGroup("group")
			log.Info("key-4711",
				"err", errors.New(`Get "https://x.example/a?X-Amz-Signature=s3cret&X-Amz-Security-Token=s3cret&page=2": refused`),
				"viewer", "https://viewer.example/s?id=7&token=s3cret#top",
				"any", struct{ Key string }{"token-4712"},
				slog.Group("inner", "link", "see https://cdn.example/f.py?Expires=1&Signature=s3cret"))
			got := out.String()
			for _, secret := range []string{"key-4711", "token-4712", "s3cret"} {
				if strings.Contains(got, secret) {
					t.Errorf("%s is in the log: %s", secret, got)
				}
			}
			for _, kept := range []string{"page=2", "id=7", "refused", "Expires=1", "viewer.example"} {
				if !strings.Contains(got, kept) {
					t.Errorf("%s is lost from the log: %s", kept, got)
				}
			}
			if strings.Count(got, "\n") != 1 {
				t.Errorf("a record is not one line: %q", got)
			}
		})
	}
}
