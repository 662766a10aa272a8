package sqlite

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
)

// protectDir makes sure that only the user can replace the files in dir. It removes
// the permission of others to write if the directory is the user's. It refuses a
// directory of another user, and one for the files of all users.
func protectDir(dir string) error {
	info, err := os.Stat(dir)
	if err != nil {
		return err
	}
	if owner, known := ownerOf(info); known && owner != os.Geteuid() {
		return fmt.Errorf("%w: it belongs to the user with ID %d", errUnsafeDir, owner)
	}
	mode := info.Mode()
	if mode.Perm()&0o022 == 0 || !hasPermissions {
		return nil
	}
	for _, shared := range []string{os.TempDir(), "/tmp", "/var/tmp", "/dev/shm"} {
		if other, err := os.Stat(shared); err == nil && os.SameFile(info, other) {
			return fmt.Errorf("%w: all users keep files there", errUnsafeDir)
		}
	}
	if err := os.Chmod(dir, mode.Perm()&^0o022); err != nil {
		return fmt.Errorf("%w: others can write to it, and %w", errUnsafeDir, err)
	}
	return nil
}

// createPrivate makes sure that only the user can read the database and the files
// that SQLite keeps beside it. For a file that does not exist yet it returns a
// file whose permissions SQLite is to copy, to be removed afterwards.
//
// The database itself is never opened here: with POSIX locks, closing any
// descriptor of a file drops the locks that this process has on it.
func createPrivate(path string) (modeFile string, err error) {
	info, err := os.Stat(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		f, err := os.CreateTemp(filepath.Dir(path), ".jobs-")
		if err != nil {
			return "", err
		}
		return f.Name(), f.Close()
	case err != nil:
		return "", err
	case !info.Mode().IsRegular():
		return "", fmt.Errorf("%w: it is not a regular file", errForeign)
	}
	for _, suffix := range []string{"", "-wal", "-shm"} {
		if err := chmodPrivate(path + suffix); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return "", err
		}
	}
	return "", nil
}

// chmodPrivate removes a file's permissions for everyone but its owner.
func chmodPrivate(path string) error {
	info, err := os.Stat(path)
	if err != nil || info.Mode().Perm()&0o077 == 0 {
		return err
	}
	return os.Chmod(path, info.Mode().Perm()&0o700)
}
