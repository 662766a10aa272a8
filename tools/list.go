package tools

import (
	"cmp"
	"context"
	"encoding/base64"
	"fmt"
	"log/slog"
	"math"
	"strconv"
	"strings"
	"time"

	"github.com/anything-mcp/anything-mcp/jobs"
	"github.com/anything-mcp/anything-mcp/text"
)

const (
	defaultLimit = 20 // jobs on a page
	listedQuery  = 80 // characters
)

var listBuilds = toolSpec{
	name:        "list_builds",
	title:       "List builds",
	description: `Lists earlier builds, newest first, and what builds have cost today and in the last 30 days.`,
	output:      outputSchema[buildList](),
	hints:       hints{readOnly: true, idempotent: true},
}

var listRuns = toolSpec{
	name:        "list_runs",
	title:       "List runs",
	description: `Lists earlier runs of functions, newest first.`,
	output:      outputSchema[runList](),
	hints:       hints{readOnly: true, idempotent: true},
}

type listBuildsInput struct {
	Status string `json:"status,omitempty" enum:"running,done,error,timeout,cancelled,interrupted"`
	pageInput
}

type listRunsInput struct {
	FunctionID string `json:"function_id,omitempty" must:"a function's ID of 1 to 128 letters, digits, - or _"`
	Status     string `json:"status,omitempty" enum:"running,closed,failed,cancelled,interrupted"`
	pageInput
}

// pageInput chooses a page of a list.
type pageInput struct {
	Limit  int    `json:"limit,omitempty" jsonschema:"Default 20" min:"1" max:"100"`
	Cursor string `json:"cursor,omitempty" jsonschema:"next_cursor of the page before" must:"the next_cursor of an earlier page"`
}

// opaque encodes a position for clients, which must not read anything into it.
func opaque(position string) string { return base64.RawURLEncoding.EncodeToString([]byte(position)) }

// fromOpaque is the inverse of opaque. It returns "", which is no position, for a string
// that opaque did not make.
func fromOpaque(s string) string {
	raw, err := base64.RawURLEncoding.DecodeString(s)
	if err != nil {
		return ""
	}
	return string(raw)
}

// formatCursor encodes a list position as an opaque string.
func formatCursor(job jobs.Job) string {
	return opaque(fmt.Sprintf("%d %s", job.StartedAt.UnixNano(), job.ID))
}

// parseCursor is the inverse of formatCursor. An empty string is the beginning.
func parseCursor(s string) (jobs.Cursor, bool) {
	if s == "" {
		return jobs.Cursor{}, true
	}
	at, id, found := strings.Cut(fromOpaque(s), " ")
	nanos, err := strconv.ParseInt(at, 10, 64)
	if err != nil || !found || id == "" {
		return jobs.Cursor{}, false
	}
	return jobs.Cursor{StartedAt: time.Unix(0, nanos), ID: id}, true
}

// page returns one page of the caller's jobs, and the cursor of the next or "".
func (s *service) page(ctx context.Context, c *caller, q jobs.Query, in pageInput) ([]jobs.Job, string, error) {
	n := cmp.Or(in.Limit, defaultLimit)
	before, ok := parseCursor(in.Cursor)
	if !ok {
		return nil, "", &argError{name: "cursor", why: fmt.Sprintf("it is %.*q", maxQuoted, in.Cursor)}
	}
	q.Owner, q.Before, q.Limit = c.owner, before, n+1 // one more shows whether there is a next page
	read := s.Jobs.List
	if q.Kind == jobs.KindRun {
		read = s.Jobs.ListRuns
	}
	list, err := read(ctx, q)
	if err != nil || len(list) <= n {
		return list, "", err
	}
	return list[:n], formatCursor(list[n-1]), nil
}

