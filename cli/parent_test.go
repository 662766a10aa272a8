package cli

import (
	"context"
	"testing"
	"testing/synctest"
	"time"
)

func TestAwaitOrphaned(t *testing.T) {
	ends := func(after time.Duration) func() bool {
		start := time.Now()
		return func() bool { return time.Since(start) >= after }
	}
	for name, tt := range map[string]struct {
		parent time.Duration // when it ends; 0: it is not watched
		ctx    time.Duration
		want   bool
		took   time.Duration
	}{
		"the parent ends":       {parent: 5 * time.Second, ctx: time.Hour, want: true, took: 6 * time.Second},
		"the server ends first": {parent: time.Hour, ctx: time.Minute, want: false, took: time.Minute},
		"it is not watched":     {ctx: time.Hour, want: false, took: 0},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				ctx, cancel := context.WithTimeout(t.Context(), tt.ctx-time.Nanosecond)
				defer cancel()
				var hasEnded func() bool
				if tt.parent != 0 {
					hasEnded = ends(tt.parent)
				}
				start := time.Now()
				if got := awaitOrphaned(ctx, hasEnded); got != tt.want {
					t.Errorf("awaitOrphaned = %v", got)
				}
				if took := time.Since(start).Round(time.Second); took != tt.took {
					t.Errorf("it took %s, want %s", took, tt.took)
				}
			})
		})
	}
}
