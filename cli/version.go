package cli

import (
	"cmp"
	"fmt"
	"runtime"
	"runtime/debug"
	"strings"

	"github.com/spf13/cobra"
)

func (p *program) versionCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "version",
		Short: "Print the version, commit, Go version and MCP versions",
		Args:  cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error {
			v := readVersion()
			return p.print(fmt.Sprintf("anything-mcp %s\ncommit       %s\ngo           %s %s/%s\nmcp          %s\n",
				v.version, v.commit, strings.TrimPrefix(runtime.Version(), "go"), runtime.GOOS, runtime.GOARCH, strings.Join(mcpVersions(), ", ")))
		},
	}
}

// mcpVersions returns the revisions of MCP that the transports speak.
func mcpVersions() []string {
	return []string{"2024-11-05", "2025-03-26", "2025-06-18", "2025-11-25", "2026-07-28"}
}

// version is the version in server.json.
const version = "0.1.0"

type versionInfo struct{ version, commit string }

// readVersion returns what the go command wrote into the program: the commit
// and, where the program was installed from a module, the module's version.
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
