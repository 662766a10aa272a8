package sandbox_test

import (
	"flag"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/anything-mcp/anything-mcp/notte/sandbox"
	"github.com/rogpeppe/go-internal/txtar"
)

var update = flag.Bool("update", false, "rewrite the transcripts in testdata")

// TestTranscripts replays the conversations of testdata. The name of a file
// begins with the contract. Each section begins with a new Server. Its scripts
// are those of scripts, by query.
func TestTranscripts(t *testing.T) {
	files, err := filepath.Glob("testdata/*.txtar")
	if err != nil || len(files) == 0 {
		t.Fatal("no transcripts", err)
	}
	for _, name := range files {
		archive, err := txtar.ParseFile(name)
		if err != nil {
			t.Fatal(err)
		}
		api := sandbox.API(filepath.Base(name)[:2])
		for i, section := range archive.Files {
			t.Run(filepath.Base(name)+"/"+section.Name, func(t *testing.T) {
				inBubble(t, func(t *testing.T, s *sandbox.Server) {
					for query, steps := range scripts() {
						s.Script(query, steps...)
					}
					got := replay(t, s, string(section.Data))
					if *update {
						archive.Files[i].Data = []byte(got)
					} else if got != string(section.Data) {
						t.Errorf("got\n%s\nwant\n%s", got, section.Data)
					}
				}, sandbox.WithAPI(api), sandbox.WithSeed(1))
			})
		}
		if *update {
			if err := os.WriteFile(name, txtar.Format(archive), 0o644); err != nil {
				t.Fatal(err)
			}
		}
	}
}

// replay makes the requests of a section and returns the section with the answers
// to them. A line "> METHOD PATH BODY" is a request, ">> " one whose answer is
// shown from its sixth-last event on, and "~ 2s" a pause. "ID1" stands for the
// first UUID that an answer has, "TOKEN1" for the first signature or token.
func replay(t *testing.T, s *sandbox.Server, section string) string {
	var out strings.Builder
	names := newNames()
	for line := range strings.Lines(section) {
		line = strings.TrimSuffix(line, "\n")
		switch mark, rest, _ := strings.Cut(line, " "); mark {
		case ">", ">>":
			fmt.Fprintln(&out, line)
			method, rest, _ := strings.Cut(names.restore(rest), " ")
			path, body, _ := strings.Cut(rest, " ")
			resp := send(t, s, request(t.Context(), method, path, body))
			writeAnswer(&out, names, resp, mark == ">>")
		case "~":
			fmt.Fprintln(&out, line)
			d, err := time.ParseDuration(rest)
			if err != nil {
				t.Fatal(err)
			}
			<-time.After(d)
		case "<":
		default:
			fmt.Fprintln(&out, line)
		}
	}
	return out.String()
}

func writeAnswer(out io.Writer, n *names, resp *http.Response, tail bool) {
	fmt.Fprintln(out, "<", resp.StatusCode, resp.Header.Get("Content-Type"))
	for _, name := range []string{"X-Thread-Id", "X-Vercel-Ai-Ui-Message-Stream"} {
		if value := resp.Header.Get(name); value != "" {
			fmt.Fprintln(out, "<", name+":", n.replace(value))
		}
	}
	data, err := io.ReadAll(resp.Body)
	text := n.replace(string(data))
	if err != nil {
		text += "\n" + err.Error()
	}
	frames := strings.SplitAfter(text, "\n\n")
	if tail && len(frames) > 6 {
		fmt.Fprintln(out, "< …")
		frames = frames[len(frames)-6:]
	}
	for line := range strings.Lines(strings.Join(frames, "")) {
		line = strings.NewReplacer("\n", "", "\r", "␍").Replace(line)
		fmt.Fprintln(out, strings.TrimRight("< "+line, " "))
	}
}
