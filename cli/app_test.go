package cli

import (
	"io"
	"strings"
	"testing"
)

// TestUnfitServerLeavesJobsAlone has a key at hand and a setting that is wrong. What is
// kept of earlier jobs might depend on it.
func TestUnfitServerLeavesJobsAlone(t *testing.T) {
	for _, wrong := range []string{"", "ANYTHING_MCP_KEEP=for ever"} {
		p := newProgram(Env{Environ: []string{"NOTTE_API_KEY=key-4711", wrong}, Stdin: strings.NewReader(""), Stdout: io.Discard, Stderr: io.Discard})
		root := p.rootCommand()
		if err := p.prepare(root, nil); err != nil {
			t.Fatal(err)
		}
		a, err := p.newApp(storeFlags{stateDir: inMemory}, limitFlags{})
		if err != nil {
			t.Fatal(err)
		}
		a.Close()
		if looksAfter := a.settled; looksAfter != (wrong == "") || (a.unfit == nil) != looksAfter {
			t.Errorf("with %q it looks after jobs: %v", wrong, looksAfter)
		}
	}
}
