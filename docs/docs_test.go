// Package docs_test checks the pages that people read.
package docs_test

import (
	"encoding/json"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/anything-mcp/anything-mcp/cli"
)

// pages returns the text of all pages by their paths from the root of the
// repository, which it makes the working directory.
func pages(t *testing.T) map[string]string {
	t.Helper()
	t.Chdir("..")
	texts := make(map[string]string)
	for _, pattern := range []string{"*.md", "docs/*.md"} {
		paths, err := filepath.Glob(pattern)
		if err != nil {
			t.Fatal(err)
		}
		for _, path := range paths {
			raw, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			texts[path] = strings.ReplaceAll(string(raw), "\r\n", "\n")
		}
	}
	return texts
}

var (
	link    = regexp.MustCompile(`\]\(([^)#:]*)(#[^):]*)?\)`) // to a page of ours
	heading = regexp.MustCompile(`(?m)^#+ (.*)$`)
	noWord  = regexp.MustCompile(`[^\p{L}\p{N}_ -]`)
	block   = regexp.MustCompile("(?ms)^ *```json\n(.*?)```")
)

// anchors returns the anchors of a page, as GitHub makes them.
func anchors(page string) (names []string) {
	for _, match := range heading.FindAllStringSubmatch(page, -1) {
		name := noWord.ReplaceAllString(strings.ToLower(match[1]), "")
		names = append(names, "#"+strings.ReplaceAll(name, " ", "-"))
	}
	return names
}

func TestLinksLeadSomewhere(t *testing.T) {
	texts := pages(t)
	for path, text := range texts {
		for _, match := range link.FindAllStringSubmatch(text, -1) {
			to := path
			if match[1] != "" {
				to = filepath.Join(filepath.Dir(path), match[1])
			}
			if _, err := os.Stat(to); err != nil {
				t.Errorf("%s links to %s, which does not exist", path, match[1])
			} else if match[2] != "" && !slices.Contains(anchors(texts[to]), match[2]) {
				t.Errorf("%s links to %s of %s, which has no such heading", path, match[2], to)
			}
		}
	}
}

func TestEntriesAreJSON(t *testing.T) {
	for path, text := range pages(t) {
		for _, match := range block.FindAllStringSubmatch(text, -1) {
			if !json.Valid([]byte(match[1])) && !json.Valid([]byte("{"+match[1]+"}")) {
				t.Errorf("%s has JSON that cannot be read:\n%s", path, match[1])
			}
		}
	}
}

// The page of settings has the flags of the servers, and no others.
func TestSettingsHaveEachFlag(t *testing.T) {
	flag := regexp.MustCompile(`--[a-z][a-z-]+`)
	var help strings.Builder
	for _, command := range []string{"stdio", "http"} {
		cli.Main([]string{"help", command}, cli.Env{Stdout: &help, Stderr: io.Discard})
	}
	page := pages(t)["docs/settings.md"]
	for _, name := range flag.FindAllString(help.String(), -1) {
		if name != "--help" && !strings.Contains(page, "`"+name+"`") {
			t.Errorf("settings.md lacks %s", name)
		}
	}
	for _, name := range flag.FindAllString(page, -1) {
		if name != "--some-name" && !strings.Contains(help.String(), name+" ") {
			t.Errorf("settings.md has %s, which no server has", name)
		}
	}
}
