package docs_test

import (
	"encoding/base64"
	"encoding/json"
	"io"
	"net/url"
	"path/filepath"
	"reflect"
	"regexp"
	"strings"
	"testing"

	"github.com/anything-mcp/anything-mcp/cli"
)

var button = regexp.MustCompile(`(cursor|vscode|lmstudio):[^\s)` + "`" + `]+|https://[a-z.]*(cursor\.com|vscode\.dev|lmstudio\.ai)/[^\s)` + "`" + `]+`)

// TestButtons decodes each link that adds our entry to a host. It is the entry that the
// command install writes for a user who has no key yet, but for the command: a link knows
// no path.
func TestButtons(t *testing.T) {
	want := map[string]any{"cursor": printed(t, "cursor"), "lmstudio": printed(t), "vscode": printed(t, "vscode")}
	for path, text := range pages(t) {
		found := make(map[string]int)
		for _, link := range button.FindAllString(text, -1) {
			host, got := decodeButton(t, link)
			if !reflect.DeepEqual(got, want[host]) {
				t.Errorf("%s has a link for %s with %v, want %v", path, host, got, want[host])
			}
			found[host]++
		}
		for host := range want {
			if n := map[string]int{"README.md": 1, filepath.Join("docs", "hosts.md"): 2}[path]; found[host] != n {
				t.Errorf("%s has %d links for %s, want %d", path, found[host], host, n)
			}
		}
	}
}

// printed returns the entry that install --print writes, as a link has it.
func printed(t *testing.T, host ...string) map[string]any {
	t.Helper()
	home := t.TempDir()
	const keyringOff = "ANYTHING_MCP_KEYRING=off" // the key of who runs the test is not looked for
	var out strings.Builder
	code := cli.Main(append([]string{"install", "--print"}, host...), cli.Env{
		Environ: []string{"HOME=" + home, "USERPROFILE=" + home, keyringOff, "NOTTE_API_KEY=sk_not_to_be_written"},
		Stdout:  &out, Stderr: io.Discard,
	})
	_, text, _ := strings.Cut(out.String(), "{")
	var file map[string]any
	if err := json.Unmarshal([]byte("{"+text), &file); code != 0 || err != nil {
		t.Fatalf("install --print %v: exit code %d, %v:\n%s", host, code, err, &out)
	}
	servers, _ := file["mcpServers"].(map[string]any)
	if servers == nil {
		servers, _ = file["servers"].(map[string]any)
	}
	entry, _ := servers["anything"].(map[string]any)
	if entry == nil {
		t.Fatalf("install --print %v has no entry:\n%s", host, &out)
	}
	env, _ := entry["env"].(map[string]any)
	delete(env, "ANYTHING_MCP_KEYRING")
	if len(env) == 0 {
		delete(entry, "env")
	}
	if inputs, ok := file["inputs"]; ok {
		entry["inputs"] = inputs
	}
	entry["name"], entry["command"] = "anything", "anything-mcp"
	return entry
}

// decodeButton returns the host of a link and the entry in it, with its name.
func decodeButton(t *testing.T, link string) (host string, entry map[string]any) {
	t.Helper()
	u, err := url.Parse(link)
	if err != nil {
		t.Fatal(err)
	}
	if to := u.Query().Get("url"); u.Path == "/redirect" {
		return decodeButton(t, to)
	}
	for _, name := range []string{"cursor", "vscode", "lmstudio"} {
		if strings.Contains(u.Scheme+u.Host, name) {
			host = name
		}
	}
	var raw []byte
	if host == "vscode" {
		text, _ := url.PathUnescape(u.RawQuery)
		raw = []byte(text)
	} else if raw, err = base64.StdEncoding.DecodeString(u.Query().Get("config")); err != nil {
		t.Fatalf("%s: %v", link, err)
	}
	if err := json.Unmarshal(raw, &entry); err != nil {
		t.Fatalf("%s has %s: %v", link, raw, err)
	}
	if name := u.Query().Get("name"); name != "" {
		entry["name"] = name
	}
	return host, entry
}
