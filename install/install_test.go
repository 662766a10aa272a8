package install_test

import (
	"errors"
	"flag"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/diff"
	"github.com/rogpeppe/go-internal/txtar"

	"github.com/anything-mcp/anything-mcp/install"
)

var update = flag.Bool("update", false, "write what comes after into testdata")

// server is the server that the tests install.
var server = install.Server{
	Name: "anything", Command: "/usr/local/bin/anything-mcp", Args: []string{"stdio"},
	KeyName: "NOTTE_API_KEY", CallTime: 61 * time.Minute,
}

// signs stand in testdata for what an editor would not show or keep.
var signs = strings.NewReplacer("␍", "\r", "␉", "\t", "␀", "\ufeff", "␄\n", "")

// unsigned is the opposite of signs.
func unsigned(text string) string {
	if !strings.HasSuffix(text, "\n") {
		text += "␄\n"
	}
	return strings.NewReplacer("\r", "␍", "\t", "␉", "\ufeff", "␀").Replace(text)
}

// host returns the host with a name.
func host(t *testing.T, name string) *install.Host {
	t.Helper()
	for _, h := range install.Hosts() {
		if h.Name == name {
			return h
		}
	}
	t.Fatalf("there is no host %s", name)
	return nil
}

// place returns an environment with an empty home.
func place(t *testing.T) install.Env {
	home := t.TempDir()
	return install.Env{GOOS: "linux", Home: home, Backups: filepath.Join(home, "backups")}
}

// fileOf returns where the file of h is.
func fileOf(t *testing.T, h *install.Host, env install.Env) string {
	t.Helper()
	return h.Find(env, "anything").File
}

func write(t *testing.T, file, text string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(file), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}

func read(t *testing.T, file string) string {
	t.Helper()
	raw, err := os.ReadFile(file)
	if errors.Is(err, fs.ErrNotExist) {
		return ""
	}
	if err != nil {
		t.Fatal(err)
	}
	return string(raw)
}

// change makes the change of a plan.
func change(t *testing.T, plan *install.Plan, err error) {
	t.Helper()
	if err == nil {
		_, err = plan.Apply()
	}
	if err != nil {
		t.Fatal(err)
	}
}

// samples returns the samples in a file of testdata: pairs of a name and a text.
func samples(t *testing.T, file string) *txtar.Archive {
	t.Helper()
	archive, err := txtar.ParseFile(filepath.Join("testdata", file))
	if err != nil {
		t.Fatal(err)
	}
	return archive
}

// TestEdit compares byte by byte what becomes of files of two hosts.
func TestEdit(t *testing.T) {
	for _, tt := range []struct{ file, host string }{{"json.txtar", "cursor"}, {"toml.txtar", "codex"}} {
		archive := samples(t, tt.file)
		var files []txtar.File
		for i := 0; i < len(archive.Files); i++ {
			f := archive.Files[i]
			if strings.HasSuffix(f.Name, afterwards) {
				continue
			}
			want := ""
			if i+1 < len(archive.Files) && archive.Files[i+1].Name == f.Name+afterwards {
				want = string(archive.Files[i+1].Data)
			}
			h, env := host(t, tt.host), place(t)
			got := edit(t, h, env, sample(h, f))
			got = strings.ReplaceAll(got, env.Home, "~")
			files = append(files, f, txtar.File{Name: f.Name + afterwards, Data: []byte(got)})
			if got != want && !*update {
				t.Errorf("%s, %s: it becomes\n%s\nwant\n%s", tt.host, f.Name, got, want)
			}
		}
		if *update {
			archive.Files = files
			if err := os.WriteFile(filepath.Join("testdata", tt.file), txtar.Format(archive), 0o644); err != nil {
				t.Fatal(err)
			}
		}
	}
}

// afterwards ends the name of what comes after a sample.
const afterwards = ": after"