func (s *service) listBuilds(ctx context.Context, c *caller, in *listBuildsInput) (*buildList, error) {
	list, next, err := s.page(ctx, c, jobs.Query{Kind: jobs.KindBuild, State: jobs.State(in.Status)}, in.pageInput)
	if err != nil {
		return nil, err
	}
	out := &buildList{Builds: each(list, newListedBuild), NextCursor: next}
	now := time.Now()
	today, errToday := s.Jobs.Spending(ctx, c.owner, jobs.Today(now))
	month, errMonth := s.Jobs.Spending(ctx, c.owner, now.AddDate(0, 0, -30))
	if err := cmp.Or(errToday, errMonth); err != nil {
		// The list is useful without its sums, but one sum could be taken for both.
		s.Logger.Debug("the costs of builds could not be read", "err", logLine(err.Error()))
		return out, nil
	}
	out.SpentToday, out.Spent30Days, out.Unknown30Days = new(roundUSD(today.USD)), new(roundUSD(month.USD)), month.Unknown
	return out, nil
}

func (s *service) listRuns(ctx context.Context, c *caller, in *listRunsInput) (*runList, error) {
	if in.FunctionID != "" {
		if err := s.checkFunctionID(ctx, c, in.FunctionID); err != nil {
			return nil, err
		}
	}
	q := jobs.Query{Kind: jobs.KindRun, State: jobs.State(in.Status), FunctionID: in.FunctionID}
	list, next, err := s.page(ctx, c, q, in.pageInput)
	if err != nil {
		return nil, err
	}
	return &runList{Runs: each(list, newListedRun), NextCursor: next}, nil
}

// buildList is a page of builds, with what builds have cost.
type buildList struct {
	Builds        []listedBuild `json:"builds"`
	NextCursor    string        `json:"next_cursor,omitempty"`
	SpentToday    *float64      `json:"spent_today_usd,omitempty"` // nil: not known
	Spent30Days   *float64      `json:"spent_30_days_usd,omitempty"`
	Unknown30Days int           `json:"unknown_costs_30_days,omitempty"`

	listOutput
}

type listedBuild struct {
	BuildID      string `json:"build_id"`
	Query        string `json:"query"`
	Status       string `json:"status"`
	FunctionID   string `json:"function_id,omitempty"`
	FunctionName string `json:"function_name,omitempty"`
	TotalCostUSD any    `json:"total_cost_usd,omitempty"` // see [finalCost]
	StartedAt    string `json:"started_at"`
	Continues    string `json:"continues,omitempty"`
}

func newListedBuild(job jobs.Job) listedBuild {
	return listedBuild{
		BuildID:      job.ID,
		Query:        text.OneLine(job.Build.Query, listedQuery),
		Status:       string(job.State),
		FunctionID:   cleanLine(job.Build.FunctionID),
		FunctionName: text.OneLine(job.Build.FunctionName, listedQuery),
		TotalCostUSD: finalCost(job),
		StartedAt:    formatTime(job.StartedAt),
		Continues:    job.Build.Continues,
	}
}

// runList is a page of runs.
type runList struct {
	Runs       []listedRun `json:"runs"`
	NextCursor string      `json:"next_cursor,omitempty"`

	listOutput
}

type listedRun struct {
	RunID      string `json:"run_id,omitempty"`
	BatchID    string `json:"batch_id,omitempty"`
	Progress   string `json:"progress,omitempty"` // of a batch
	FunctionID string `json:"function_id"`
	Status     string `json:"status"`
	OK         *bool  `json:"ok,omitempty"`
	StartedAt  string `json:"started_at"`
}

func newListedRun(job jobs.Job) listedRun {
	r := listedRun{
		RunID:      job.ID,
		FunctionID: job.FunctionID(),
		Status:     string(job.State),
		StartedAt:  formatTime(job.StartedAt),
	}
	if job.Batch != nil {
		r.RunID, r.BatchID, r.Progress = "", job.ID, job.Batch.Tally.String()
	}
	if job.State.Ended() {
		r.OK = new(job.Succeeded())
	}
	return r
}

// roundUSD rounds a sum to a hundredth of a cent, because sums of floats have
// meaningless last digits.
func roundUSD(usd float64) float64 { return math.Round(usd*1e4) / 1e4 }

func (l *buildList) attrs() []slog.Attr {
	return []slog.Attr{slog.String("outcome", "listed"), slog.Int("builds", len(l.Builds))}
}

func (l *runList) attrs() []slog.Attr {
	return []slog.Attr{slog.String("outcome", "listed"), slog.Int("runs", len(l.Runs))}
}
