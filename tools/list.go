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
	"github.com/anything-mcp/anything-mcp/notte"
	"github.com/anything-mcp/anything-mcp/progress"
)

// Bounds of a page of a list.
const (
	defaultLimit = 20
	maxLimit     = 100
	listedQuery  = 80 // characters
)

var listBuilds = spec{
	name:        "list_builds",
	title:       "List builds",
	description: `Lists earlier builds, newest first, and what builds have cost today and in the last 30 days. To find a function again before building anew.`,
	input: `{"type":"object","properties":{
		"status":{"type":"string","enum":["running","done","error","timeout","cancelled","interrupted"]},
		"limit":{"type":"integer","minimum":1,"maximum":100,"description":"Default 20"},
		"cursor":{"type":"string","description":"next_cursor of the page before"}},
		"additionalProperties":false}`,
	output: `{"type":"object","properties":{
		"builds":{"type":"array","items":{"type":"object"}},
		"next_cursor":{"type":"string"},
		"spent_today_usd":{"type":"number"},
		"spent_30_days_usd":{"type":"number"},
		"unknown_costs_30_days":{"type":"integer"}},
		"required":["builds"]}`,
	hints: hints{readOnly: true, idempotent: true},
}

var listRuns = spec{
	name:        "list_runs",
	title:       "List runs",
	description: `Lists earlier runs of functions, newest first.`,
	input: `{"type":"object","properties":{
		"function_id":{"type":"string"},
		"status":{"type":"string","enum":["running","closed","failed","cancelled","interrupted"]},
		"limit":{"type":"integer","minimum":1,"maximum":100,"description":"Default 20"},
		"cursor":{"type":"string"}},
		"additionalProperties":false}`,
	output: `{"type":"object","properties":{
		"runs":{"type":"array","items":{"type":"object"}},
		"next_cursor":{"type":"string"}},
		"required":["runs"]}`,
	hints: hints{readOnly: true, idempotent: true},
}

type listBuildsInput struct {
	Status string   `json:"status" want:"one of running, done, error, timeout, cancelled, interrupted"`
	Limit  *float64 `json:"limit" want:"a whole number from 1 to 100"`
	Cursor string   `json:"cursor" want:"the next_cursor of an earlier page"`
}

func (in *listBuildsInput) check() error {
	switch jobs.State(in.Status) {
	case "", jobs.StateRunning, jobs.StateDone, jobs.StateError, jobs.StateTimeout, jobs.StateCancelled, jobs.StateInterrupted:
		return checkPage[listBuildsInput](in.Limit, in.Cursor)
	}
	return wrong[listBuildsInput]("status", fmt.Sprintf("it is %.40q", in.Status))
}

type listRunsInput struct {
	FunctionID string   `json:"function_id" want:"a function's ID: 1 to 128 letters, digits, - or _"`
	Status     string   `json:"status" want:"one of running, closed, failed, cancelled, interrupted"`
	Limit      *float64 `json:"limit" want:"a whole number from 1 to 100"`
	Cursor     string   `json:"cursor" want:"the next_cursor of an earlier page"`
}

func (in *listRunsInput) check() error {
	if in.FunctionID != "" && !notte.ValidID(in.FunctionID) {
		return wrong[listRunsInput]("function_id", fmt.Sprintf("it is %.140q", in.FunctionID))
	}
	switch jobs.State(in.Status) {
	case "", jobs.StateRunning, jobs.StateClosed, jobs.StateFailed, jobs.StateCancelled, jobs.StateInterrupted:
		return checkPage[listRunsInput](in.Limit, in.Cursor)
	}
	return wrong[listRunsInput]("status", fmt.Sprintf("it is %.40q", in.Status))
}

// checkPage checks the limit and the cursor of an In.
func checkPage[In any](limit *float64, cursor string) error {
	if limit != nil && (*limit != math.Trunc(*limit) || *limit < 1 || *limit > maxLimit) {
		return wrong[In]("limit", fmt.Sprintf("it is %v", *limit))
	}
	if _, ok := parseCursor(cursor); !ok {
		return wrong[In]("cursor", "it is another text")
	}
	return nil
}

// formatCursor makes a place in a list a text that is nobody's to read.
func formatCursor(job jobs.Job) string {
	return base64.RawURLEncoding.EncodeToString(fmt.Appendf(nil, "%d %s", job.StartedAt.UnixNano(), job.ID))
}

// parseCursor is the inverse of formatCursor; the empty text is the beginning.
func parseCursor(s string) (jobs.Cursor, bool) {
	if s == "" {
		return jobs.Cursor{}, true
	}
	raw, err := base64.RawURLEncoding.DecodeString(s)
	at, id, found := strings.Cut(string(raw), " ")
	nanos, numErr := strconv.ParseInt(at, 10, 64)
	if err != nil || numErr != nil || !found || id == "" {
		return jobs.Cursor{}, false
	}
	return jobs.Cursor{StartedAt: time.Unix(0, nanos), ID: id}, true
}

