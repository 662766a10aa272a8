package keys

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/hmac"
	"crypto/pbkdf2"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"errors"
	"net/url"
	"path/filepath"
	"strings"
)

// Notte's command line keeps its key in the first of these that the system has: the
// Secret Service, KWallet, the program pass, or an encrypted file below ~/.notte/cli. On
// macOS and Windows it uses no other keyring. Each has an entry for each of Notte's
// environments. A key may also be in config.json, below ~/.notte/cli.

// nottePassword encrypts the file. It is the same for everyone, so it protects nothing.
const nottePassword = "notte-cli-keyring"

// The names of its entries, and of what holds them.
const (
	notteEntry = "api_key"
	notteRing  = "notte-cli"
)

// environments are the names that Notte's command line has for the hosts of its API.
var environments = map[string]string{
	"": "prod", "api.notte.cc": "prod", "us-prod.notte.cc": "prod",
	"us-staging.notte.cc": "staging", "us-dev.notte.cc": "dev", "us-dev-test.notte.cc": "dev",
}

func environment(apiURL string) string {
	host := ""
	if u, err := url.Parse(apiURL); err == nil {
		host = u.Hostname()
	}
	if name, ok := environments[host]; ok {
		return name
	}
	return host
}

func (p Places) notteDir() string {
	home := p.Home
	if dir := p.Vars["NOTTE_CONFIG_DIR"]; dir != "" {
		home = dir
	}
	return filepath.Join(home, ".notte", "cli")
}

// notteEntries returns the names that the key may have in a keyring. Older versions had
// one name, for the first environment.
func (p Places) notteEntries() []string {
	if env := environment(p.APIURL); env != "prod" {
		return []string{notteEntry + ":" + env}
	}
	return []string{notteEntry + ":prod", notteEntry}
}

func (p Places) notteConfig() string { return filepath.Join(p.notteDir(), "config.json") }

func (p Places) readNotteConfig() (string, error) {
	raw, err := readText(p.notteConfig())
	if err != nil {
		return "", err
	}
	var config struct {
		Key string `json:"api_key"`
		URL string `json:"api_url"`
	}
	if json.Unmarshal([]byte(raw), &config) != nil {
		return "", errors.New("it is not JSON")
	}
	if environment(config.URL) != environment(p.APIURL) {
		return "", nil // the key of another account
	}
	return config.Key, nil
}

func readNotteFile(file string) (string, error) {
	raw, err := readText(file)
	if err != nil {
		return "", err
	}
	plain, err := decrypt(strings.TrimSpace(raw), nottePassword)
	if err != nil {
		return "", err
	}
	return keyOfItem(plain)
}

// keyOfItem returns the key in an item, which is what Notte's command line writes into
// each keyring.
func keyOfItem(raw []byte) (string, error) {
	var item struct{ Data []byte }
	if json.Unmarshal(raw, &item) != nil {
		return "", errUnreadable
	}
	return string(item.Data), nil
}

var errUnreadable = errors.New("it is not a key that Notte's command line has written")

// maxRounds bounds the work that a file can ask for. Notte's has 8,192.
const maxRounds = 1_000_000

// decrypt returns what a JSON Web Encryption in the compact form holds (RFC 7516), with
// the algorithms PBES2-HS256+A128KW and A256GCM (RFC 7518).
func decrypt(compact, password string) ([]byte, error) {
	parts := strings.Split(compact, ".")
	if len(parts) != 5 {
		return nil, errUnreadable
	}
	var raw [5][]byte
	for i, part := range parts {
		var err error
		if raw[i], err = base64.RawURLEncoding.DecodeString(part); err != nil {
			return nil, errUnreadable
		}
	}
	var header struct {
		Alg, Enc, P2S string
		P2C           int
	}
	salt, err := []byte(nil), json.Unmarshal(raw[0], &header)
	if err == nil {
		salt, err = base64.RawURLEncoding.DecodeString(header.P2S)
	}
	if err != nil || header.Alg != "PBES2-HS256+A128KW" || header.Enc != "A256GCM" || header.P2C < 1 || header.P2C > maxRounds {
		return nil, errUnreadable
	}
	wrapping, err := pbkdf2.Key(sha256.New, password, append([]byte(header.Alg+"\x00"), salt...), header.P2C, 16)
	if err != nil {
		return nil, errUnreadable
	}
	key, err := unwrap(wrapping, raw[1])
	if err != nil {
		return nil, err
	}
	return openGCM(key, raw[2], append(raw[3], raw[4]...), []byte(parts[0]))
}

func openGCM(key, nonce, sealed, header []byte) ([]byte, error) {
	block, err := aes.NewCipher(key)
	if err != nil {
		return nil, errUnreadable
	}
	gcm, err := cipher.NewGCM(block)
	if err != nil || len(nonce) != gcm.NonceSize() {
		return nil, errUnreadable
	}
	plain, err := gcm.Open(nil, nonce, sealed, header)
	if err != nil {
		return nil, errUnreadable
	}
	return plain, nil
}

// unwrap returns a key that was wrapped with another (RFC 3394).
func unwrap(wrapping, wrapped []byte) ([]byte, error) {
	block, err := aes.NewCipher(wrapping)
	n := len(wrapped)/8 - 1
	if err != nil || len(wrapped)%8 != 0 || n < 2 {
		return nil, errUnreadable
	}
	key := append([]byte(nil), wrapped[8:]...)
	buffer := append([]byte(nil), wrapped[:8]...)
	buffer = append(buffer, make([]byte, 8)...)
	for round := 5; round >= 0; round-- {
		for i := n; i > 0; i-- {
			t := binary.BigEndian.Uint64(buffer) ^ uint64(round*n+i)
			binary.BigEndian.PutUint64(buffer, t)
			copy(buffer[8:], key[8*(i-1):8*i])
			block.Decrypt(buffer, buffer)
			copy(key[8*(i-1):], buffer[8:])
		}
	}
	if !hmac.Equal(buffer[:8], []byte{0xa6, 0xa6, 0xa6, 0xa6, 0xa6, 0xa6, 0xa6, 0xa6}) {
		return nil, errUnreadable
	}
	return key, nil
}
