//go:build !linux

package e2e_test

import (
	"os"
	"testing"
)

// setPipeSize skips a test that needs a pipe of another size.
func setPipeSize(t *testing.T, _ *os.File, _ int) {
	t.Helper()
	t.Skip("only Linux has pipes of other sizes")
}
