package e2e_test

import (
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
)

// stateBelow is where the program keeps its state below a home directory.
func stateBelow(home string) string {
	switch runtime.GOOS {
	case "darwin":
		return filepath.Join(home, "Library", "Application Support", "anything-mcp")
	case "windows":
		return filepath.Join(home, "anything-mcp") // the tests make LocalAppData the home
	}
	return filepath.Join(home, ".local", "state", "anything-mcp")
}

// The key is found where the user keeps it. None of these servers has it in its
// environment.
func TestKeyElsewhere(t *testing.T) {
	skipManyProcesses(t)
	for _, test := range []struct {
		place string
		file  string // below the home
		text  string
		env   string
		flag  string
		told  string // by calls; empty: they build
	}{
		{place: "kept by login", file: "state/key", text: apiKey + "\n"},
		{place: "kept by login, and a host passed a placeholder on", file: "state/key", text: apiKey, env: "NOTTE_API_KEY=${NOTTE_API_KEY}"},
		{place: "a file named by a variable", file: "k.txt", text: "NOTTE_API_KEY='" + apiKey + "'\r\n", env: "ANYTHING_MCP_API_KEY_FILE=HOME/k.txt"},
		{place: "a file below the home", file: "k.txt", text: apiKey, env: "ANYTHING_MCP_API_KEY_FILE=~/k.txt"},
		{place: "a file named by a flag, before another key", file: "k.txt", text: apiKey, env: "NOTTE_API_KEY=another-key-1234", flag: "--api-key-file=HOME/k.txt"},
		{place: "Notte's own command line", file: ".notte/cli/config.json", text: `{"api_key": "` + apiKey + `", "api_url": "URL"}`},
		{place: "Notte's own command line, for another account", file: ".notte/cli/config.json", text: `{"api_key": "` + apiKey + `"}`, told: "No Notte API key is set"},
		{place: "a file that is not there, before another key", env: "ANYTHING_MCP_API_KEY_FILE=HOME/none.txt", told: "none.txt"},
		{place: "an empty file", file: "k.txt", text: "\n", flag: "--api-key-file=HOME/k.txt", told: "gives no key"},
		{place: "a file with a placeholder", file: "k.txt", text: "<your key>", flag: "--api-key-file=HOME/k.txt", told: "gives a placeholder"},
	} {
		t.Run(test.place, func(t *testing.T) {
			t.Parallel()
			for transport, e := range map[string]era{"stdio": legacy, "http": modern} {
				_, url := newSandbox(t)
				home := t.TempDir()
				names := strings.NewReplacer("HOME", home, "URL", url)
				if test.file != "" {
					file := filepath.Join(home, strings.TrimPrefix(test.file, "state/"))
					if strings.HasPrefix(test.file, "state/") {
						file = filepath.Join(stateBelow(home), filepath.Base(file))
					}
					if err := os.MkdirAll(filepath.Dir(file), 0o700); err != nil {
						t.Fatal(err)
					}
					if err := os.WriteFile(file, []byte(names.Replace(test.text)), 0o600); err != nil {
						t.Fatal(err)
					}
				}
				env := []string{"NOTTE_API_KEY=", "HOME=" + home, "USERPROFILE=" + home, "LocalAppData=" + home}
				if test.env != "" {
					env = append(env, names.Replace(test.env))
				}
				var flags []string
				if test.flag != "" {
					flags = append(flags, names.Replace(test.flag))
				}
				c, _ := serveWith(t, transport, e, url, env, flags...)
				if test.told == "" {
					checkFit(t, c)
				} else if out := c.outcome(c.build("a build")); !out.isError || !strings.Contains(out.text, test.told) {
					t.Errorf("a build was answered with %s, which lacks %q", out.text, test.told)
				}
			}
		})
	}
}

// A user who logs in while the server runs does not have to restart it.
func TestLoginWhileTheServerRuns(t *testing.T) {
	_, url := newSandbox(t)
	home := t.TempDir()
	c, _ := serveWith(t, "stdio", modern, url, []string{"NOTTE_API_KEY=", "HOME=" + home, "USERPROFILE=" + home, "LocalAppData=" + home})
	if out := c.outcome(c.build("a build")); !out.isError || !strings.Contains(out.text, "anything-mcp login") {
		t.Fatalf("without a key a build was answered with %s", out.text)
	}
	dir := stateBelow(home)
	if err := os.MkdirAll(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "key"), []byte(apiKey), 0o600); err != nil {
		t.Fatal(err)
	}
	checkFit(t, c)
}
