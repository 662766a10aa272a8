//go:build unix

package sqlite

import (
	"io/fs"
	"syscall"
)

// hasPermissions says that a file's mode says who may write to it.
const hasPermissions = true

// ownerOf returns the ID of the user that a file belongs to, if it is known.
func ownerOf(info fs.FileInfo) (uid int, known bool) {
	stat, ok := info.Sys().(*syscall.Stat_t)
	if !ok {
		return 0, false
	}
	return int(stat.Uid), true
}