// page lists one page of the caller's jobs, and where the next begins.
func (s *service) page(ctx context.Context, q jobs.Query, limit *float64, cursor string) ([]jobs.Job, string, error) {
	if err := s.Client.Ready(); err != nil {
		return nil, "", err
	}
	n := defaultLimit
	if limit != nil {
		n = int(*limit)
	}
	q.Owner, q.Limit = s.Client.Owner(), n+1 // one more tells whether there are more
	q.Before, _ = parseCursor(cursor)
	list, err := s.Jobs.List(ctx, q)
	if err != nil || len(list) <= n {
		return list, "", err
	}
	return list[:n], formatCursor(list[n-1]), nil
}

func (s *service) listBuilds(ctx context.Context, in listBuildsInput) (*buildList, error) {
	list, next, err := s.page(ctx, jobs.Query{Kind: jobs.KindBuild, State: jobs.State(in.Status)}, in.Limit, in.Cursor)
	if err != nil {
		return nil, err
	}
	out := &buildList{Builds: make([]listedBuild, len(list)), NextCursor: next}
	for i, job := range list {
		out.Builds[i] = newListedBuild(job)
	}
	now := time.Now()
	today, errToday := s.Jobs.Spending(ctx, s.Client.Owner(), jobs.Today(now))
	month, errMonth := s.Jobs.Spending(ctx, s.Client.Owner(), now.AddDate(0, 0, -30))
	if err := cmp.Or(errToday, errMonth); err != nil {
		// The list is of use without its sums; a part would pass for the whole.
		s.Logger.Warn("what builds have cost could not be read", "err", err)
		return out, nil
	}
	out.SpentToday, out.Spent30Days, out.Unknown30Days = new(cents(today.USD)), new(cents(month.USD)), month.Unknown
	return out, nil
}

func (s *service) listRuns(ctx context.Context, in listRunsInput) (*runList, error) {
	q := jobs.Query{Kind: jobs.KindRun, State: jobs.State(in.Status), FunctionID: in.FunctionID}
	list, next, err := s.page(ctx, q, in.Limit, in.Cursor)
	if err != nil {
		return nil, err
	}
	out := &runList{Runs: make([]listedRun, len(list)), NextCursor: next}
	for i, job := range list {
		out.Runs[i] = newListedRun(job)
	}
	return out, nil
}

// buildList is a page of builds, with what builds have cost.
type buildList struct {
	Builds        []listedBuild `json:"builds"`
	NextCursor    string        `json:"next_cursor,omitempty"`
	SpentToday    *float64      `json:"spent_today_usd,omitempty"` // nil: not known
	Spent30Days   *float64      `json:"spent_30_days_usd,omitempty"`
	Unknown30Days int           `json:"unknown_costs_30_days,omitempty"`
}

type listedBuild struct {
	BuildID      string `json:"build_id"`
	Query        string `json:"query"`
	Status       string `json:"status"`
	FunctionID   string `json:"function_id,omitempty"`
	FunctionName string `json:"function_name,omitempty"`
	TotalCostUSD *cost  `json:"total_cost_usd,omitempty"`
	StartedAt    string `json:"started_at"`
}

func newListedBuild(job jobs.Job) listedBuild {
	b := listedBuild{
		BuildID:      job.ID,
		Query:        progress.OneLine(job.Build.Query, listedQuery),
		Status:       string(job.State),
		FunctionID:   plain(job.Build.FunctionID),
		FunctionName: progress.OneLine(job.Build.FunctionName, listedQuery),
		StartedAt:    job.StartedAt.UTC().Format(time.RFC3339),
	}
	if job.State.Ended() {
		b.TotalCostUSD = &cost{job.Build.TotalCostUSD}
	}
	return b
}

// runList is a page of runs.
type runList struct {
	Runs       []listedRun `json:"runs"`
	NextCursor string      `json:"next_cursor,omitempty"`
}

type listedRun struct {
	RunID      string `json:"run_id"`
	FunctionID string `json:"function_id"`
	Status     string `json:"status"`
	OK         *bool  `json:"ok,omitempty"`
	StartedAt  string `json:"started_at"`
}

func newListedRun(job jobs.Job) listedRun {
	r := listedRun{
		RunID:      job.ID,
		FunctionID: job.Run.FunctionID,
		Status:     string(job.State),
		StartedAt:  job.StartedAt.UTC().Format(time.RFC3339),
	}
	if job.State.Ended() {
		r.OK = new(job.Succeeded())
	}
	return r
}

// cents rounds a sum to a hundredth of a cent: floats add up to odd tails.
func cents(usd float64) float64 { return math.Round(usd*1e4) / 1e4 }

func (*buildList) failed() bool { return false }
func (*runList) failed() bool   { return false }

func (l *buildList) attrs() []slog.Attr {
	return []slog.Attr{slog.String("outcome", "listed"), slog.Int("builds", len(l.Builds))}
}

func (l *runList) attrs() []slog.Attr {
	return []slog.Attr{slog.String("outcome", "listed"), slog.Int("runs", len(l.Runs))}
}
