package cli

import (
	"os"
	"syscall"
)

// processQueryLimitedInformation is an access right of processes.
const processQueryLimitedInformation = 0x1000

// watchParent returns what reports whether the parent process has ended, or nil if
// that cannot be known. Windows goes on naming the ID of a parent that has ended, and
// may give it to a new process. So a handle is kept, of a process that is older than
// this one. It is open until this process ends.
func watchParent() (hasEnded func() bool) {
	parent, err := syscall.OpenProcess(syscall.SYNCHRONIZE|processQueryLimitedInformation, false, uint32(os.Getppid()))
	if err != nil {
		return nil
	}
	own, err := syscall.GetCurrentProcess()
	if err != nil || !startedBefore(parent, own) {
		_ = syscall.CloseHandle(parent)
		return nil
	}
	return func() bool {
		event, err := syscall.WaitForSingleObject(parent, 0)
		return err == nil && event == syscall.WAIT_OBJECT_0
	}
}

// startedBefore reports whether process a is known to be older than process b.
func startedBefore(a, b syscall.Handle) bool {
	var startA, startB, other syscall.Filetime
	return syscall.GetProcessTimes(a, &startA, &other, &other, &other) == nil &&
		syscall.GetProcessTimes(b, &startB, &other, &other, &other) == nil &&
		startA.Nanoseconds() <= startB.Nanoseconds()
}
