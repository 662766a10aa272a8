package main

import (
	"bytes"
	"os"
	"testing"

	"github.com/rogpeppe/go-internal/txtar"
)

func readTranscript(t *testing.T) map[string]txtar.File {
	t.Helper()
	archive, err := txtar.ParseFile("testdata/transcript.txtar")
	if err != nil {
		t.Fatal(err)
	}
	parts := make(map[string]txtar.File)
	for _, file := range archive.Files {
		parts[file.Name] = file
	}
	return parts
}

func TestPicturesShowTheTranscript(t *testing.T) {
	for name, part := range readTranscript(t) {
		got, err := os.ReadFile("../" + name + ".svg")
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(got, draw(part)) {
			t.Errorf("docs/%s.svg is not drawn from the transcript: go run ./docs/pictures", name)
		}
	}
}
