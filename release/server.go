package main

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
)

// writeServer writes the MCP registry's entry: server.json with the version, the
// bundle's address and its hash filled in. The rest keeps its bytes.
func writeServer(path, version, bundle string) error {
	packed, err := os.ReadFile(bundle)
	if err != nil {
		return err
	}
	raw, err := os.ReadFile("server.json")
	if err != nil {
		return err
	}
	sum := sha256.Sum256(packed)
	download := repository + "/releases/download/v" + version + "/" + filepath.Base(bundle)
	changes := []struct {
		pattern, value string
		places         int
	}{
		{`("version": ")[^"]*(")`, version, 2}, // of the entry, and of the npm package
		{`("identifier": "ghcr\.io/[^":]*:)[^"]*(")`, version, 1},
		{`("identifier": ")[^"]*\.mcpb(")`, download, 1},
		{`("fileSha256": ")[^"]*(")`, hex.EncodeToString(sum[:]), 1},
	}
	for _, c := range changes {
		re := regexp.MustCompile(c.pattern)
		if n := len(re.FindAll(raw, -1)); n != c.places {
			return fmt.Errorf("it has %d places like %s, not %d", n, c.pattern, c.places)
		}
		raw = re.ReplaceAll(raw, []byte("${1}"+c.value+"${2}"))
	}
	return os.WriteFile(path, raw, 0o644)
}
