package progress_test

import (
	"math"
	"testing"
	"time"

	"github.com/anything-mcp/anything-mcp/progress"
)

// The value of a job with parts rises with every update, and reaches the total only when
// all parts have ended.
func TestCount(t *testing.T) {
	now := time.Now()
	pacer := progress.NewPacer("Batch", "running", now)
	var got []float64
	update := func() {
		line, pause := pacer.Next(now)
		for line == "" && pause <= progress.QuietInterval {
			now = now.Add(pause)
			line, pause = pacer.Next(now)
		}
		if line == "" {
			return
		}
		u := pacer.Update(line)
		if u.Total != 2 || u.Message != line {
			t.Errorf("update %+v of %q", u, line)
		}
		got = append(got, u.Done)
		pacer.Sent(now)
	}
	for _, ended := range []int{0, 0, 0, 1, 1, 0, 2, 2} {
		pacer.ObserveCount(ended, 2, "a line")
		update()
	}
	want := []float64{0, 0.5, 2.0 / 3, 1, 1.5, 1 + 2.0/3, 2}
	if len(got) != len(want) {
		t.Fatalf("values %v, want %v", got, want)
	}
	for i := range want {
		if math.Abs(got[i]-want[i]) > 1e-9 {
			t.Errorf("values %v, want %v", got, want)
		}
	}
}
