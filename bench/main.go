// Command bench measures how fast and how small anything-mcp is, each figure
// beside a baseline of the same run, and prints a table:
//
//	go run ./bench
//	go run ./bench -markdown
//	go run ./bench -only start
//	go run ./bench -peers
//
// It builds the server as it is released and runs it as a process of its own.
// The server's upstream is the sandbox, in this process, on loopback. Other work
// on the machine slows both sides of a figure: the baseline shows by how much.
//
// With -peers it also measures two minimal servers on the official Go and
// TypeScript SDKs, which store nothing and drop the deltas (see bench/peers).
// The second needs node and npm.
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/signal"
)

func main() {
	markdown := flag.Bool("markdown", false, "print the table as Markdown")
	only := flag.String("only", "", "measure only this: deltas, step, quiet, start, pins, size, many, kept or follow")
	peers := flag.Bool("peers", false, "measure the servers of bench/peers too")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := run(ctx, *markdown, *only, *peers); err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, markdown bool, only string, withPeers bool) error {
	l, err := openLab(ctx)
	if err != nil {
		return err
	}
	defer l.close()
	var peers []contender
	if withPeers {
		peers = l.programs.peers(ctx)
	}
	var rows []row
	for _, m := range measurements() {
		if only != "" && only != m.name {
			continue
		}
		fmt.Fprintf(os.Stderr, "measuring %s …\n", m.name)
		measured, err := m.rows(ctx, l, peers)
		if err != nil {
			return fmt.Errorf("measuring %s: %w", m.name, err)
		}
		rows = append(rows, measured...)
	}
	return printTable(os.Stdout, rows, markdown)
}
