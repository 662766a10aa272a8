package progress_test

import (
	"context"
	"fmt"
	"time"

	"github.com/anything-mcp/anything-mcp/notte"
	"github.com/anything-mcp/anything-mcp/progress"
)

type printer struct{ sent *int }

func (p printer) Send(_ context.Context, message string) error {
	*p.sent++
	_, err := fmt.Println(*p.sent, message)
	return err
}

func Example() {
	// A transport puts the sink of a call into its context, for a client that
	// asked for progress; a tool's handler reports to it.
	ctx := progress.WithSink(context.Background(), printer{new(int)})

	started := time.Now().Add(-80 * time.Second)
	r := progress.NewReporter(ctx, progress.SinkFrom(ctx), progress.StartedAt(started))
	r.Observe(notte.Event{Type: notte.EventToolStart, Name: "browser_click"})
	r.Observe(notte.Event{Type: notte.EventDone})
	r.Close()
	fmt.Println("the result")
	// Output:
	// 1 Build running for 1m20s
	// the result
}

func ExampleLine() {
	for _, ev := range []notte.Event{
		{Type: notte.EventStatus, Status: "starting"},
		{Type: notte.EventSessionData, ViewerURL: "https://view.notte.cc/s/1"},
		{Type: notte.EventToolStart, Name: "browser_click"},
		{Type: notte.EventTextDelta, Delta: "no line of its own"},
		{Type: notte.EventFunctionUploaded, FunctionName: "hn_top", FunctionID: "d3c31289"},
	} {
		if line, ok := progress.Line(ev); ok {
			fmt.Println(line)
		}
	}
	// Output:
	// Status: starting
	// Watch live: https://view.notte.cc/s/1
	// Using browser_click
	// Function created: hn_top (d3c31289)
}

func ExampleOneLine() {
	fmt.Println(progress.OneLine("\x1b[31mAn \"invoice\"\n\tcalled \u202egpj.exe\x1b[0m", 80))
	fmt.Println(progress.OneLine("The page lists thirty stories", 20))
	// Output:
	// An "invoice" called gpj.exe
	// The page lists thir…
}
