package cli

import (
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/schollz/progressbar/v3"

	"github.com/anything-mcp/anything-mcp/jobs"
	"github.com/anything-mcp/anything-mcp/notte"
)

// batchInterval is how often a batch writes a line without a terminal, at most.
const batchInterval = 5 * time.Second

// batchView shows a running batch: a bar on a terminal, and plain lines otherwise. Only
// the goroutine that follows the batch may use it.
type batchView struct {
	screen  *screen
	started time.Time
	tally   jobs.Tally
	bar     *progressbar.ProgressBar // nil without a terminal
	note    string                   // to follow the tally
	ending  string                   // what is shown in the place of the tally; "": the tally
	shown   string                   // the last line
	due     time.Time
}

const barWidth = 20 // columns: the line fits into 80

func newBatchView(s *screen, job jobs.Job, now time.Time) *batchView {
	t := job.Batch.Tally
	fmt.Fprintln(s, s.styled(bold, fmt.Sprintf("Running %s for %s (%s)", job.FunctionID(), plural(t.Total, "item"), job.ID)))
	v := &batchView{screen: s, started: job.StartedAt, tally: t, due: now}
	if s.live {
		v.bar = progressbar.NewOptions(t.Total, progressbar.OptionSetWriter(io.Discard), progressbar.OptionSetWidth(barWidth),
			progressbar.OptionSetElapsedTime(false), progressbar.OptionSetPredictTime(false))
	}
	return v
}

func (v *batchView) observe(e jobs.Entry, _ time.Time) {
	switch e.Type {
	case jobs.EventTally:
		v.tally, v.note = e.Tally, ""
	case notte.EventStatus:
		v.note = "; " + e.Status
	}
}

func (v *batchView) canceling(now time.Time) {
	v.ending, v.due = "Cancelling; press Ctrl-C again to leave at once", now
	v.draw(now)
}

func (v *batchView) pause(now time.Time) time.Duration { return max(v.due.Sub(now), time.Millisecond) }

// draw shows the tally if it is due and, without a terminal, has changed.
func (v *batchView) draw(now time.Time) {
	if now.Before(v.due) {
		return
	}
	age, line := formatAge(now.Sub(v.started).Truncate(time.Second)), v.tally.String()+v.note
	if v.ending != "" {
		line = v.ending
	}
	if v.bar == nil {
		if v.due = now.Add(batchInterval); line != v.shown {
			v.shown = line
			fmt.Fprintf(v.screen, "%7s  %s\n", age, line)
		}
		return
	}
	v.due = now.Add(liveInterval)
	_, _ = v.bar.RenderBlank(), v.bar.Set(v.tally.Ended()) // io.Discard takes all
	bar := strings.TrimSpace(v.bar.String())
	v.screen.setStatus(truncate(fmt.Sprintf("%5s  %s  %s", age, bar, line), columns(v.screen.file)-1))
}
