package cli

import (
	"context"
	"os/exec"
	"syscall"
)

// shell returns a command that a shell runs. cmd takes the rest of its command line as
// it stands, so quotes within must not be escaped as they are for other programs.
func shell(ctx context.Context, command string) *exec.Cmd {
	cmd := exec.CommandContext(ctx, "cmd")
	cmd.SysProcAttr = &syscall.SysProcAttr{CmdLine: `cmd /s /c "` + command + `"`}
	return cmd
}
