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
			"the limit of builds at once is 2, and as many are running: there is room when one of them has ended"},
		{"a budget that is spent", jobs.LimitError{Limits: budget, Spent: jobs.Spending{USD: 4.5, Builds: 9, Unknown: 1}, ReservedUSD: 0.4, NextUSD: 0.4},
			"the daily budget of $5.00 does not allow another build: $4.50 spent today, $0.40 reserved for builds that run (0) or whose cost is unknown (1), and $0.40 that one more is taken to cost; the next day's budget begins at 2026-07-29T00:00:00Z"},
		{"a budget with builds running", jobs.LimitError{Limits: budget, Running: 5, ReservedUSD: 5, NextUSD: 1},
			"the daily budget of $5.00 does not allow another build: $0.00 spent today, $5.00 reserved for builds that run (5) or whose cost is unknown (0), and $1.00 that one more is taken to cost; there may be room when a running build ends, and the next day's budget begins at 2026-07-29T00:00:00Z"},
		{"a budget for less than one", jobs.LimitError{Limits: jobs.Limits{BudgetUSD: 0.5, Since: day}, NextUSD: 1},
			"the daily budget of $0.50 does not allow another build: $0.00 spent today, $0.00 reserved for builds that run (0) or whose cost is unknown (0), and $1.00 that one more is taken to cost: the budget is too small for a single one"},
	} {
		if got := c.limit.Error(); got != c.want {
			t.Errorf("%s:\n got %s\nwant %s", c.why, got, c.want)
		}
	}
}
