package transport

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"io"
	"slices"
	"sync"
)

const (
	minSessionKey = 16 // bytes
	nonceLength   = 26 // characters: what rand.Text returns
	signedLength  = nonceLength + 1
	maxEnded      = 1000 // ended sessions that are remembered
)

// Marks in session IDs: whether the client has declared MCP Apps with initialize.
const (
	markPlain = "p"
	markPages = "u"
)

// sessions issues and checks the session IDs of legacy clients. An ID is a nonce, a
// mark, and the signature of both. So no state is kept for a session, and replicas that
// share the key accept each other's IDs. sessions keeps only the last 1,000 IDs that
// clients of this process have ended. An older one becomes valid again, which gives its
// client access to nothing.
type sessions struct {
	key []byte

	mu    sync.Mutex // guards ended
	ended []string   // the newest last
}

// newSessions returns sessions that sign with key, or with a random key if key is
// empty. Then no ID outlives the process.
func newSessions(key []byte) (*sessions, error) {
	if len(key) == 0 {
		key = make([]byte, sha256.Size)
		_, _ = rand.Read(key) // never fails
	}
	if len(key) < minSessionKey {
		return nil, fmt.Errorf("the session key has %d bytes: it must have at least %d", len(key), minSessionKey)
	}
	return &sessions{key: key}, nil
}

// begin returns the ID of a new session. pages means that its client has declared MCP
// Apps.
func (s *sessions) begin(pages bool) string {
	mark := markPlain
	if pages {
		mark = markPages
	}
	signed := rand.Text() + mark
	return signed + s.sign(signed)
}

// showsPages reports whether the client of a valid session has declared MCP Apps.
func showsPages(id string) bool { return id[nonceLength:signedLength] == markPages }

// valid reports whether id was issued under the key and has not been ended.
func (s *sessions) valid(id string) bool {
	if len(id) < signedLength || !hmac.Equal([]byte(id[signedLength:]), []byte(s.sign(id[:signedLength]))) {
		return false
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	return !slices.Contains(s.ended, id)
}

// end makes a valid ID invalid.
func (s *sessions) end(id string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.ended) == maxEnded {
		s.ended = slices.Delete(s.ended, 0, 1)
	}
	s.ended = append(s.ended, id)
}

func (s *sessions) sign(signed string) string {
	mac := hmac.New(sha256.New, s.key)
	_, _ = io.WriteString(mac, signed)
	return base64.RawURLEncoding.EncodeToString(mac.Sum(nil))
}
