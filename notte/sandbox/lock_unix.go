//go:build unix && !aix && !solaris

package sandbox

import (
	"errors"
	"os"
	"syscall"
)

// tryLock locks the file at path, which it makes if it is missing. It returns
// errLocked if another process holds the lock. The system releases the lock of a
// process that dies.
func tryLock(path string) (unlock func(), err error) {
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, err
	}
	if err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		f.Close()
		if errors.Is(err, syscall.EWOULDBLOCK) || errors.Is(err, syscall.EINTR) {
			return nil, errLocked
		}
		return nil, err
	}
	return func() { f.Close() }, nil
}
