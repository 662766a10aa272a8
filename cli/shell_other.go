//go:build !windows

package cli

import (
	"context"
	"os/exec"
)

// shell returns a command that a shell runs.
func shell(ctx context.Context, command string) *exec.Cmd {
	return exec.CommandContext(ctx, "sh", "-c", command)
}
