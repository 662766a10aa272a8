package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// contender is a server that is measured: anything-mcp, or a peer.
type contender struct {
	name    string
	program string
	// args returns the arguments for serving at addr over HTTP, or over stdio if
	// addr is empty. A peer ignores state, the state directory.
	args func(addr, state string) []string
	err  error // why it could not be built
}

// ours is anything-mcp.
func (p *programs) ours() contender {
	return contender{name: "anything-mcp", program: p.server, args: func(addr, state string) []string {
		if addr == "" {
			return []string{"stdio", "--state-dir", state}
		}
		return []string{"http", "--addr", addr, "--state-dir", state}
	}}
}

// peers builds the servers of bench/peers. One that cannot be built says why.
func (p *programs) peers(ctx context.Context) []contender {
	goSDK := contender{name: "Go SDK", program: executable(p.dir, "gosdk"), args: peerArgs()}
	typeScript := contender{name: "TypeScript SDK"}
	sources, err := peerSources(ctx)
	if err != nil {
		goSDK.err, typeScript.err = err, err
		return []contender{goSDK, typeScript}
	}
	goSDK.err = goBuild(ctx, filepath.Join(sources, "gosdk"), goSDK.program, ".")

	installed := filepath.Join(p.dir, "typescript")
	typeScript.args = peerArgs(filepath.Join(installed, "server.js"))
	if typeScript.program, typeScript.err = exec.LookPath("node"); typeScript.err == nil {
		typeScript.err = npmInstall(ctx, filepath.Join(sources, "typescript"), installed)
	}
	return []contender{goSDK, typeScript}
}

// peerArgs returns a peer's args: first, then addr, if there is one.
func peerArgs(first ...string) func(addr, state string) []string {
	return func(addr, _ string) []string {
		if addr == "" {
			return first
		}
		return append(first[:len(first):len(first)], addr)
	}
}

// peerSources returns the directory of the peers' sources.
func peerSources(ctx context.Context) (string, error) {
	out, err := exec.CommandContext(ctx, "go", "list", "-f", "{{.Dir}}", module+"/bench").Output()
	if err != nil {
		return "", fmt.Errorf("finding the sources of the peers: %w", err)
	}
	return filepath.Join(strings.TrimSpace(string(out)), "peers"), nil
}

// npmInstall copies a package's files to dir and installs the dependencies that
// its lock file names there, so that nothing is written beside the sources.
func npmInstall(ctx context.Context, source, dir string) error {
	if err := os.Mkdir(dir, 0o700); err != nil {
		return err
	}
	for _, name := range []string{"package.json", "package-lock.json", ".npmrc", "server.js"} {
		data, err := os.ReadFile(filepath.Join(source, name))
		if err != nil {
			return err
		}
		if err := os.WriteFile(filepath.Join(dir, name), data, 0o600); err != nil {
			return err
		}
	}
	install := exec.CommandContext(ctx, "npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund")
	install.Dir, install.Stderr = dir, os.Stderr
	if err := install.Run(); err != nil {
		return fmt.Errorf("npm ci: %w", err)
	}
	return nil
}
