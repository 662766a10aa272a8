package main

import (
	"context"
	"fmt"
	"io"
	"strings"
	"text/tabwriter"
	"time"
)

// row is one line of the table.
type row struct {
	what, measured, reach, baseline string
	reached                         bool
}

// measurement is how a row is measured.
type measurement struct {
	name string
	row  func(ctx context.Context, l *lab) (row, error)
}

// measurements are those of the table's rows, in its order.
func measurements() []measurement {
	return []measurement{
		{"deltas", deltasRow(false)},
		{"deltas", deltasRow(true)},
		{"step", stepRow},
		{"quiet", quietRow(modern)},
		{"quiet", quietRow(oneSession)},
		{"quiet", quietRow(ownSession)},
		{"start", startRow},
		{"size", sizeRow},
		{"many", manyRow},
		{"kept", listRow(false)},
		{"kept", listRow(true)},
		{"kept", startKeptRow},
	}
}

func deltasRow(flushed bool) func(context.Context, *lab) (row, error) {
	return func(ctx context.Context, l *lab) (row, error) {
		what, rounds := "a build of 100,000 deltas (5 MB), whole, over stdio", 15
		if flushed {
			what, rounds = what+", each delta flushed by itself", 5
		}
		ours, raw, err := l.deltas(ctx, 100_000, rounds, flushed)
		if err != nil {
			return row{}, err
		}
		return row{
			what:     what,
			measured: fmt.Sprintf("%.1f times: %s", times(ours, raw), ours),
			reach:    "2.0 times",
			baseline: fmt.Sprintf("the same stream read raw by net/http: %s", raw),
			reached:  times(ours, raw) <= 2,
		}, nil
	}
}

func stepRow(ctx context.Context, l *lab) (row, error) {
	ours, raw, err := l.steps(ctx, 30)
	if err != nil {
		return row{}, err
	}
	return row{
		what:     "from the upstream's write of a step to its progress line on stdout",
		measured: fmt.Sprintf("%s: %.1f times", ours, times(ours, raw)),
		reach:    "1 ms",
		baseline: fmt.Sprintf("the same step read raw by net/http: %s", raw),
		reached:  ours.median() < time.Millisecond,
	}, nil
}

func quietRow(how era) func(context.Context, *lab) (row, error) {
	return func(ctx context.Context, l *lab) (row, error) {
		ours, err := l.quiet(ctx, 1000, how)
		if err != nil {
			return row{}, err
		}
		relay, err := l.quietRelay(ctx, 1000)
		if err != nil {
			return row{}, err
		}
		return row{
			what:     "resident memory of each of 1,000 quiet builds at once over HTTP, " + string(how),
			measured: fmt.Sprintf("%s: %.1f times", kib(ours), float64(ours)/float64(relay)),
			reach:    "64 KiB",
			baseline: "the same streams through net/http's ReverseProxy alone: " + kib(relay),
			reached:  ours <= 64<<10,
		}, nil
	}
}

func startRow(ctx context.Context, l *lab) (row, error) {
	ours, hello, err := l.starts(ctx, 30)
	if err != nil {
		return row{}, err
	}
	more := ours.median() - hello.median()
	return row{
		what:     "from start to the answer to initialize",
		measured: fmt.Sprintf("%s more: %s", ms(more), ours),
		reach:    "10 ms more",
		baseline: fmt.Sprintf("a Go program that prints one line: %s", hello),
		reached:  more <= 10*time.Millisecond,
	}, nil
}

func sizeRow(_ context.Context, l *lab) (row, error) {
	ours, hello, err := l.sizes()
	if err != nil {
		return row{}, err
	}
	return row{
		what:     "the binary, stripped",
		measured: fmt.Sprintf("%s: %.1f times", mb(ours), float64(ours)/float64(hello)),
		reach:    "20 MB",
		baseline: "a Go program that prints one line: " + mb(hello),
		reached:  ours <= 20e6,
	}, nil
}

func manyRow(ctx context.Context, l *lab) (row, error) {
	disk, memory, err := l.many(ctx, 200, 50, manyGap, 7)
	if err != nil {
		return row{}, err
	}
	return row{
		what:     "200 builds of 1.5 s and 50 steps at once, on disk, each found there whole after a SIGKILL",
		measured: fmt.Sprintf("%.2f times: %s", times(disk, memory), disk),
		reach:    "1.3 times",
		baseline: fmt.Sprintf("the same with the store in memory: %s", memory),
		reached:  times(disk, memory) <= 1.3,
	}, nil
}

func listRow(first bool) func(context.Context, *lab) (row, error) {
	return func(ctx context.Context, l *lab) (row, error) {
		what := "the newest 20 of 100,000 kept builds, by list_builds over stdio"
		if first {
			what += ", as a server's first call, which opens the database"
		}
		large, small, err := l.lists(ctx, 100_000, 20, first)
		if err != nil {
			return row{}, err
		}
		return row{
			what:     what,
			measured: large.String(),
			reach:    "20 ms",
			baseline: fmt.Sprintf("20 of 20 kept builds: %s", small),
			reached:  large.median() < 20*time.Millisecond,
		}, nil
	}
}

func startKeptRow(ctx context.Context, l *lab) (row, error) {
	large, empty, err := l.startsKept(ctx, 100_000, 50)
	if err != nil {
		return row{}, err
	}
	return row{
		what:     "from start to the answer to initialize, with 100,000 kept builds",
		measured: fmt.Sprintf("%.2f times: %s", times(large, empty), large),
		reach:    "1.05 times",
		baseline: fmt.Sprintf("with an empty store: %s", empty),
		reached:  times(large, empty) <= 1.05,
	}, nil
}

func kib(n int64) string { return fmt.Sprintf("%.1f KiB", float64(n)/1024) }
func mb(n int64) string  { return fmt.Sprintf("%.1f MB", float64(n)/1e6) }

// printTable writes the table, as Markdown or in columns for a terminal.
func printTable(w io.Writer, rows []row, markdown bool) error {
	lines := [][]string{{"what", "measured", "at most", "reached", "baseline in the same run"}}
	if markdown {
		lines = append(lines, []string{"---", "---", "---", "---", "---"})
	}
	for _, r := range rows {
		lines = append(lines, []string{r.what, r.measured, r.reach, yesNo(r.reached), r.baseline})
	}
	columns := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	for _, line := range lines {
		if markdown {
			fmt.Fprintln(w, "| "+strings.Join(line, " | ")+" |")
		} else {
			fmt.Fprintln(columns, strings.Join(line, "\t"))
		}
	}
	return columns.Flush()
}

func yesNo(b bool) string {
	if b {
		return "yes"
	}
	return "no"
}
