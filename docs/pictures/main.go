// Command pictures draws the pictures of the README from testdata/transcript.txtar:
//
//	go run ./docs/pictures
//	go run ./docs/pictures -record
//
// With -record it first records the transcript: it builds the program, runs it on the
// sandbox and keeps what it writes. That needs the command script of Linux, which
// gives the program a terminal.
package main

import (
	"flag"
	"fmt"
	"os"

	"github.com/rogpeppe/go-internal/txtar"
)

const transcript = "docs/pictures/testdata/transcript.txtar" // from the root of the repository

func main() {
	anew := flag.Bool("record", false, "record the transcript again")
	flag.Parse()
	if err := run(*anew); err != nil {
		fmt.Fprintln(os.Stderr, "pictures:", err)
		os.Exit(1)
	}
}

func run(anew bool) error {
	if anew {
		archive, err := record()
		if err != nil {
			return fmt.Errorf("recording the transcript: %w", err)
		}
		if err := os.WriteFile(transcript, txtar.Format(archive), 0o644); err != nil {
			return err
		}
	}
	archive, err := txtar.ParseFile(transcript)
	if err != nil {
		return err
	}
	for _, file := range archive.Files {
		if err := os.WriteFile("docs/"+file.Name+".svg", draw(file), 0o644); err != nil {
			return err
		}
	}
	return nil
}

// draw returns the picture of a part of the transcript.
func draw(part txtar.File) []byte {
	if part.Name == "terminal" {
		return svg("A build in a terminal", "The command anything-mcp build on the sandbox: each step with its time, "+
			"then the function's ID, its cost and the command that runs it.", terminalRows(string(part.Data)))
	}
	return svg("A build in a chat", "A user asks for an automation. The assistant calls build_automation, which reports "+
		"its progress and returns the function's ID and its cost. Then the assistant calls run_function.", chatRows(string(part.Data)))
}
