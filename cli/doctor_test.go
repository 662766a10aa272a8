package cli

import (
	"context"
	"io"
	"testing"
	"time"
)

// The clock may be off by minutes, as certificates and tokens allow.
func TestClock(t *testing.T) {
	for _, tt := range []struct {
		away time.Duration
		want string
	}{{0, fine}, {4 * time.Minute, fine}, {-4 * time.Minute, fine}, {time.Hour, problem}, {-48 * time.Hour, problem}} {
		d := &doctor{program: newProgram(Env{Stdout: io.Discard, Stderr: io.Discard}), ctx: context.Background()}
		d.checkClock(time.Now().Add(tt.away))
		if got := d.findings[0]; got.Status != tt.want || (got.Status == problem) != (got.Remedy != "") {
			t.Errorf("%v away: %+v", tt.away, got)
		}
	}
}