// sample returns the text of a sample for a host.
func sample(h *install.Host, f txtar.File) string {
	text := string(f.Data)
	if lines := h.Lines(server); strings.Contains(text, "ENTRY") {
		if h.Name == "codex" {
			text = strings.ReplaceAll(text, "ENTRY\n", lines)
		} else {
			_, entry, _ := strings.Cut(lines, `"anything": `)
			entry, _, _ = strings.Cut(entry, "\n    }")
			text = strings.ReplaceAll(text, "ENTRY", entry+"\n    }")
		}
	}
	_, lines, _ := strings.Cut(h.Lines(server), `"`)
	if strings.Contains(h.Lines(server), `"inputs"`) {
		lines = `servers"`
	}
	container, _, _ := strings.Cut(lines, `"`)
	return signs.Replace(strings.ReplaceAll(text, "SERVERS", container))
}

// edit installs the server in a file that has text, and returns what the file has then,
// or the error. It checks what holds for every host and text.
func edit(t *testing.T, h *install.Host, env install.Env, text string) string {
	t.Helper()
	file := fileOf(t, h, env)
	if text != "" {
		write(t, file, text)
	}
	plan, err := h.Install(env, server)
	if err != nil {
		if got := read(t, file); got != text {
			t.Errorf("%s: a file that was refused became %q", h.Name, got)
		}
		if !strings.Contains(err.Error(), file) {
			t.Errorf("%s: the error does not name the file: %v", h.Name, err)
		}
		return "error: " + err.Error() + "\n"
	}
	if got := read(t, file); got != text {
		t.Errorf("%s: a plan alone changed the file to %q", h.Name, got)
	}
	change(t, plan, nil)
	after := read(t, file)
	again, err := h.Install(env, server)
	if err != nil || len(again.Changes) > 0 {
		t.Errorf("%s: a second time would change %v, %v", h.Name, again, err)
	}
	if len(plan.Changes) == 0 {
		return unsigned(after)
	}
	out, err := h.Uninstall(env, server)
	change(t, out, err)
	if strings.Contains(text, `anything`) {
		write(t, file, after) // it was there before
	} else if got := read(t, file); got != text {
		t.Errorf("%s: after uninstall the file has\n%s\nand not\n%s", h.Name, unsigned(got), unsigned(text))
	}
	return unsigned(after)
}

// TestSamples makes every host take each sample, or refuse it.
func TestSamples(t *testing.T) {
	for _, h := range install.Hosts() {
		file := "json.txtar"
		if h.Name == "codex" {
			file = "toml.txtar"
		}
		for _, f := range samples(t, file).Files {
			if strings.HasSuffix(f.Name, afterwards) {
				continue
			}
			t.Run(h.Name+"/"+f.Name, func(t *testing.T) {
				t.Parallel() // they wait for the disk
				env := place(t)
				text := sample(h, f)
				got := edit(t, h, env, text)
				refused := strings.HasPrefix(got, "error: ")
				if want := refuses(h.Name, f.Name); refused != want {
					t.Errorf("refused: %v, want %v: %s", refused, want, got)
				}
				if strings.Contains(got, "sk-secret") && refused {
					t.Errorf("the error quotes the file: %s", got)
				}
			})
		}
	}
}

// refuses reports whether a host must refuse a sample.
func refuses(host, sample string) bool {
	plain := host == "claude-code" || host == "claude-desktop" || host == "windsurf"
	comment, comma := strings.Contains(sample, "comment"), strings.Contains(sample, "comma")
	switch {
	case strings.HasPrefix(sample, "broken"), strings.HasPrefix(sample, "wrong"):
		return true
	case host == "codex":
		return false
	case host == "gemini":
		return sample == "a byte order mark" || strings.Contains(sample, "commas") || strings.Contains(sample, "a comma")
	case plain:
		return comment || comma && strings.Contains(sample, "commas")
	}
	return false
}

// TestOtherEncodings refuses what is not in UTF-8: hosts differ in what they make of it.
func TestOtherEncodings(t *testing.T) {
	for _, h := range install.Hosts() {
		text := "{\n\"name\": \"caf\xe9\"}"
		if h.Name == "codex" {
			text = "# a\nname = \"caf\xe9\""
		}
		for text, want := range map[string]string{text: "line 2: it is not in UTF-8", "\xff\xfe{\x00}\x00": "line 1: it is not in UTF-8"} {
			if got := edit(t, h, place(t), text); !strings.Contains(got, want) {
				t.Errorf("%s with %q: %s", h.Name, text, got)
			}
		}
	}
}

