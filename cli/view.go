package cli

import (
	"fmt"
	"iter"
	"sync"
	"time"

	"github.com/anything-mcp/anything-mcp/jobs"
	"github.com/anything-mcp/anything-mcp/notte"
	"github.com/anything-mcp/anything-mcp/progress"
)

const (
	tickLive  = 100 * time.Millisecond // how often the status line moves
	tickPlain = 30 * time.Second       // how long plain output may be silent
)

// view shows a job while it runs: a line for each step and, on a terminal, a
// status line below them that tells the time and what the agent is saying.
type view struct {
	screen  *screen
	started time.Time

	mu    sync.Mutex        // guards what follows
	doing string            // the status: a step, or the label of text
	text  progress.TextTail // what the agent says; empty after a step
	spoke bool              // a line was written since the last tick
	turn  int               // of the spinner
}

// newView begins with a title.
func newView(s *screen, title string, started time.Time) *view {
	fmt.Fprintln(s, s.paint(bold, oneLine(title)))
	return &view{screen: s, started: started, doing: "Starting"}
}

// follow shows the entries of a job's log as they come, to the last.
func (v *view) follow(entries iter.Seq2[jobs.Entry, error]) error {
	stop := make(chan struct{})
	var ticking sync.WaitGroup
	ticking.Go(func() { v.tick(stop) })
	defer v.screen.setStatus("")
	defer ticking.Wait()
	defer close(stop)
	for entry, err := range entries {
		if err != nil {
			return err
		}
		v.observe(entry)
	}
	return nil
}

func (v *view) observe(entry jobs.Entry) {
	ev := entry.Event
	switch line, ok := progress.Describe(ev); {
	case ok:
		v.step(entry.At, line)
		if ev.Type == notte.EventSessionData {
			line = "Working"
		}
		v.mu.Lock()
		v.doing, v.text = line, progress.TextTail{}
		v.mu.Unlock()
	case ev.Delta != "":
		v.mu.Lock()
		v.text.Add(ev.Type, ev.Delta)
		v.mu.Unlock()
	}
}

// step writes a line of its own with the job's age.
func (v *view) step(at time.Time, line string) {
	v.mu.Lock()
	v.spoke = true
	v.mu.Unlock()
	fmt.Fprintf(v.screen, "%s  %s\n", v.screen.paint(dim, fmt.Sprintf("%7s", age(at.Sub(v.started)))), line)
}

// say changes the status until the next event.
func (v *view) say(status string) {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.doing, v.text = status, progress.TextTail{}
}

// tick keeps the status moving or, where there is none, breaks long silences.
func (v *view) tick(stop <-chan struct{}) {
	every := tickPlain
	if v.screen.live {
		every = tickLive
	}
	ticker := time.NewTicker(every)
	defer ticker.Stop()
	for {
		select {
		case <-stop:
			return
		case now := <-ticker.C:
			if v.screen.live {
				v.screen.setStatus(v.status(now, columns(v.screen.file)))
			} else if v.quiet() {
				v.step(now, "Still at work")
			}
		}
	}
}

// quiet reports whether nothing was written since it was last asked.
func (v *view) quiet() bool {
	v.mu.Lock()
	defer v.mu.Unlock()
	spoke := v.spoke
	v.spoke = false
	return !spoke
}

// spinner turns while the job runs: a sign of life of this process.
var spinner = [...]string{"⠋", "⠙", "⠹", "⠸", "⠼", "⠴", "⠦", "⠧", "⠇", "⠏"}

// status is the line for now, of less than width columns: in the last one
// terminals may wrap.
func (v *view) status(now time.Time, width int) string {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.turn++
	head := fmt.Sprintf("%s %5s  ", spinner[v.turn%len(spinner)], age(now.Sub(v.started).Truncate(time.Second)))
	room := max(width-1-len([]rune(head)), 0)
	if line, _ := v.text.Line(); line != "" {
		label := v.text.Label()
		return head + v.screen.paint(dim, label+fitStart(line, max(room-len(label), 0)))
	}
	return head + v.screen.paint(dim, fitEnd(v.doing, room))
}

// age words how long something has taken: 0.2s, 12s, 1m05s, 1h02m.
func age(d time.Duration) string {
	d = max(d, 0)
	switch {
	case d < 10*time.Second && d%time.Second != 0:
		return fmt.Sprintf("%.1fs", d.Truncate(100*time.Millisecond).Seconds())
	case d < time.Minute:
		return fmt.Sprintf("%ds", d/time.Second)
	case d < time.Hour:
		return fmt.Sprintf("%dm%02ds", d/time.Minute, d%time.Minute/time.Second)
	}
	return fmt.Sprintf("%dh%02dm", d/time.Hour, d%time.Hour/time.Minute)
}
