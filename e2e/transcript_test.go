package e2e_test

import (
	"fmt"
	"os"
	"os/exec"
	"regexp"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/txtar"
)

// answerMark begins each line of the program in a transcript.
const answerMark = "< "

// replay calls play for each file of an archive, with the input: the lines before
// the program's. play returns the program's lines, which must be those of the
// file. With -update replay rewrites the archive instead.
func replay(t *testing.T, path string, play func(t *testing.T, input string) (output string)) {
	t.Helper()
	archive, err := txtar.ParseFile(path)
	if err != nil {
		t.Fatal(err)
	}
	for i, file := range archive.Files {
		t.Run(file.Name, func(t *testing.T) {
			input, _, _ := strings.Cut(string(file.Data), answerMark)
			input = strings.TrimRight(input, "\n")
			var got strings.Builder
			fmt.Fprintln(&got, input)
			for line := range strings.Lines(play(t, input)) {
				fmt.Fprintln(&got, answerMark+strings.TrimRight(line, "\n"))
			}
			if *update {
				archive.Files[i].Data = []byte(got.String())
			} else if got.String() != string(file.Data) {
				t.Errorf("the transcript differs; got\n%s\nwant\n%s", got.String(), file.Data)
			}
		})
	}
	if *update {
		if err := os.WriteFile(path, txtar.Format(archive), 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

var repeated = regexp.MustCompile(`\{([0-9]+) times (.)\}`)

// expand replaces {5000 times x} by 5000 times x.
func expand(text string) string {
	return repeated.ReplaceAllStringFunc(text, func(match string) string {
		var n int
		parts := repeated.FindStringSubmatch(match)
		fmt.Sscan(parts[1], &n)
		return strings.Repeat(parts[2], n)
	})
}

// The server answers invalid input where JSON-RPC asks for it, writes only
// JSON-RPC, and goes on.
func TestHostileInput(t *testing.T) {
	t.Parallel()
	_, url := newSandbox(t)
	replay(t, "testdata/hostile.txtar", func(t *testing.T, input string) string {
		h := newHost(t, url)
		h.write(expand(input) + "\n" + `{"jsonrpc":"2.0","id":"the last","method":"ping"}`)
		h.closeStdin()
		h.exits(0)
		return h.stdout.String()
	})
}

// Wrong command lines, with their messages and exit codes.
func TestExitCodes(t *testing.T) {
	skipManyProcesses(t)
	t.Parallel()
	_, url := newSandbox(t)
	replay(t, "testdata/exits.txtar", func(t *testing.T, input string) string {
		fields := strings.Fields(input)
		var env []string
		for len(fields) > 0 && strings.Contains(fields[0], "=") && !strings.HasPrefix(fields[0], "-") {
			env, fields = append(env, fields[0]), fields[1:]
		}
		cmd := exec.Command(binary, fields...)
		cmd.Env = environ(t, url, env...)
		out, err := cmd.CombinedOutput()
		checkSecrets(t, "the output", string(out))
		return fmt.Sprintf("exit %d\n%s", exitCode(err), out)
	})
}