// TestMegabyte edits large files of every host in the middle.
func TestMegabyte(t *testing.T) {
	for _, h := range install.Hosts() {
		env := place(t)
		file := fileOf(t, h, env)
		lines := h.Lines(install.Server{Name: "other", Command: "other"})
		if h.Name == "codex" {
			lines = strings.Repeat("# filler\n", 120_000) + "n = [" + strings.Repeat("1234567890, ", 5_000) + "]\n" + lines
		} else {
			lines = "{\n" + `  "filler": "` + strings.Repeat("é", 600_000) + `", "list": [` + strings.Repeat("1,", 2_000) + `1],` + lines[1:]
		}
		write(t, file, lines)
		plan, err := h.Install(env, server)
		change(t, plan, err)
		if got := read(t, file); len(got) < 1<<20 || !strings.Contains(got, server.Command) {
			t.Errorf("%s: the file has %d bytes, and had %d", h.Name, len(got), len(lines))
		}
		out, err := h.Uninstall(env, server)
		change(t, out, err)
		if read(t, file) != lines {
			t.Errorf("%s: uninstall did not bring the file back", h.Name)
		}
	}
}

// TestKinds shows what each host is told about each kind of server.
func TestKinds(t *testing.T) {
	archive := samples(t, "hosts.txtar")
	var files []txtar.File
	show := func(h *install.Host, kind string, s install.Server) {
		files = append(files, txtar.File{Name: h.Name + ", " + kind, Data: []byte(h.Lines(s))})
	}
	for _, h := range install.Hosts() {
		withEnv := server
		withEnv.Settings = []install.Setting{{Name: "ANYTHING_MCP_STATE_DIR", Value: "/data"}}
		show(h, "started by the host", withEnv)
		withKey := server
		withKey.Key = "KEY"
		show(h, "with the key in plain text", withKey)
		sandbox := server
		sandbox.Args, sandbox.KeyName = []string{"stdio", "--sandbox=true"}, ""
		show(h, "the sandbox", sandbox)
		if h.HasURL() {
			s := install.Server{Name: "anything", URL: "http://127.0.0.1:8808/mcp"}
			show(h, "over HTTP", s)
			s.TokenName = "ANYTHING_MCP_AUTH_TOKEN"
			show(h, "over HTTP with a token", s)
			s.Token = "TOKEN"
			show(h, "over HTTP with the token in plain text", s)
		}
	}
	want := string(txtar.Format(archive))
	archive.Files = files
	got := string(txtar.Format(archive))
	switch {
	case *update:
		if err := os.WriteFile("testdata/hosts.txtar", []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	case got != want:
		t.Errorf("hosts.txtar is not up to date: run this test with -update, and look at what changes\n%s", diff.Diff("want", []byte(want), "got", []byte(got)))
	}
}

// TestKindsTakeEachOthersPlace installs one kind of server over another. What a user has
// added stays, and what only the other kind has goes.
func TestKindsTakeEachOthersPlace(t *testing.T) {
	overHTTP := install.Server{Name: "anything", URL: "http://127.0.0.1:8808/mcp", TokenName: "T"}
	for _, h := range install.Hosts() {
		if !h.HasURL() {
			continue
		}
		env := place(t)
		plan, err := h.Install(env, server)
		change(t, plan, err)
		started := read(t, fileOf(t, h, env))
		plan, err = h.Install(env, overHTTP)
		change(t, plan, err)
		if got := read(t, fileOf(t, h, env)); strings.Contains(got, server.Command) || strings.Contains(got, `"stdio"`) || !strings.Contains(got, overHTTP.URL) {
			t.Errorf("%s: HTTP over stdio makes\n%s", h.Name, got)
		}
		if found := h.Find(env, "anything"); found.URL != overHTTP.URL || found.Command != nil {
			t.Errorf("%s: %+v is found", h.Name, found)
		}
		plan, err = h.Install(env, server)
		change(t, plan, err)
		if got := read(t, fileOf(t, h, env)); strings.Contains(got, overHTTP.URL) || len(got) > 2*len(started) {
			t.Errorf("%s: stdio over HTTP makes\n%s", h.Name, got)
		}
		if found := h.Find(env, "anything"); found.URL != "" || strings.Join(found.Command, " ") != server.Command+" stdio" {
			t.Errorf("%s: %+v is found", h.Name, found)
		}
		out, err := h.Uninstall(env, server)
		change(t, out, err)
		if got := read(t, fileOf(t, h, env)); got != "" {
			t.Errorf("%s: uninstall leaves %s", h.Name, got)
		}
	}
}

// TestFileChangedSince takes our entry out of a file that was changed since: the
// container that was made for it goes with it, and one that was there stays.
func TestFileChangedSince(t *testing.T) {
	for _, tt := range []struct{ before, after string }{
		{"{\n  \"theme\": \"dark\"\n}\n", "{\n  \"theme\": \"light\"\n}\n"},
		{"{\n  \"mcpServers\": {},\n  \"theme\": \"dark\"\n}\n", "{\n  \"mcpServers\": {},\n  \"theme\": \"light\"\n}\n"},
	} {
		h, env := host(t, "cursor"), place(t)
		file := fileOf(t, h, env)
		write(t, file, tt.before)
		plan, err := h.Install(env, server)
		change(t, plan, err)
		write(t, file, strings.ReplaceAll(read(t, file), "dark", "light"))
		out, err := h.Uninstall(env, server)
		change(t, out, err)
		if got := read(t, file); got != tt.after {
			t.Errorf("%q becomes %q, want %q", tt.before, got, tt.after)
		}
	}
}

// TestReinstalled takes our entry out after two installs with a change between them.
func TestReinstalled(t *testing.T) {
	h, env := host(t, "zed"), place(t)
	file := fileOf(t, h, env)
	before := "// mine\n{ }\n"
	write(t, file, before)
	for _, command := range []string{"/a", "/b"} {
		s := server
		s.Command = command
		plan, err := h.Install(env, s)
		change(t, plan, err)
	}
	out, err := h.Uninstall(env, server)
	change(t, out, err)
	if got := read(t, file); got != before {
		t.Errorf("uninstall leaves %q, want %q", got, before)
	}
}

// TestMode keeps the mode of a file. A new one is the user's alone, and so are copies.
func TestMode(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("modes are those of Unix")
	}
	h, env := host(t, "gemini"), place(t)
	file := fileOf(t, h, env)
	mode := func(file string) fs.FileMode {
		info, err := os.Stat(file)
		if err != nil {
			t.Fatal(err)
		}
		return info.Mode()
	}
	plan, err := h.Install(env, server)
	change(t, plan, err)
	if got := mode(file); got != 0o600 {
		t.Errorf("a new file has mode %v", got)
	}
	os.Remove(file)
	write(t, file, "{}")
	os.Chmod(file, 0o640)
	plan, err = h.Install(env, server)
	if err != nil {
		t.Fatal(err)
	}
	backup, err := plan.Apply()
	if err != nil {
		t.Fatal(err)
	}
	if got := mode(file); got != 0o640 {
		t.Errorf("a file of mode 0640 becomes one of mode %v", got)
	}
	if got := mode(backup); got != 0o600 || read(t, backup) != "{}" || !strings.HasPrefix(backup, env.Home) {
		t.Errorf("the copy %s has mode %v and %q", backup, got, read(t, backup))
	}
	entries, _ := os.ReadDir(filepath.Dir(file))
	if len(entries) != 1 {
		t.Errorf("beside the file there is %v", entries)
	}
}

