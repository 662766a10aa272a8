package progress_test

import (
	"fmt"
	"time"

	"github.com/anything-mcp/anything-mcp/notte"
	"github.com/anything-mcp/anything-mcp/progress"
)

// A call follows a job: it sends the lines that are due, and waits for events.
func ExamplePacer() {
	now := time.Date(2026, 8, 1, 10, 0, 0, 0, time.UTC)
	pacer := progress.NewPacer("Build", "building", now.Add(-80*time.Second))
	events := []notte.Event{{Type: notte.EventToolStart, Name: "browser_click"}, {Type: notte.EventDone}}
	for {
		if line, pause := pacer.Next(now); line != "" {
			fmt.Println(line)
			pacer.Sent(now)
			continue
		} else {
			fmt.Println("waits at most", pause)
		}
		ev := events[0] // comes at once
		if ev.Terminal() {
			break
		}
		pacer.Observe(ev, now)
		now, events = now.Add(progress.MinInterval), events[1:]
	}
	// Output:
	// Build running for 1m20s
	// waits at most 10s
	// Using browser_click
	// waits at most 10s
}

func ExampleDescribe() {
	for _, ev := range []notte.Event{
		{Type: notte.EventStatus, Status: "starting"},
		{Type: notte.EventSessionData, ViewerURL: "https://view.notte.cc/s/1"},
		{Type: notte.EventToolStart, Name: "browser_click"},
		{Type: notte.EventTextDelta, Delta: "no line of its own"},
		{Type: notte.EventFunctionUploaded, FunctionName: "hn_top", FunctionID: "d3c31289"},
	} {
		if line, ok := progress.Describe(ev); ok {
			fmt.Println(line)
		}
	}
	// Output:
	// Status: starting
	// Watch live: https://view.notte.cc/s/1
	// Using browser_click
	// Function created: hn_top (d3c31289)
}
