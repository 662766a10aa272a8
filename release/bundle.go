package main

import (
	"archive/zip"
	"bytes"
	"encoding/json"
	"fmt"
	"io/fs"
	"os"
	"time"
)

func bundleName(version string) string { return "anything-mcp-" + version + ".mcpb" }

// bundled is a file of the bundle.
type bundled struct {
	name string
	raw  []byte
	mode fs.FileMode
}

// bundlePlatforms are the binaries of the bundle. Hosts choose by operating system
// alone. Windows on ARM runs programs for amd64.
var bundlePlatforms = []struct{ dir, os, arch string }{
	{"darwin", "darwin", "all"},
	{"linux", "linux", "amd64"},
	{"win32", "windows", "amd64"},
}

// writeBundle writes an MCP bundle: a zip file of a manifest, an icon and binaries.
// The official tool is not used to pack it, because that writes the current time.
func writeBundle(path, version string, binaries []binary) error {
	manifest, err := bundleManifest(version)
	if err != nil {
		return err
	}
	files := []bundled{{"manifest.json", manifest, 0o644}}
	add := func(name, source string, mode fs.FileMode) error {
		raw, err := os.ReadFile(source)
		files = append(files, bundled{name, raw, mode})
		return err
	}
	if err := add("icon.png", "release/bundle/icon.png", 0o644); err != nil {
		return err
	}
	for _, p := range bundlePlatforms {
		source, err := find(binaries, p.os, p.arch)
		if err == nil {
			err = add("server/"+p.dir+"/"+executable(p.os), source, 0o755)
		}
		if err != nil {
			return err
		}
	}
	packed, err := pack(files)
	if err != nil {
		return err
	}
	return os.WriteFile(path, packed, 0o644)
}

// bundleManifest returns the manifest with the version filled in.
func bundleManifest(version string) ([]byte, error) {
	raw, err := os.ReadFile("release/bundle/manifest.json")
	if err != nil {
		return nil, err
	}
	filled := bytes.Replace(raw, []byte(`"version": ""`), fmt.Appendf(nil, `"version": %q`, version), 1)
	if bytes.Equal(filled, raw) || !json.Valid(filled) {
		return nil, fmt.Errorf(`release/bundle/manifest.json has no "version": "" to fill in`)
	}
	return filled, nil
}

// pack returns a zip file that depends on files alone.
func pack(files []bundled) ([]byte, error) {
	var out bytes.Buffer
	archive := zip.NewWriter(&out)
	for _, f := range files {
		header := &zip.FileHeader{Name: f.name, Method: zip.Deflate}
		header.Modified = time.Date(1980, 1, 1, 0, 0, 0, 0, time.UTC) // the earliest that zip knows
		header.SetMode(f.mode)
		w, err := archive.CreateHeader(header)
		if err != nil {
			return nil, err
		}
		if _, err := w.Write(f.raw); err != nil {
			return nil, err
		}
	}
	if err := archive.Close(); err != nil {
		return nil, err
	}
	return out.Bytes(), nil
}
