package main

import (
	"archive/zip"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// fakeDist writes what GoReleaser leaves, with a few bytes for each binary.
func fakeDist(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	var all []binary
	for _, os := range []string{"linux", "darwin", "windows"} {
		for _, arch := range []string{"amd64", "arm64"} {
			all = append(all, binary{OS: os, Arch: arch, Type: "Binary"})
		}
	}
	all = append(all, binary{OS: "darwin", Arch: "all", Type: "Universal Binary"}, binary{Type: "Archive"})
	for i := range all {
		all[i].Path = filepath.Join(dir, all[i].OS+"-"+all[i].Arch)
		if err := os.WriteFile(all[i].Path, []byte("for "+all[i].OS+" on "+all[i].Arch), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	if err := writeJSON(filepath.Join(dir, "artifacts.json"), all); err != nil {
		t.Fatal(err)
	}
	return dir
}

// release makes version 1.2.3 from dist and returns where.
func release(t *testing.T, dist string) string {
	t.Helper()
	out := filepath.Join(t.TempDir(), "packages")
	if err := run("1.2.3", dist, out); err != nil {
		t.Fatal(err)
	}
	return out
}

func read(t *testing.T, path ...string) string {
	t.Helper()
	raw, err := os.ReadFile(filepath.Join(path...))
	if err != nil {
		t.Fatal(err)
	}
	return string(raw)
}

func TestReproducible(t *testing.T) {
	t.Chdir("..")
	dist := fakeDist(t)
	one, two := release(t, dist), release(t, dist)
	if diff, err := exec.Command("diff", "-r", one, two).CombinedOutput(); err != nil {
		t.Errorf("the same binaries gave different packages: %v\n%s", err, diff)
	}
}

func TestBundle(t *testing.T) {
	t.Chdir("..")
	archive, err := zip.OpenReader(filepath.Join(release(t, fakeDist(t)), "anything-mcp-1.2.3.mcpb"))
	if err != nil {
		t.Fatal(err)
	}
	defer archive.Close()
	var names []string
	for _, f := range archive.File {
		names = append(names, f.Name)
		if executable := f.Mode()&0o111 != 0; executable != strings.HasPrefix(f.Name, "server/") {
			t.Errorf("%s has mode %v", f.Name, f.Mode())
		}
	}
	slices.Sort(names)
	want := []string{"icon.png", "manifest.json", "server/darwin/anything-mcp", "server/linux/anything-mcp", "server/win32/anything-mcp.exe"}
	if !slices.Equal(names, want) {
		t.Errorf("the bundle has %q, want %q", names, want)
	}
	var manifest struct {
		Version string
		Server  struct {
			Config struct {
				Command   string
				Overrides map[string]struct{ Command string } `json:"platform_overrides"`
			} `json:"mcp_config"`
		}
	}
	f, err := archive.Open("manifest.json")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if err := json.NewDecoder(f).Decode(&manifest); err != nil {
		t.Fatal(err)
	}
	if manifest.Version != "1.2.3" {
		t.Errorf("the manifest has the version %q", manifest.Version)
	}
	commands := []string{manifest.Server.Config.Command}
	for _, o := range manifest.Server.Config.Overrides {
		commands = append(commands, o.Command)
	}
	for _, command := range commands {
		if name, ok := strings.CutPrefix(command, "${__dirname}/"); !ok || !slices.Contains(names, name) {
			t.Errorf("the manifest starts %s, which the bundle lacks", command)
		}
	}
}

func TestNPM(t *testing.T) {
	t.Chdir("..")
	dir := filepath.Join(release(t, fakeDist(t)), "npm")
	var main npmPackage
	if err := json.Unmarshal([]byte(read(t, dir, "anything-mcp", "package.json")), &main); err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(read(t, "server.json"), `"name": "`+main.MCPName+`"`) {
		t.Errorf("the package has the MCP name %s, and server.json another", main.MCPName)
	}
	for name, version := range main.Optional {
		var pkg npmPackage
		platform := strings.TrimPrefix(name, "@anything-mcp/")
		if err := json.Unmarshal([]byte(read(t, dir, platform, "package.json")), &pkg); err != nil {
			t.Fatal(err)
		}
		if pkg.Name != name || pkg.Version != version || pkg.OS[0]+"-"+pkg.CPU[0] != platform {
			t.Errorf("%s %s has the package %+v", name, version, pkg)
		}
	}
	if got := read(t, dir, "win32-x64", "bin", "anything-mcp.exe"); got != "for windows on amd64" {
		t.Errorf("win32-x64 has the binary %s", got)
	}
	if len(main.Optional) != 6 {
		t.Errorf("there are binaries for %d platforms, not 6", len(main.Optional))
	}
}

func TestServerJSON(t *testing.T) {
	t.Chdir("..")
	out := release(t, fakeDist(t))
	sum, err := exec.Command("sha256sum", filepath.Join(out, "anything-mcp-1.2.3.mcpb")).Output()
	if err != nil {
		t.Skip("there is no sha256sum here:", err)
	}
	got := read(t, out, "server.json")
	for _, want := range []string{
		string(sum[:64]),
		`"identifier": "ghcr.io/anything-mcp/anything-mcp:1.2.3"`,
		`"identifier": "https://github.com/anything-mcp/anything-mcp/releases/download/v1.2.3/anything-mcp-1.2.3.mcpb"`,
	} {
		if !strings.Contains(got, want) {
			t.Errorf("server.json lacks %s:\n%s", want, got)
		}
	}
	if n := strings.Count(got, `"version": "1.2.3"`); n != 2 {
		t.Errorf("server.json has the version %d times, want 2: its own and the npm package's", n)
	}
}

func TestRefusals(t *testing.T) {
	t.Chdir("..")
	dist := fakeDist(t)
	for _, version := range []string{"", "v1.2.3", "1.2", "1.2.3/../..", "1.2.3 "} {
		if err := run(version, dist, t.TempDir()); err == nil {
			t.Errorf("the version %q was taken", version)
		}
	}
	if err := run("1.2.3", t.TempDir(), t.TempDir()); err == nil || !strings.Contains(err.Error(), "goreleaser build") {
		t.Errorf("without binaries the error is %v", err)
	}
	if err := os.WriteFile(filepath.Join(dist, "artifacts.json"), []byte("[]"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := run("1.2.3", dist, t.TempDir()); err == nil || !strings.Contains(err.Error(), "no binary for darwin/arm64") {
		t.Errorf("with no binary the error is %v", err)
	}
}
