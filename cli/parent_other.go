//go:build !windows

package cli

import "os"

// watchParent returns what reports whether the process that is now the parent has
// ended.
//
// The system gives an orphan another parent: process 1, or a closer one that has asked
// for orphans. So the parent has ended when its ID is another. If the parent is process
// 1, as a host in a container may be, that never happens.
func watchParent() (hasEnded func() bool) {
	parent := os.Getppid()
	return func() bool { return os.Getppid() != parent }
}
