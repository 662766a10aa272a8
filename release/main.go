// Command release makes what a release has besides GoReleaser's archives: the npm
// packages, the MCP bundle, and server.json with their version and hash.
//
//	go run ./release -version 0.2.0
//
// It takes the binaries from GoReleaser's dist directory, and writes to packages.
// The same binaries and version give the same bytes.
package main

import (
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
)

// repository is where releases are published.
const repository = "https://github.com/anything-mcp/anything-mcp"

func main() {
	version := flag.String("version", "", "The version, without v.")
	dist := flag.String("dist", "dist", "The directory that GoReleaser has written.")
	out := flag.String("out", "packages", "The directory to write; what it holds is removed.")
	flag.Parse()
	if err := run(*version, *dist, *out); err != nil {
		fmt.Fprintln(os.Stderr, "release:", err)
		os.Exit(1)
	}
}

// semantic is the form of a version, as far as names of files and tags need it.
var semantic = regexp.MustCompile(`^\d+\.\d+\.\d+(-[0-9A-Za-z.-]+)?$`)

func run(version, dist, out string) error {
	if !semantic.MatchString(version) {
		return fmt.Errorf("the version %q is not like 1.2.3 or 1.2.3-rc.1", version)
	}
	binaries, err := readBinaries(dist)
	if err != nil {
		return err
	}
	if err := os.RemoveAll(out); err != nil {
		return err
	}
	if err := writeNPM(filepath.Join(out, "npm"), version, binaries); err != nil {
		return fmt.Errorf("could not write the npm packages: %w", err)
	}
	bundle := filepath.Join(out, bundleName(version))
	if err := writeBundle(bundle, version, binaries); err != nil {
		return fmt.Errorf("could not write the bundle: %w", err)
	}
	if err := writeServer(filepath.Join(out, "server.json"), version, bundle); err != nil {
		return fmt.Errorf("could not fill in server.json: %w", err)
	}
	fmt.Printf("%s has the bundle, the npm packages and server.json\n", out)
	return nil
}

// binary is a program that GoReleaser has built. The one for macOS on all
// processors has the arch "all".
type binary struct {
	Path string `json:"path"`
	OS   string `json:"goos"`
	Arch string `json:"goarch"`
	Type string `json:"type"`
}

// readBinaries returns the binaries that GoReleaser lists in dist.
func readBinaries(dist string) ([]binary, error) {
	raw, err := os.ReadFile(filepath.Join(dist, "artifacts.json"))
	if err != nil {
		return nil, fmt.Errorf("could not read what GoReleaser has built: %w. Run goreleaser build first", err)
	}
	var all, binaries []binary
	if err := json.Unmarshal(raw, &all); err != nil {
		return nil, fmt.Errorf("could not read %s/artifacts.json: %w", dist, err)
	}
	for _, b := range all {
		if b.Type == "Binary" || b.Type == "Universal Binary" {
			binaries = append(binaries, b)
		}
	}
	return binaries, nil
}

// find returns the path of the binary for a platform.
func find(binaries []binary, os, arch string) (string, error) {
	for _, b := range binaries {
		if b.OS == os && b.Arch == arch {
			return b.Path, nil
		}
	}
	return "", fmt.Errorf("GoReleaser has built no binary for %s/%s", os, arch)
}

// writeJSON writes v as an indented file.
func writeJSON(path string, v any) error {
	raw, err := json.MarshalIndent(v, "", "  ")
	if err != nil {
		return err
	}
	return os.WriteFile(path, append(raw, '\n'), 0o644)
}
