package notte

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/sha256"
	"encoding/base64"
	"strings"
)

// sealPrefix begins a sealed text and names its format: AES-256-GCM under a key
// that HKDF-SHA256 derives from the API key, a random nonce of 12 bytes before
// the ciphertext, all in base64 without padding.
const sealPrefix = "sealed1."

// Seal encrypts s, so that it can be stored where others may read. Only a Client
// with the same API key can [Client.Open] it, in this process or another. The
// same text is sealed differently each time. An empty text stays empty; without
// an API key nothing can be sealed, and Seal returns "".
func (c *Client) Seal(s string) string {
	if s == "" {
		return ""
	}
	aead, ok := c.key.aead()
	if !ok {
		return ""
	}
	return sealPrefix + base64.RawURLEncoding.EncodeToString(aead.Seal(nil, nil, []byte(s), nil))
}

// Open returns the text that [Client.Seal] encrypted. It reports false if sealed
// is not a sealed text, was changed, or was sealed under another API key.
func (c *Client) Open(sealed string) (string, bool) {
	if sealed == "" {
		return "", true
	}
	encoded, isSealed := strings.CutPrefix(sealed, sealPrefix)
	ciphertext, err := base64.RawURLEncoding.DecodeString(encoded)
	aead, ok := c.key.aead()
	if !isSealed || !ok || err != nil {
		return "", false
	}
	s, err := aead.Open(nil, nil, ciphertext, nil)
	return string(s), err == nil
}

// aead returns the cipher that seals under the key, or false without a key.
func (k APIKey) aead() (cipher.AEAD, bool) {
	if k == "" {
		return nil, false
	}
	derived, err := hkdf.Key(sha256.New, []byte(k.secret()), nil, "anything-mcp seal 1", 32)
	if err != nil {
		return nil, false // FIPS mode refuses a short API key
	}
	block, err := aes.NewCipher(derived)
	if err != nil {
		return nil, false
	}
	aead, err := cipher.NewGCMWithRandomNonce(block)
	return aead, err == nil
}
