package progress_test

import (
	"context"
	"slices"
	"testing"

	"github.com/anything-mcp/anything-mcp/progress"
)

func TestDefer(t *testing.T) {
	var done []string
	handle := func(ctx context.Context) {
		progress.Defer(ctx, func(context.Context) { done = append(done, "wait") })
		done = append(done, "return")
	}
	handle(t.Context())
	if want := []string{"wait", "return"}; !slices.Equal(done, want) {
		t.Errorf("without a Deferral: %v, want %v", done, want)
	}
	done = nil
	ctx, deferral := progress.WithDeferral(t.Context())
	handle(ctx)
	deferral.Run(ctx)
	deferral.Run(ctx) // has nothing left to do
	if want := []string{"return", "wait"}; !slices.Equal(done, want) {
		t.Errorf("with a Deferral: %v, want %v", done, want)
	}
}
