package sandbox

import (
	"crypto/rand"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	mrand "math/rand/v2"
	"sync"
)

// idSource draws UUIDs and tokens. The zero value draws from crypto/rand.
type idSource struct {
	mu     sync.Mutex     // guards seeded
	seeded *mrand.ChaCha8 // nil: none
}

func (s *idSource) seed(seed uint64) {
	var key [32]byte
	binary.LittleEndian.PutUint64(key[:], seed)
	s.seeded = mrand.NewChaCha8(key)
}

func (s *idSource) bytes() (b [16]byte) {
	if s.seeded == nil {
		rand.Read(b[:]) // never fails since Go 1.24
		return b
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.seeded.Read(b[:])
	return b
}

// uuid returns a random version 4 UUID.
func (s *idSource) uuid() string {
	b := s.bytes()
	b[6] = b[6]&0x0f | 0x40
	b[8] = b[8]&0x3f | 0x80
	return fmt.Sprintf("%x-%x-%x-%x-%x", b[:4], b[4:6], b[6:8], b[8:10], b[10:])
}

// token returns 128 random bits in hexadecimal.
func (s *idSource) token() string {
	b := s.bytes()
	return hex.EncodeToString(b[:])
}
