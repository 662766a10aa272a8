//go:build !linux

package keys

import (
	"context"
	"io/fs"
)

// Other systems have one keyring, which always runs, and neither of the others.
func (p Places) mayHaveKey(context.Context) bool { return true }

func (p Places) askSecretService(context.Context) (string, error) { return "", fs.ErrNotExist }
func (p Places) askKWallet(context.Context) (string, error)       { return "", fs.ErrNotExist }
