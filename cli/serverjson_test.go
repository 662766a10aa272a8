package cli

import (
	"encoding/json"
	"os"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/spf13/pflag"
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
			EnvironmentVariables []registryVariable
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
		checkVariables(t, pkg.EnvironmentVariables)
	}
}

// registryVariable is a variable in server.json.
type registryVariable struct {
	Name, Description, Default, Placeholder, Format string
	Choices                                         []string
	IsSecret, IsRequired                            bool
}

// checkVariables checks that variables are those of flags of the command stdio, with
// the same defaults, and of the key.
func checkVariables(t *testing.T, variables []registryVariable) {
	t.Helper()
	stdio, _, err := newProgram(Env{}).rootCommand().Find([]string{"stdio"})
	if err != nil {
		t.Fatal(err)
	}
	flags := map[string]*pflag.Flag{}
	know := func(f *pflag.Flag) { flags[variable(f.Name)] = f }
	stdio.Flags().VisitAll(know)
	stdio.InheritedFlags().VisitAll(know)
	for _, v := range variables {
		if v.Description == "" || v.IsRequired || !slices.Contains([]string{"", "string", "number", "boolean", "filepath"}, v.Format) {
			t.Errorf("%s has the description %q and the format %q; required: %v", v.Name, v.Description, v.Format, v.IsRequired)
		}
		if v.IsSecret != (v.Name == keyVariable) {
			t.Errorf("%s: isSecret is %v", v.Name, v.IsSecret)
		}
		flag := flags[v.Name]
		if flag == nil && v.Name != keyVariable {
			t.Errorf("no flag of stdio has the variable %s", v.Name)
		}
		if flag == nil {
			continue
		}
		for _, value := range append(v.Choices, v.Placeholder, v.Default) {
			if value == "" {
				continue
			}
			if err := flag.Value.Set(value); err != nil {
				t.Errorf("%s does not take %q: %v", v.Name, value, err)
			}
		}
		if v.Default != "" && flag.Value.String() != flag.DefValue {
			t.Errorf("the default of %s is %s, and %s in server.json", v.Name, flag.DefValue, v.Default)
		}
	}
}
