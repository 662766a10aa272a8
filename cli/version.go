package cli

import (
	"cmp"
	"fmt"
	"runtime"
	"runtime/debug"
	"strings"
)

type versionCommand struct{}

// Run prints what this program is.
func (versionCommand) Run(p *program) error {
	v := readVersion()
	return p.print(fmt.Sprintf("anything-mcp %s\ncommit       %s\ngo           %s %s/%s\nmcp          %s\n",
		v.version, v.commit, strings.TrimPrefix(runtime.Version(), "go"), runtime.GOOS, runtime.GOARCH, strings.Join(mcpVersions(), ", ")))
}

// mcpVersions are the revisions of MCP that the transports speak.
func mcpVersions() []string {
	return []string{"2024-11-05", "2025-03-26", "2025-06-18", "2025-11-25", "2026-07-28"}
}

// version is the one that server.json names.
const version = "0.1.0"

type versionInfo struct{ version, commit string }

// readVersion reads what the go command wrote into the program: it knows the
// commit, and the version better than we do where that is not a release's.
func readVersion() versionInfo {
	v := versionInfo{version: version, commit: "unknown"}
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return v
	}
	if info.Main.Version != "(devel)" {
		v.version = strings.TrimPrefix(cmp.Or(info.Main.Version, v.version), "v")
	}
	modified := ""
	for _, setting := range info.Settings {
		switch {
		case setting.Key == "vcs.revision":
			v.commit = setting.Value
		case setting.Key == "vcs.modified" && setting.Value == "true":
			modified = ", with changes"
		}
	}
	v.commit += modified
	return v
}