// TestSymlink writes to what a link leads to, be it missing, and leaves the link.
func TestSymlink(t *testing.T) {
	for _, there := range []bool{true, false} {
		h, env := host(t, "codex"), place(t)
		file := fileOf(t, h, env)
		// ~/.codex is a link, and so is the file in it, which a link of two steps follows.
		target := filepath.Join(env.Home, "dotfiles", "shared", "codex.toml")
		write(t, target, "a = 1\n")
		if err := errors.Join(os.Mkdir(filepath.Join(env.Home, "dotfiles", "codex"), 0o700),
			os.Symlink("dotfiles/codex", filepath.Dir(file)), os.Symlink("middle", file),
			os.Symlink("../shared/codex.toml", filepath.Join(filepath.Dir(file), "middle"))); err != nil {
			t.Skip(err)
		}
		if !there {
			os.Remove(target)
		}
		plan, err := h.Install(env, server)
		change(t, plan, err)
		info, err := os.Lstat(file)
		if err != nil || info.Mode()&fs.ModeSymlink == 0 || !strings.Contains(read(t, target), server.Command) {
			t.Errorf("with a target that is there: %v: %v, %v, %q", there, info.Mode(), err, read(t, target))
		}
	}
}

// TestRefusedFiles are refused whatever they hold.
func TestRefusedFiles(t *testing.T) {
	for name, prepare := range map[string]func(file string) error{
		"read-only": func(file string) error {
			return errors.Join(os.WriteFile(file, []byte("{}"), 0o600), os.Chmod(file, 0o400))
		},
		"a folder": func(file string) error { return os.Mkdir(file, 0o700) },
		"a circle": func(file string) error { return os.Symlink(filepath.Base(file), file) },
	} {
		for _, h := range install.Hosts() {
			env := place(t)
			file := fileOf(t, h, env)
			os.MkdirAll(filepath.Dir(file), 0o700)
			if err := prepare(file); err != nil {
				t.Skip(err)
			}
			_, err := h.Install(env, server)
			if e, ok := errors.AsType[*install.FileError](err); !ok || e.File != file {
				t.Errorf("%s, %s: %v", h.Name, name, err)
			}
			if name == "read-only" && read(t, file) != "{}" {
				t.Errorf("%s: the read-only file changed", h.Name)
			}
		}
	}
}

