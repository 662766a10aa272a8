//go:build (!unix && !windows) || aix || solaris

package sandbox

import "errors"

// tryLock is not supported on this system, so the Server goes on in memory.
func tryLock(string) (unlock func(), err error) {
	return nil, errors.ErrUnsupported
}
