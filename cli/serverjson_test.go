package cli

import (
	"encoding/json"
	"os"
	"strings"
	"testing"
	"unicode/utf8"
)

// TestServerJSON checks that server.json describes this program.
func TestServerJSON(t *testing.T) {
	raw, err := os.ReadFile("../server.json")
	if err != nil {
		t.Fatal(err)
	}
	var entry struct {
		Schema      string `json:"$schema"`
		Name        string
		Description string
		Version     string
		Packages    []struct {
			EnvironmentVariables []struct {
				Name, Default string
				IsSecret      bool
			}
		}
	}
	if err := json.Unmarshal(raw, &entry); err != nil {
		t.Fatal(err)
	}
	if entry.Name != "io.github.anything-mcp/anything-mcp" || entry.Version != version || !strings.Contains(entry.Schema, "/2025-12-11/") {
		t.Errorf("server.json has name %s, version %s and schema %s; the version is %s", entry.Name, entry.Version, entry.Schema, version)
	}
	if n := utf8.RuneCountInString(entry.Description); n == 0 || n > 100 {
		t.Errorf("the description has %d characters, and the schema allows 1 to 100", n)
	}
	for _, pkg := range entry.Packages {
		for _, v := range pkg.EnvironmentVariables {
			if strings.Contains(v.Name, "KEY") != v.IsSecret {
				t.Errorf("%s: isSecret is %v", v.Name, v.IsSecret)
			}
			if strings.HasPrefix(v.Name, prefix) && !settingExists(t, v.Name) {
				t.Errorf("no flag has the variable %s", v.Name)
			}
		}
	}
}

// settingExists reports whether a flag has the variable: the program warns if
// none has.
func settingExists(t *testing.T, name string) bool {
	t.Helper()
	var out, log strings.Builder
	Main([]string{"version"}, Env{Environ: []string{name + "=true"}, Stdout: &out, Stderr: &log})
	return !strings.Contains(log.String(), name)
}
