package main

import (
	"bytes"
	"os"
	"os/exec"
	"regexp"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"
	"github.com/rogpeppe/go-internal/txtar"

	"github.com/anything-mcp/anything-mcp/cli"
)

// TestMain makes anything-mcp a command that the tests run as a process of its own.
func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){"anything-mcp": func() {
		os.Exit(cli.Main(os.Args[1:], cli.Env{Environ: os.Environ(), Stdin: os.Stdin, Stdout: os.Stdout, Stderr: os.Stderr}))
	}})
}

func readTranscript(t *testing.T) map[string]txtar.File {
	t.Helper()
	archive, err := txtar.ParseFile("testdata/transcript.txtar")
	if err != nil {
		t.Fatal(err)
	}
	parts := make(map[string]txtar.File)
	for _, file := range archive.Files {
		parts[file.Name] = file
	}
	return parts
}

func TestPicturesShowTheTranscript(t *testing.T) {
	for name, part := range readTranscript(t) {
		got, err := os.ReadFile("../" + name + ".svg")
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(got, draw(part)) {
			t.Errorf("docs/%s.svg is not drawn from the transcript: go run ./docs/pictures", name)
		}
	}
}

// varying is what may differ between recordings. The text of a result repeats its
// structured content. A quick build ends before its viewer link is shown.
var varying = regexp.MustCompile(`(?m)^.*Watch live.*\n|^.*notifications/progress.*\n|"content":.*"structuredContent"|␛\[\d+m|` +
	`\b(build|run)_[a-z2-7]{26}\b|[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}|\b\d{4}-\d\d-\d\d[ T][\d:.]+Z?|` +
	`\b[\d.]+s\b|"elapsed_seconds":[\d.]+`)

func TestTranscriptIsWhatTheProgramSays(t *testing.T) {
	t.Setenv("ANYTHING_MCP_SANDBOX_SPEED", "0")
	t.Setenv("ANYTHING_MCP_STATE_DIR", t.TempDir())
	output, err := exec.Command("anything-mcp", "build", "--sandbox", query).CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, output)
	}
	t.Setenv("ANYTHING_MCP_STATE_DIR", t.TempDir()) // so that this build is not joined
	chat, err := talk(exec.Command("anything-mcp", "stdio", "--sandbox"))
	if err != nil {
		t.Fatal(err)
	}
	now := map[string]string{"terminal": "$ " + command + "\n" + string(output), "chat": chat}
	for name, part := range readTranscript(t) {
		got, want := invariant(now[name]), invariant(string(part.Data))
		if got != want {
			t.Errorf("the program has changed: go run ./docs/pictures -record\nThe %s is now\n%s\nand was\n%s", name, got, want)
		}
	}
}

// invariant returns what is the same in each recording, as one line, because only a
// terminal has its lines wrapped.
func invariant(recorded string) string {
	return strings.Join(strings.Fields(varying.ReplaceAllString(recorded, "")), " ")
}
