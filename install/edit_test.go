package install

import (
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

var added = Server{Name: "anything", Command: `C:\a "b".exe`, Args: []string{"stdio"}, KeyName: "KEY", Settings: []Setting{{"é\x7f", "\u2028\n"}}}

// hostNamed returns the host with a name.
func hostNamed(name string) *Host {
	for _, h := range hosts {
		if h.Name == name {
			return h
		}
	}
	panic("there is no host " + name)
}

// edits adds the server to a text and removes it again. It returns false if the text is
// refused or has the server already.
func edits(t *testing.T, h *Host, text string) (after, back string, ok bool) {
	p := &Plan{Host: h}
	if p.parse(text) != nil || p.doc.get(h.servers, added.Name) != nil {
		return "", "", false
	}
	before := plan(t, h, text)
	if err := p.write(added); err != nil {
		return "", "", false
	}
	after = p.after
	again := plan(t, h, after)
	if err := again.write(added); err != nil || len(again.Changes) > 0 {
		t.Errorf("%q becomes %q, and that %q, %v", text, after, again.after, err)
	}
	if err := errors.Join(p.remove(h.servers, added.Name), p.tidy(before)); err != nil {
		t.Errorf("%q becomes %q: %v", text, after, err)
	}
	if !reflect.DeepEqual(p.doc.get(), before.doc.get()) {
		t.Errorf("%q becomes %q, and then has other values: %q", text, after, p.after)
	}
	return after, p.after, true
}

func plan(t *testing.T, h *Host, text string) *Plan {
	p := &Plan{Host: h}
	if err := p.parse(text); err != nil {
		t.Fatalf("%q: %v", text, err)
	}
	return p
}

// withoutJoints returns a text of JSON without what joins its values.
func withoutJoints(text string) string {
	return strings.NewReplacer(" ", "", "\t", "", "\r", "", "\n", "", ",", "").Replace(text)
}

func FuzzJSON(f *testing.F) {
	for _, text := range []string{
		`{}`, `{ }`, "{\n}", `{"mcpServers":{}}`, `{"mcpServers": {"a": {}}, "b": 1}`, "{\"a\": 1, // c\n}", "{\r\n\t\"a\": [],\r\n}\r\n",
		`{"mcpServers": {"a": 1 /* c */ , /* d */ } /* e */ } // f`, "{//\n}", "{\"mcpServers\":{\"a\":1//\n}}", `{"a":"\u0000","a":2}`,
		"{\n\"mcpServers\": {// c\n\"a\":[] }\n}", `{"mcpServers":{"\ud800":1e999}}`, `{"mcpServers":[]}`, "{/*\n*/}", "{\"mcpServers\":{\n// a\n}}",
	} {
		f.Add(text)
	}
	h := hostNamed("cursor")
	f.Fuzz(func(t *testing.T, text string) {
		after, back, ok := edits(t, h, text)
		if ok && withoutJoints(back) != withoutJoints(text) && strings.Trim(text, blanks) != "" {
			t.Errorf("%q becomes %q and then %q", text, after, back)
		}
		if p := (&Plan{Host: h}); ok && p.parse(text) == nil {
			kids, _ := p.doc.get(h.servers).(map[string]any)
			last := strings.TrimRight(strings.TrimSuffix(text, "}"), blanks)
			if len(kids) > 0 && !strings.Contains(text, "/") && !strings.HasSuffix(last, ",") && !commaAtEnd(text) && back != text {
				t.Errorf("%q becomes %q and not the same again: %q", text, after, back)
			}
		}
	})
}

// commaAtEnd reports whether a text of JSON may have a comma after a last member.
func commaAtEnd(text string) bool {
	squeezed := strings.NewReplacer(" ", "", "\t", "", "\r", "", "\n", "").Replace(text)
	return strings.Contains(squeezed, ",}") || strings.Contains(squeezed, ",]")
}

// FuzzTOML checks that a file is the same again when the server has come and gone.
func FuzzTOML(f *testing.F) {
	for _, text := range []string{
		"", "a = 1", "[a]\nb.c = 1\n[a.b.d]\n", "[a.b]\n[a]\n", "[a]\n[a]\n", "a.b = 1\n[a]\n", "[[a]]\nb = 1\n[[a]]\n[a.c]\n", "a = {b = {c = 1}, b.d = 2}",
		"[mcp_servers.x]\ncommand = \"\"\"\n[mcp_servers.anything]\n\"\"\" # c\n\n", "[mcp_servers]\nx.y = 1\n", "[mcp_servers]\n#", "mcp_servers.x = 1\r\n", "a = [1, {b = 1}, [\n]]",
		"[a.b.c]\n[a]\nb.d = 1\n", "a = 1979-05-27 07:32:00Z\nb = +inf\nc = 0x_1", "\"\" = ''\n'a\"' = \"\\u00e9\"\n", "[mcp_servers.\"x y\"]\n \n\t[b]\n\tc = 1\n",
	} {
		f.Add(text)
	}
	h := hostNamed("codex")
	f.Fuzz(func(t *testing.T, text string) {
		if after, back, ok := edits(t, h, text); ok && strings.TrimSpace(back) != strings.TrimSpace(text) {
			t.Errorf("%q becomes %q and not the same again: %q", text, after, back)
		}
	})
}

// TestLock writes a file while a host has its lock, after it, and over a leftover.
func TestLock(t *testing.T) {
	for _, tt := range []struct {
		name  string
		held  time.Duration // by the host; -1: for ever
		waits time.Duration
	}{{"free", 0, 0}, {"held", time.Second, time.Second}, {"left over", -1, lockTime}} {
		synctest.Test(t, func(t *testing.T) {
			home := t.TempDir()
			file := filepath.Join(home, ".claude.json")
			if err := os.WriteFile(file, []byte("{}"), 0o600); err != nil {
				t.Fatal(err)
			}
			lock := file + ".lock"
			if tt.held != 0 {
				os.Mkdir(lock, 0o700)
			}
			if tt.held > 0 {
				time.AfterFunc(tt.held, func() { os.Remove(lock) })
			}
			start := time.Now()
			p, err := hostNamed("claude-code").Install(Env{Home: home, Backups: filepath.Join(home, "b")}, added)
			if err != nil {
				t.Fatal(err)
			}
			if _, err := p.Apply(); err != nil {
				t.Errorf("%s: %v", tt.name, err)
			}
			if waited := time.Since(start).Truncate(100 * time.Millisecond); waited != tt.waits {
				t.Errorf("%s: it waited %v, want %v", tt.name, waited, tt.waits)
			}
			if tt.held >= 0 == exists(lock) {
				t.Errorf("%s: afterwards the lock is there: %v", tt.name, exists(lock))
			}
		})
	}
}

// TestFiles has the places of all hosts' files on each system.
func TestFiles(t *testing.T) {
	vars := map[string]string{
		"CLAUDE_CONFIG_DIR": "/c", "CODEX_HOME": "/x", "COPILOT_HOME": "/p", "XDG_CONFIG_HOME": "/g", "FLATPAK_XDG_CONFIG_HOME": "/f",
		"APPDATA": "/r", "LOCALAPPDATA": "/l",
	}
	type places map[string][]string
	got := make(map[string]places)
	for _, goos := range []string{"linux", "darwin", "windows"} {
		for _, set := range []bool{false, true} {
			env, name := Env{GOOS: goos, Home: "/home"}, goos
			if set {
				env.Vars, name = vars, goos+" with variables"
			}
			got[name] = make(places)
			for _, h := range hosts {
				for _, file := range h.files(env) {
					got[name][h.Name] = append(got[name][h.Name], filepath.ToSlash(file))
				}
			}
		}
	}
	for _, h := range hosts {
		if h.project != nil {
			if got["project"] == nil {
				got["project"] = make(places)
			}
			for _, file := range h.places(Env{Project: "/p"}) {
				got["project"][h.Name] = append(got["project"][h.Name], filepath.ToSlash(file))
			}
		}
	}
	raw, err := json.MarshalIndent(got, "", "  ")
	if err != nil {
		t.Fatal(err)
	}
	want, err := os.ReadFile("testdata/files.json")
	if os.Getenv("UPDATE") != "" {
		err = os.WriteFile("testdata/files.json", append(raw, '\n'), 0o644)
		want = append(raw, '\n')
	}
	if err != nil || string(want) != string(raw)+"\n" {
		t.Errorf("the places of files are %s, %v", raw, err)
	}
}

// TestCommand prefers a link on the search path to the program behind it.
func TestCommand(t *testing.T) {
	dir := t.TempDir()
	folder := func(name string) string {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(path, 0o700); err != nil {
			t.Fatal(err)
		}
		return path
	}
	cellar, bin, other := folder("Cellar/1.2.3"), folder("bin"), folder("other")
	exe, link := filepath.Join(cellar, "anything-mcp"), filepath.Join(bin, "anything-mcp")
	for _, file := range []string{exe, filepath.Join(other, "anything-mcp")} {
		if err := os.WriteFile(file, nil, 0o700); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Symlink(exe, link); err != nil {
		t.Skip(err)
	}
	for _, tt := range []struct {
		dirs []string
		want string
	}{
		{[]string{other, bin}, link},
		{[]string{other}, exe},
		{nil, exe},
		{[]string{cellar, bin}, exe},
		{[]string{"", "bin", bin}, link},
	} {
		if got := Command(exe, "anything-mcp", tt.dirs); got != tt.want {
			t.Errorf("with the search path %v: %s, want %s", tt.dirs, got, tt.want)
		}
	}
}

// TestDeep refuses a file that would overflow the stack.
func TestDeep(t *testing.T) {
	for _, name := range []string{"cursor", "codex"} {
		p := &Plan{Host: hostNamed(name)}
		if err := p.parse("{\"a\":" + strings.Repeat("[", 5_000_000)); err == nil {
			t.Errorf("%s takes it", name)
		}
	}
}
