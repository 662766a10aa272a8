package cli

import (
	"fmt"
	"io"
	"strings"
	"testing"

	"github.com/anything-mcp/anything-mcp/jobs"
	"github.com/anything-mcp/anything-mcp/notte"
	"github.com/anything-mcp/anything-mcp/transport"
)

func TestAdvice(t *testing.T) {
	for _, c := range []struct {
		err   error
		names string // "" for no advice
	}{
		{fmt.Errorf("start the build: %w", notte.ErrNoKey), "NOTTE_API_KEY"},
		{notte.ErrNoKey, "--sandbox"},
		{&jobs.LimitError{Limits: jobs.Limits{MaxRunning: 2, BudgetUSD: 1}, Running: 2}, "--max-concurrent-builds or ANYTHING_MCP_MAX_CONCURRENT_BUILDS"},
		{&jobs.LimitError{Limits: jobs.Limits{MaxRunning: 2, BudgetUSD: 1}, Running: 1}, "--daily-budget or ANYTHING_MCP_DAILY_BUDGET"},
		{fmt.Errorf("listen: %w", transport.ErrToken), "ANYTHING_MCP_AUTH_TOKEN"},
		{io.ErrUnexpectedEOF, ""},
	} {
		if got := advice(c.err); !strings.Contains(got, c.names) || (got == "") != (c.names == "") {
			t.Errorf("advice(%v) = %q, want it to name %q", c.err, got, c.names)
		}
	}
}
