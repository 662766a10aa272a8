package jobs_test

import (
	"testing"
	"time"

	"github.com/anything-mcp/anything-mcp/jobs"
)

// The refusals say which limit, what is used of it, and when there is room again.
func TestLimitErrorSaysWhenThereIsRoom(t *testing.T) {
	day := time.Date(2026, 7, 28, 0, 0, 0, 0, time.UTC)
	budget := jobs.Limits{BudgetUSD: 5, Since: day}
	for _, c := range []struct {
		why   string
		limit jobs.LimitError
		want  string
	}{
		{"too many at once", jobs.LimitError{Limits: jobs.Limits{MaxRunning: 2}, Running: 2},
			"at most 2 builds may run at once, and as many are running: try again when one of them has ended"},
		{"a budget that is spent", jobs.LimitError{Limits: budget, Spent: jobs.Spending{USD: 4.5, Builds: 9, Unknown: 1}, ReservedUSD: 0.4, NextUSD: 0.4},
			"the daily budget of $5.00 does not allow another build: $4.50 was spent today, $0.40 is reserved for builds that run (0) or whose cost is unknown (1), and $0.40 is the expected cost of one more; the next day's budget begins at 2026-07-29T00:00:00Z"},
		{"a budget with builds running", jobs.LimitError{Limits: budget, Running: 5, ReservedUSD: 5, NextUSD: 1},
			"the daily budget of $5.00 does not allow another build: $0.00 was spent today, $5.00 is reserved for builds that run (5) or whose cost is unknown (0), and $1.00 is the expected cost of one more; try again when a running build has ended, or after the next day's budget begins, at 2026-07-29T00:00:00Z"},
		{"a budget for less than one", jobs.LimitError{Limits: jobs.Limits{BudgetUSD: 0.5, Since: day}, NextUSD: 1},
			"the daily budget of $0.50 does not allow another build: $0.00 was spent today, $0.00 is reserved for builds that run (0) or whose cost is unknown (0), and $1.00 is the expected cost of one more; the budget is smaller than the expected cost of one build"},
	} {
		if got := c.limit.Error(); got != c.want {
			t.Errorf("%s:\n got %s\nwant %s", c.why, got, c.want)
		}
	}
}
