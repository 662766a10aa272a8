//go:build unix

package install

import (
	"os"
	"syscall"
)

// keepOwner gives a new file the owner of an old one, which differs under sudo.
func keepOwner(old, file string) error {
	info, err := os.Stat(old)
	if err != nil {
		return err
	}
	stat, ok := info.Sys().(*syscall.Stat_t)
	if !ok || int(stat.Uid) == os.Geteuid() {
		return nil
	}
	return os.Chown(file, int(stat.Uid), int(stat.Gid))
}