// TestChangedMeanwhile does not overwrite what another program wrote after we read.
func TestChangedMeanwhile(t *testing.T) {
	for _, before := range []string{"", "{}"} {
		h, env := host(t, "cursor"), place(t)
		file := fileOf(t, h, env)
		if before != "" {
			write(t, file, before)
		}
		plan, err := h.Install(env, server)
		if err != nil {
			t.Fatal(err)
		}
		write(t, file, `{"a": 1}`)
		if _, err := plan.Apply(); err == nil || read(t, file) != `{"a": 1}` {
			t.Errorf("over what another program wrote: %v, %q", err, read(t, file))
		}
		entries, _ := os.ReadDir(filepath.Dir(file))
		if len(entries) != 1 {
			t.Errorf("beside the file there is %v", entries)
		}
	}
}

// TestUninstallOfNothing changes nothing.
func TestUninstallOfNothing(t *testing.T) {
	for _, h := range install.Hosts() {
		for _, text := range []string{"", h.Lines(install.Server{Name: "other", Command: "x"})} {
			env := place(t)
			file := fileOf(t, h, env)
			if text != "" {
				write(t, file, text)
			}
			plan, err := h.Uninstall(env, server)
			if err != nil || len(plan.Changes) > 0 {
				t.Errorf("%s: %v, %v", h.Name, plan, err)
			}
			change(t, plan, err)
			if got := read(t, file); got != text {
				t.Errorf("%s: %q becomes %q", h.Name, text, got)
			}
		}
	}
}

// TestFind tells which hosts are here: those whose file, folder or command there is.
func TestFind(t *testing.T) {
	bin := t.TempDir()
	t.Setenv("PATH", bin)
	for _, h := range install.Hosts() {
		env := place(t)
		if found := h.Find(env, "anything"); found.Here || found.Installed || found.Err != nil {
			t.Errorf("%s, in an empty home: %+v", h.Name, found)
		}
		file := fileOf(t, h, env)
		if dir := filepath.Dir(file); dir != env.Home {
			os.MkdirAll(dir, 0o700)
			if found := h.Find(env, "anything"); !found.Here || found.File != file {
				t.Errorf("%s, with its folder: %+v", h.Name, found)
			}
		}
		write(t, file, "?")
		if found := h.Find(env, "anything"); !found.Here || found.Installed || found.Err == nil {
			t.Errorf("%s, with a broken file: %+v", h.Name, found)
		}
		write(t, file, h.Lines(server))
		os.Chmod(file, 0o400)
		if found := h.Find(env, "anything"); !found.Installed || strings.Join(found.Command, " ") != server.Command+" stdio" {
			t.Errorf("%s, installed: %+v", h.Name, found)
		}
		if env.Project = t.TempDir(); h.Find(env, "anything").Here {
			t.Errorf("%s is in an empty project", h.Name)
		}
	}
	write(t, filepath.Join(bin, "codex"), "")
	os.Chmod(filepath.Join(bin, "codex"), 0o700)
	if h := host(t, "codex"); runtime.GOOS != "windows" && !h.Find(place(t), "anything").Here {
		t.Error("the command codex is not noticed")
	}
}

