package jobs

import (
	"fmt"
	"slices"
	"time"
)

// The cost that is assumed for a build until it is known: the 90th percentile of
// the owner's finished builds, or a fixed sum while there are too few of them.
const (
	reservePercentile = 0.9
	reserveMinimum    = 5 // builds
	reserveDefault    = 1.00
)

// Usage is what a [Store] counts of an owner's builds to judge [Limits].
type Usage struct {
	Spent   Spending  // of the builds that ended since the budget's day began
	Running int       // builds that have not ended
	Costs   []float64 // known costs of finished builds, the latest few hundred at least, in any order
}

// estimateNext returns what one more build is taken to cost, in US dollars.
func (u Usage) estimateNext() float64 {
	if len(u.Costs) < reserveMinimum {
		return reserveDefault
	}
	sorted := slices.Sorted(slices.Values(u.Costs))
	rank := int(float64(len(sorted))*reservePercentile+0.999999) - 1
	return sorted[min(max(rank, 0), len(sorted)-1)]
}

// Check returns a [*LimitError] if one more build would break the limits. Each
// running build counts as its reserve, and so does each ended build of unknown
// cost, so that the budget holds in any case.
func (l Limits) Check(u Usage) error {
	reserve := u.estimateNext()
	refusal := &LimitError{
		Limits: l, Spent: u.Spent, Running: u.Running,
		ReservedUSD: reserve * float64(u.Running+u.Spent.Unknown), NextUSD: reserve,
	}
	switch {
	case l.MaxRunning > 0 && u.Running >= l.MaxRunning:
		return refusal
	case l.BudgetUSD > 0 && u.Spent.USD+refusal.ReservedUSD+reserve > l.BudgetUSD:
		return refusal
	}
	return nil
}

// LimitError refuses a build that would break its owner's limits. Nothing was
// started.
type LimitError struct {
	Limits      Limits
	Spent       Spending
	Running     int     // builds
	ReservedUSD float64 // for those, and for ended ones of unknown cost
	NextUSD     float64 // for the one that was refused
}

// Error says which limit, what is used of it, and when there is room again.
func (e *LimitError) Error() string {
	if e.Limits.MaxRunning > 0 && e.Running >= e.Limits.MaxRunning {
		return fmt.Sprintf("at most %d builds may run at once, and as many are running: try again when one of them has ended", e.Limits.MaxRunning)
	}
	text := fmt.Sprintf("the daily budget of $%.2f does not allow another build: $%.2f was spent today, $%.2f is reserved for builds that run (%d) or whose cost is unknown (%d), and $%.2f is the expected cost of one more",
		e.Limits.BudgetUSD, e.Spent.USD, e.ReservedUSD, e.Running, e.Spent.Unknown, e.NextUSD)
	if e.NextUSD > e.Limits.BudgetUSD {
		return text + "; the budget is smaller than the expected cost of one build"
	}
	next := e.Limits.Since.AddDate(0, 0, 1).Format(time.RFC3339)
	if e.Running > 0 {
		return text + "; try again when a running build has ended, or after the next day's budget begins, at " + next
	}
	return text + "; the next day's budget begins at " + next
}
