package main

import (
	"bytes"
	"regexp"
	"strings"
	"testing"

	"github.com/anything-mcp/anything-mcp/jobs/sqlite"
	"github.com/anything-mcp/anything-mcp/notte"
	"github.com/anything-mcp/anything-mcp/notte/sandbox"
)

// The program builds once and runs twice, because its database outlives it.
func TestBuildAndRun(t *testing.T) {
	stand := sandbox.New(sandbox.WithSpeed(0))
	defer stand.Close()
	client, err := notte.NewClient(notte.Config{Key: "any-key", HTTPClient: stand.Client()})
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	for _, before := range []string{"false", "true"} {
		store := sqlite.New(dir)
		var out bytes.Buffer
		if err := buildAndRun(t.Context(), &out, client, store, "fetch the top 3 posts"); err != nil {
			t.Fatalf("%v\n%s", err, &out)
		}
		if err := store.Close(); err != nil {
			t.Fatal(err)
		}
		wanted := regexp.MustCompile(`(?s)^build_\w+ \(was there before: ` + before + `\)\n.*built \S+ for \d\.\d\d dollars\nrun_\w+ \(was there before: false\)\n.*\n[\[{].*[\]}]\n$`)
		if !wanted.MatchString(out.String()) {
			t.Errorf("it wrote\n%s", &out)
		}
	}
	starts := 0
	for _, r := range stand.Requests() {
		if strings.HasSuffix(r.Path, "/anything/start") {
			starts++
		}
	}
	if starts != 1 {
		t.Errorf("Notte was asked for %d builds, want 1", starts)
	}
}
