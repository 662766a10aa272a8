// Command registry checks files by the MCP registry's own rules, as the registry
// does before it publishes a server.json.
//
//	registry FILE …
package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"log"
	"os"

	"github.com/modelcontextprotocol/registry/internal/config"
	"github.com/modelcontextprotocol/registry/internal/validators"
	apiv0 "github.com/modelcontextprotocol/registry/pkg/api/v0"
)

func main() {
	for _, path := range os.Args[1:] {
		if err := check(path); err != nil {
			log.Fatalf("%s: %v", path, err)
		}
	}
}

func check(path string) error {
	raw, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	decoder := json.NewDecoder(bytes.NewReader(raw))
	decoder.DisallowUnknownFields()
	var server apiv0.ServerJSON
	if err := decoder.Decode(&server); err != nil {
		return err
	}
	if result := validators.ValidateServerJSON(&server, validators.ValidationAll); !result.Valid {
		return fmt.Errorf("%+v", result.Issues)
	}
	// true leaves out the look at the packages, which are not published yet.
	return validators.ValidateUpdateRequest(context.Background(), server, &config.Config{}, true)
}
