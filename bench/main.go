// Command bench measures how fast and how small anything-mcp is, each figure
// beside a baseline of the same run, and prints a table:
//
//	go run ./bench
//	go run ./bench -markdown
//	go run ./bench -only start
//
// It builds the server as it ships, runs it as a process of its own, and gives
// it the sandbox on loopback for its upstream. Load on the machine shows in the
// figures: the baselines tell how much. `go test -bench . ./bench` reports the
// same figures as Go benchmarks.
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
	only := flag.String("only", "", "measure only this: deltas, step, quiet, start, size, many or kept")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := run(ctx, *markdown, *only); err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, markdown bool, only string) error {
	l, err := openLab(ctx)
	if err != nil {
		return err
	}
	defer l.close()
	var measured []row
	for _, m := range measurements() {
		if only != "" && only != m.name {
			continue
		}
		fmt.Fprintf(os.Stderr, "measuring %s …\n", m.name)
		r, err := m.row(ctx, l)
		if err != nil {
			return fmt.Errorf("measuring %s: %w", m.name, err)
		}
		measured = append(measured, r)
	}
	return printTable(os.Stdout, measured, markdown)
}
