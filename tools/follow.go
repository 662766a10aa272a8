package tools

import (
	"cmp"
	"context"
	"errors"
	"log/slog"
	"math"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/anything-mcp/anything-mcp/jobs"
	"github.com/anything-mcp/anything-mcp/notte"
	"github.com/anything-mcp/anything-mcp/text"
)

var followJob = toolSpec{
	name:        "follow_job",
	title:       "Follow a build or run",
	description: `For this server's own page only. To wait for a build or run, call get_build or get_run.`,
	output:      outputSchema[followOutput](),
	hints:       hints{readOnly: true, idempotent: true},
	forPages:    true,
}

// followInput names a job by its ID or, while the page does not know that, by its
// query.
type followInput struct {
	JobID       string `json:"job_id,omitempty" jsonschema:"A build_id or run_id" must:"a build_id or run_id"`
	Query       string `json:"query,omitempty" jsonschema:"In its place: the query of a build that runs or has just ended" max:"20000"`
	After       int    `json:"after,omitempty" jsonschema:"next of the answer before" min:"0" must:"the next of the answer before"`
	WaitSeconds int    `json:"wait_seconds,omitempty" jsonschema:"Seconds to wait for something new. Default 0" min:"0" max:"20" lenient:"true" must:"a whole number of seconds"`
}

// followOutput is what has happened to a job since a position in its log.
type followOutput struct {
	Job       any        `json:"job,omitempty"` // a *buildOutput or *runOutput; nil: there is no such build yet
	Entries   []followed `json:"entries" jsonschema:"seq, at (seconds since the start), type, text"`
	Next      int64      `json:"next" jsonschema:"after of the next call"`
	More      bool       `json:"more,omitempty" jsonschema:"true: there are further entries now"`
	Simulated bool       `json:"simulated,omitempty"`

	listOutput // an answer about a job that failed is no failure
}

// followed is an entry of a job's log for the page.
type followed struct {
	Seq  int64   `json:"seq"`
	At   float64 `json:"at"` // seconds since the start
	Type string  `json:"type"`
	Text string  `json:"text,omitempty"`
}

// Bounds of an answer, because hosts bound what pages get. It has less than 64 KiB
// unless the job has a long answer or result.
const (
	maxFollowed      = 200
	maxFollowedBytes = 60 << 10 // of the job and the entries
	minFollowedBytes = 16 << 10 // of the entries, however large the job is
)

// sizeInAnswer returns how many bytes v takes in an answer, which has it as structured
// content and as text.
func sizeInAnswer(v any) int {
	raw, _ := text.JSON(v) // a failure shows when the whole is encoded
	again, _ := text.JSON(string(raw))
	return len(raw) + len(again)
}

// followJob returns what has happened to a job. It never sends progress, whatever
// token the call has: a host's client does not know the tokens of its pages, and may
// give the progress to another call.
func (s *service) followJob(ctx context.Context, c *caller, in *followInput) (*followOutput, error) {
	out := &followOutput{Entries: []followed{}, Next: int64(in.After), Simulated: s.Sandbox}
	end := time.Now().Add(time.Duration(in.WaitSeconds) * time.Second)
	job, err := s.findFollowed(ctx, c, in, end)
	if err != nil || job == nil {
		return out, err
	}
	entries, err := s.Jobs.Next(ctx, c.owner, job.ID, out.Next, time.Until(end))
	if ctx.Err() != nil {
		return nil, context.Cause(ctx)
	}
	if refreshErr := s.refresh(ctx, job); refreshErr != nil {
		return nil, refreshErr
	}
	s.addJob(ctx, c, out, job)
	l := followedLog{out: out, job: job, left: max(maxFollowedBytes-sizeInAnswer(out.Job), minFollowedBytes)}
	for err == nil && l.add(entries) {
		entries, err = s.Jobs.Next(ctx, c.owner, job.ID, out.Next, 0)
	}
	return out, nil // what could not be read now is read by the next call
}

// buildPoll is how often a build is looked for that is not there yet.
const buildPoll = 500 * time.Millisecond

// findFollowed returns the job to follow, or nil if there is no such build until end.
func (s *service) findFollowed(ctx context.Context, c *caller, in *followInput, end time.Time) (*jobs.Job, error) {
	if in.JobID == "" && in.Query == "" {
		return nil, &argError{name: "job_id", why: "it is missing, and so is query"}
	}
	if in.JobID != "" {
		kind := cmp.Or(kindOfID(in.JobID), jobs.KindBuild)
		job, err := s.jobByID(ctx, c, kind, string(kind)+"_id", in.JobID)
		if _, bad := errors.AsType[*argError](err); bad {
			// The sentence is that of the tool that returns such a job.
			s.tools[getter(kind)].input().complete(err)
			err = &argError{why: err.Error()}
		}
		return job, err
	}
	for {
		job, err := s.Jobs.FindBuild(ctx, c.Client, in.Query)
		left := time.Until(end)
		switch {
		case err == nil:
			return &job, nil
		case !errors.Is(err, jobs.ErrNotFound):
			return nil, err
		case left <= 0:
			return nil, nil
		}
		select {
		case <-time.After(min(buildPoll, left)):
		case <-ctx.Done():
			return nil, context.Cause(ctx)
		}
	}
}

