package main

import (
	"context"
	"fmt"
	"io"
	"strings"
	"text/tabwriter"
)

// row is one line of the table.
type row struct {
	what, measured string
	ratio          float64 // of the measured figure to the baseline's
	bound          string  // the most that is promised; empty: nothing is
	reached        bool    // whether the measured figure is within bound
	baseline       string
}

// ratioRow returns the row of a figure that is promised to be at most bound times
// its baseline.
func ratioRow(what string, ratio, bound float64, measured, baseline string) row {
	return row{
		what:     what,
		measured: fmt.Sprintf("%.2f times: %s", ratio, measured),
		ratio:    ratio,
		bound:    fmt.Sprintf("%v times", bound),
		reached:  ratio <= bound,
		baseline: baseline,
	}
}

// measurement measures one row of the table.
type measurement struct {
	name  string
	row   func(ctx context.Context, l *lab, c contender) (row, error)
	peers bool // whether it can measure peers too
}

// measurements returns the measurements in the order of the table.
func measurements() []measurement {
	return []measurement{
		{"deltas", deltasRow(burstStory), true},
		{"deltas", deltasRow(flushedStory), true},
		{"deltas", deltasRow(v2Story), false},
		{"step", stepRow, false},
		{"quiet", quietRow(modern), false},
		{"quiet", quietRow(oneSession), true},
		{"quiet", quietRow(ownSession), true},
		{"start", startRow, true},
		{"pins", pinsRow, false},
		{"size", sizeRow, false},
		{"many", manyRow, false},
		{"kept", listRow(false), false},
		{"kept", listRow(true), false},
		{"kept", startKeptRow, false},
		{"follow", followRow, false},
	}
}

// rows returns the row of anything-mcp and, below it, those of the peers.
func (m measurement) rows(ctx context.Context, l *lab, peers []contender) ([]row, error) {
	ours, err := m.row(ctx, l, l.programs.ours())
	if err != nil {
		return nil, err
	}
	rows := []row{ours}
	if !m.peers {
		return rows, nil
	}
	for _, c := range peers {
		rows = append(rows, m.peerRow(ctx, l, c))
	}
	return rows, nil
}

// peerRow returns the row of a peer, for which nothing is promised. A peer that
// cannot be measured has the reason in its row.
func (m measurement) peerRow(ctx context.Context, l *lab, c contender) row {
	r, err := row{}, c.err
	if err == nil {
		r, err = m.row(ctx, l, c)
	}
	if err != nil {
		reason, _, _ := strings.Cut(err.Error(), "\n")
		r = row{measured: "not measured: " + reason}
	}
	r.what, r.bound = "– "+c.name, ""
	return r
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
		lines = append(lines, []string{r.what, r.measured, r.bound, r.verdict(), r.baseline})
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

// verdict returns whether the bound is reached, and nothing without a bound.
func (r row) verdict() string {
	switch {
	case r.bound == "":
		return ""
	case r.reached:
		return "yes"
	default:
		return "no"
	}
}
