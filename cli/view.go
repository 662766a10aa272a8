package cli

import (
	"fmt"
	"time"

	"github.com/anything-mcp/anything-mcp/jobs"
	"github.com/anything-mcp/anything-mcp/notte"
	"github.com/anything-mcp/anything-mcp/progress"
	"github.com/anything-mcp/anything-mcp/text"
)

const (
	liveInterval  = 100 * time.Millisecond // between two status lines on a terminal
	plainInterval = 30 * time.Second       // the longest silence without a terminal
)

// view shows a running job: a line for each step and, on a terminal, a status
// line below them with the time and the end of what the agent is writing. Only the
// goroutine that follows the job's log may use it.
type view struct {
	screen  *screen
	started time.Time
	status  string            // the step that runs
	tail    progress.TextTail // what the agent has written since that step
	frame   int               // of the spinner
	due     time.Time
}

// newView writes the title and returns a view of a job that started at started,
// which may be long ago.
func newView(s *screen, title string, started, now time.Time) *view {
	fmt.Fprintln(s, s.styled(bold, text.OneLine(title, maxLine)))
	v := &view{screen: s, started: started, status: "Starting", due: now}
	if !s.live {
		v.due = now.Add(plainInterval)
	}
	return v
}

// observe shows an entry of the job's log.
func (v *view) observe(entry jobs.Entry, now time.Time) {
	ev := entry.Event
	line, ok := progress.Describe(ev)
	switch {
	case !ok:
		v.tail.Add(ev.Type, ev.Delta)
		return
	case ev.Type == notte.EventSessionData: // the link is in the line, so the status need not show it
		v.setStatus("Working")
	default:
		v.setStatus(line)
	}
	v.step(entry.At, now, line)
}

// setStatus sets the status until the next step or the next text of the agent.
func (v *view) setStatus(status string) { v.status, v.tail = status, progress.TextTail{} }

// step writes a line with the age of the job at when.
func (v *view) step(when, now time.Time, line string) {
	age := fmt.Sprintf("%7s", formatAge(when.Sub(v.started)))
	fmt.Fprintf(v.screen, "%s  %s\n", v.screen.styled(dim, age), line)
	if v.due = now; !v.screen.live {
		v.due = now.Add(plainInterval)
	}
}

// canceling shows that the job is about to be cancelled.
func (v *view) canceling(now time.Time) {
	v.step(now, now, "Cancelling; press Ctrl-C again to leave at once")
	v.setStatus("Cancelling")
}

// pause returns how long to wait before the next draw.
func (v *view) pause(now time.Time) time.Duration { return max(v.due.Sub(now), time.Millisecond) }

// draw redraws the status line if it is due. Without a status line it writes a line
// after a long silence.
func (v *view) draw(now time.Time) {
	switch {
	case now.Before(v.due):
	case v.screen.live:
		v.screen.setStatus(v.statusLine(now, columns(v.screen.file)))
		v.due = now.Add(liveInterval)
	default:
		v.step(now, now, "Still working")
	}
}

// spinner holds the frames of a spinner, which shows that this process is alive.
var spinner = [...]string{"⠋", "⠙", "⠹", "⠸", "⠼", "⠴", "⠦", "⠧", "⠇", "⠏"}

// statusLine returns the status in less than width columns, because terminals
// may wrap in the last one.
func (v *view) statusLine(now time.Time, width int) string {
	head := fmt.Sprintf("%s %5s  ", spinner[v.frame%len(spinner)], formatAge(now.Sub(v.started).Truncate(time.Second)))
	v.frame++
	room := width - 1 - len([]rune(head))
	line := truncate(v.status, room)
	if text, _ := v.tail.Line(); text != "" {
		line = v.tail.Label() + truncateLeft(text, room-len(v.tail.Label()))
	}
	return head + v.screen.styled(dim, line)
}
