//go:build !linux

package keys

import (
	"context"
	"io/fs"
)

// Other systems have neither.
func (p Places) askSecretService(context.Context) (string, error) { return "", fs.ErrNotExist }
func (p Places) askKWallet(context.Context) (string, error)       { return "", fs.ErrNotExist }
