package notte

import (
	"errors"
	"flag"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/txtar"
)

var update = flag.Bool("update", false, "write what the transcripts' events are now")

// TestTranscripts reads the streams of testdata, whole and byte by byte, with
// each of the three line ends.
func TestTranscripts(t *testing.T) {
	files, err := filepath.Glob("testdata/*.txtar")
	if err != nil || len(files) == 0 {
		t.Fatal("no transcripts", err)
	}
	for _, name := range files {
		t.Run(strings.TrimSuffix(filepath.Base(name), ".txtar"), func(t *testing.T) {
			archive, err := txtar.ParseFile(name)
			if err != nil {
				t.Fatal(err)
			}
			stream, events := string(archive.Files[0].Data), &archive.Files[1]
			if *update {
				events.Data = []byte(transcribe(name, strings.NewReader(stream)))
				if err := os.WriteFile(name, txtar.Format(archive), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			for _, end := range []string{"\n", "\r\n", "\r"} {
				for _, size := range []int{1, 7, 1 << 20} {
					got := transcribe(name, pieces(strings.ReplaceAll(stream, "\n", end), size))
					if got != string(events.Data) {
						t.Fatalf("in pieces of %d, with line ends %q:\n%s", size, end, got)
					}
				}
			}
		})
	}
}

// transcribe reads the stream of a transcript: in v2 a build's, and otherwise a
// run's, which passes on all that a build's in v1 does.
func transcribe(name string, r io.Reader) string {
	var b strings.Builder
	s := testStream(r)
	s.decoder.run = !strings.HasPrefix(filepath.Base(name), "v2-")
	for ev, err := range s.Events() {
		line := strings.NewReplacer("\n", "⏎", "\x1b", "").Replace(describe(ev))
		if errors.Is(err, io.ErrUnexpectedEOF) {
			line = "unexpected EOF"
		}
		b.WriteString(line + "\n")
	}
	return b.String()
}
