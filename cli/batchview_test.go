package cli

import (
	"strings"
	"testing"
	"time"

	"github.com/anything-mcp/anything-mcp/jobs"
	"github.com/anything-mcp/anything-mcp/notte"
)

// On a terminal a batch has a bar. Without one it writes plain lines, and not for every
// item.
func TestBatchView(t *testing.T) {
	start := time.Date(2026, 8, 1, 10, 0, 0, 0, time.UTC)
	job := jobs.Job{ID: "batch_1", StartedAt: start, Batch: &jobs.Batch{FunctionID: "f", Tally: jobs.Tally{Total: 40, Waiting: 40}}}
	for _, live := range []bool{false, true} {
		var out strings.Builder
		v := newBatchView(&screen{secrets: newSecrets(), live: live, out: &out}, job, start)
		for second := range 12 {
			now := start.Add(time.Duration(second) * time.Second)
			v.observe(jobs.Entry{Event: notte.Event{Type: jobs.EventTally}, Tally: jobs.Tally{Total: 40, Waiting: 36 - 2*second, Running: 4, Succeeded: second}}, now)
			v.draw(now)
		}
		want := "Running f for 40 items (batch_1)\n" +
			"     0s  0 of 40 done, 4 running\n     5s  10 of 40 done, 5 failed, 4 running\n    10s  20 of 40 done, 10 failed, 4 running\n"
		if live {
			if got := out.String(); !strings.Contains(got, "  10s  50% |██████████          |  20 of 40 done, 10 failed, 4 running") {
				t.Errorf("on a terminal it is %q", got)
			}
		} else if got := out.String(); got != want {
			t.Errorf("without a terminal it is\n%swant\n%s", got, want)
		}
	}
}