// addJob adds what get_build or get_run returns.
func (s *service) addJob(ctx context.Context, c *caller, out *followOutput, job *jobs.Job) {
	switch job.Kind {
	case jobs.KindRun:
		out.Job = newRunOutput(job)
		return
	case jobs.KindBatch:
		out.Job = newBatchOutput(job)
		return
	}
	build := newBuildOutput(job)
	s.addCandidates(ctx, c, build)
	out.Job = build
}

// followedLog adds entries to an output.
type followedLog struct {
	out  *followOutput
	job  *jobs.Job
	left int // bytes
}

// add adds entries, and reports whether there may be others that have room.
func (l *followedLog) add(entries []jobs.Entry) bool {
	for _, e := range entries {
		if e.Seq <= l.out.Next { // the position is past the end
			return false
		}
		if !l.addOne(e) {
			l.out.More = true
			return false
		}
		l.out.Next = e.Seq
		if e.Final {
			return false
		}
	}
	return len(entries) > 0
}

// addOne adds an entry if it has something to show, or reports that it has no room.
func (l *followedLog) addOne(e jobs.Entry) bool {
	kind, content, shown := describeEntry(e)
	if !shown {
		return true
	}
	one := followed{e.Seq, max(0, math.Round(e.At.Sub(l.job.StartedAt).Seconds()*10)/10), kind, content}
	n := len(l.out.Entries)
	switch {
	case n > 0 && l.out.Entries[n-1].takes(one):
		if !l.has(sizeInAnswer(content)) {
			return false
		}
		last := &l.out.Entries[n-1]
		last.Seq, last.Text = one.Seq, last.Text+one.Text
	case n == maxFollowed || !l.has(sizeInAnswer(one)):
		return false
	default:
		l.out.Entries = append(l.out.Entries, one)
	}
	return true
}

// has takes so many bytes of those that are left, if there are as many. The first entry
// has room, because a page that got none would ask for it again and again.
func (l *followedLog) has(size int) bool {
	if size > l.left && len(l.out.Entries) > 0 {
		return false
	}
	l.left -= size
	return true
}

// takes reports whether an entry and the next one are parts of one text.
func (f *followed) takes(next followed) bool {
	isText := f.Type == followedThinking || f.Type == followedText
	return isText && f.Type == next.Type && utf8.RuneCountInString(f.Text)+utf8.RuneCountInString(next.Text) <= maxLine
}

// The types of entries that hold a part of the agent's text.
const (
	followedThinking = "thinking"
	followedText     = "text"
)

// describeEntry returns the type and the text of an entry for the page, or false if it
// has nothing to show. A viewer's link is told with the job alone.
func describeEntry(e jobs.Entry) (kind, content string, shown bool) {
	kind = string(e.Type)
	switch {
	case e.Final:
		return kind, cleanLine(cmp.Or(e.Error, e.Reason, e.Detail, e.Warning)), true
	case e.Type == notte.EventThinkingDelta, e.Type == notte.EventTextDelta:
		kind = followedText
		if e.Type == notte.EventThinkingDelta {
			kind = followedThinking
		}
		content = clipLines(e.Delta)
	case e.Type == notte.EventStatus:
		content = cleanLine(e.Status)
	case e.Type == notte.EventToolStart:
		content = cmp.Or(text.OneLine(e.Name, maxStep), "a tool")
	case e.Type == notte.EventFunctionUploaded:
		content = cleanLine(cmp.Or(e.FunctionName, e.FunctionID))
	case e.Type == notte.EventLog:
		content = cleanLine(e.Message)
	case e.Type == notte.EventSessionData:
		return kind, "", true
	}
	return kind, content, content != ""
}

// clipLines returns a text of several lines, of at most maxLine characters.
func clipLines(s string) string {
	s = strings.ToValidUTF8(text.Lines(text.Prefix(s, maxLine*utf8.UTFMax)), "\uFFFD")
	if utf8.RuneCountInString(s) > maxLine {
		s = string([]rune(s)[:maxLine-1]) + "…"
	}
	return s
}

func (o *followOutput) attrs() []slog.Attr {
	attrs := []slog.Attr{slog.String("outcome", "followed"), slog.Int("entries", len(o.Entries))}
	if j, ok := o.Job.(output); ok {
		attrs = append(attrs, j.attrs()[1:]...)
	}
	return attrs
}
