package main

import (
	"os"
	"path/filepath"
)

// npmName is the package that people install. Its optional dependencies hold the
// binaries; npm installs the one that fits the machine. No script runs.
const npmName = "anything-mcp"

// npmPlatforms are Node.js's names of the platforms that have a binary.
var npmPlatforms = []struct{ nodeOS, nodeCPU, os, arch string }{
	{"darwin", "arm64", "darwin", "arm64"},
	{"darwin", "x64", "darwin", "amd64"},
	{"linux", "arm64", "linux", "arm64"},
	{"linux", "x64", "linux", "amd64"},
	{"win32", "arm64", "windows", "arm64"},
	{"win32", "x64", "windows", "amd64"},
}

// npmPackage is a package.json.
type npmPackage struct {
	Name        string            `json:"name"`
	Version     string            `json:"version"`
	Description string            `json:"description"`
	MCPName     string            `json:"mcpName,omitempty"` // the MCP registry compares it with server.json
	License     string            `json:"license"`
	Homepage    string            `json:"homepage"`
	Repository  npmRepository     `json:"repository"`
	Keywords    []string          `json:"keywords,omitempty"`
	Engines     map[string]string `json:"engines,omitempty"`
	Bin         map[string]string `json:"bin,omitempty"`
	Optional    map[string]string `json:"optionalDependencies,omitempty"`
	OS          []string          `json:"os,omitempty"`
	CPU         []string          `json:"cpu,omitempty"`
	Unplugged   bool              `json:"preferUnplugged,omitempty"` // Yarn must unpack a binary to run it
	Files       []string          `json:"files"`
	PublishTo   npmPublish        `json:"publishConfig"`
}

type npmRepository struct {
	Type string `json:"type"`
	URL  string `json:"url"`
}

type npmPublish struct {
	Access string `json:"access"` // packages of a scope are private otherwise
}

func newNPMPackage(name, version, description string) npmPackage {
	return npmPackage{
		Name: name, Version: version, Description: description, License: "MIT", Homepage: repository,
		Repository: npmRepository{"git", "git+" + repository + ".git"}, PublishTo: npmPublish{"public"},
	}
}

// writeNPM writes a directory for each package, to be packed by npm.
func writeNPM(dir, version string, binaries []binary) error {
	main := newNPMPackage(npmName, version, "MCP server that builds web automations with Notte's Anything API")
	main.MCPName = "io.github.anything-mcp/anything-mcp"
	main.Keywords = []string{"mcp", "model-context-protocol", "browser", "automation", "notte"}
	main.Engines = map[string]string{"node": ">=18"}
	main.Bin = map[string]string{npmName: "bin/anything-mcp.js"}
	main.Files = []string{"bin"}
	main.Optional = make(map[string]string)
	for _, p := range npmPlatforms {
		source, err := find(binaries, p.os, p.arch)
		if err != nil {
			return err
		}
		platform := p.nodeOS + "-" + p.nodeCPU
		pkg := newNPMPackage("@anything-mcp/"+platform, version, "The binary of anything-mcp for "+platform)
		pkg.OS, pkg.CPU = []string{p.nodeOS}, []string{p.nodeCPU}
		pkg.Unplugged = true
		pkg.Files = []string{"bin"}
		main.Optional[pkg.Name] = version
		if err := writePackage(filepath.Join(dir, platform), pkg, source, executable(p.os)); err != nil {
			return err
		}
	}
	return writePackage(filepath.Join(dir, npmName), main, "release/npm/anything-mcp.js", "anything-mcp.js")
}

// writePackage writes a package whose directory bin holds one file.
func writePackage(dir string, pkg npmPackage, source, name string) error {
	if err := os.MkdirAll(filepath.Join(dir, "bin"), 0o755); err != nil {
		return err
	}
	files := map[string]string{source: "bin/" + name, "LICENSE": "LICENSE", "README.md": "README.md"}
	for from, to := range files {
		raw, err := os.ReadFile(from)
		if err != nil {
			return err
		}
		mode := os.FileMode(0o644)
		if from == source {
			mode = 0o755
		}
		if err := os.WriteFile(filepath.Join(dir, to), raw, mode); err != nil {
			return err
		}
	}
	return writeJSON(filepath.Join(dir, "package.json"), pkg)
}

// executable is the binary's file name.
func executable(os string) string {
	if os == "windows" {
		return "anything-mcp.exe"
	}
	return "anything-mcp"
}
