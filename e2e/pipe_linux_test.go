package e2e_test

import (
	"os"
	"syscall"
	"testing"
)

// setPipeSize sets how many bytes a pipe takes that nobody reads.
func setPipeSize(t *testing.T, w *os.File, size int) {
	t.Helper()
	raw, err := w.SyscallConn()
	if err != nil {
		t.Fatal(err)
	}
	const setSize = syscall.F_SETPIPE_SZ
	var failed syscall.Errno
	err = raw.Control(func(fd uintptr) { _, _, failed = syscall.Syscall(syscall.SYS_FCNTL, fd, setSize, uintptr(size)) })
	if err != nil || failed != 0 {
		t.Skipf("the size of a pipe cannot be set: %v, %v", err, failed)
	}
}