// TestSeveralPlaces takes the file that has our entry, or else the first that there is.
func TestSeveralPlaces(t *testing.T) {
	h, env := host(t, "opencode"), place(t)
	dir := filepath.Join(env.Home, ".config", "opencode")
	first, second := filepath.Join(dir, "opencode.json"), filepath.Join(dir, "opencode.jsonc")
	for _, tt := range []struct{ name, first, second, want string }{
		{"the second alone", "", "{}", second},
		{"both", "{}", "{}", first},
		{"our entry in the second", "{}", h.Lines(server), second},
		{"our entry in the second, and the first broken", "{", h.Lines(server), second},
	} {
		os.Remove(first)
		os.Remove(second)
		if tt.first != "" {
			write(t, first, tt.first)
		}
		write(t, second, tt.second)
		if plan, err := h.Install(env, server); err != nil || plan.File != tt.want {
			t.Errorf("%s: %v, %v; want %s", tt.name, plan, err, tt.want)
		}
	}
}

// TestSharedFile installs the server for two hosts that share a file, until nothing
// changes any more.
func TestSharedFile(t *testing.T) {
	env := place(t)
	env.Project = t.TempDir()
	for round := range 2 {
		for _, name := range []string{"copilot", "claude-code"} {
			plan, err := host(t, name).Install(env, server)
			if round == 1 && len(plan.Changes) > 0 {
				t.Errorf("%s changes the file again: %+v", name, plan.Changes)
			}
			change(t, plan, err)
		}
	}
	if got := read(t, filepath.Join(env.Project, ".mcp.json")); !strings.Contains(got, `"tools"`) || !strings.Contains(got, `"stdio"`) {
		t.Errorf("the file is\n%s", got)
	}
}

// TestSharedFileIsRestored takes the server out of such a file, which then is what it was
// before.
func TestSharedFileIsRestored(t *testing.T) {
	for _, before := range []string{"", "{\n  \"mcpServers\": {}\n}\n"} {
		env := place(t)
		env.Project = filepath.Join(env.Home, "project")
		file := filepath.Join(env.Project, ".mcp.json")
		if before != "" {
			write(t, file, before)
		}
		for _, name := range []string{"claude-code", "copilot"} {
			plan, err := host(t, name).Install(env, server)
			change(t, plan, err)
		}
		plan, err := host(t, "claude-code").Uninstall(env, server)
		change(t, plan, err)
		if got := read(t, file); got != before {
			t.Errorf("%q became %q", before, got)
		}
		if _, err := os.Stat(file); (err == nil) != (before != "") {
			t.Errorf("whether there is a file: %v", err)
		}
		if copies, _ := os.ReadDir(env.Backups); len(copies) > 0 {
			t.Errorf("copies are left: %v", copies)
		}
	}
}

// TestShowsOddValues checks how a plan shows the values that it replaces: those that no
// entry has, and those that JSON does not have.
func TestShowsOddValues(t *testing.T) {
	for _, tt := range []struct{ host, text, want string }{
		{"codex", "[mcp_servers.anything]\ncommand = nan\n", `command = "NaN"`},
		{"codex", "[mcp_servers.anything]\ncommand = 0x10\n", "command = 16"},
		{"codex", "[mcp_servers.anything]\ncommand = 07:32:00\n", `command = "07:32:00"`},
		{"cursor", `{"mcpServers": {"anything": {"command": null}}}`, `"command": null`},
		{"cursor", `{"mcpServers": {"anything": {"command": 1e999}}}`, `"command": 1e999`},
	} {
		h, env := host(t, tt.host), place(t)
		write(t, fileOf(t, h, env), tt.text)
		plan, err := h.Install(env, server)
		if err != nil {
			t.Fatalf("%s: %v", tt.text, err)
		}
		if old := strings.TrimSpace(plan.Changes[0].Old); old != tt.want {
			t.Errorf("%s is shown as %s, want %s", tt.text, old, tt.want)
		}
	}
}
