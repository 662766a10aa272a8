package jobstest

import (
	"errors"
	"fmt"
	"time"

	"github.com/anything-mcp/anything-mcp/jobs"
)

func (s suite) testSpending() {
	s.ended("build_1", "ann", "", jobs.StateDone, 0.25, time.Minute)
	s.ended("build_2", "ann", "", jobs.StateError, 0.5, 2*time.Minute)
	s.ended("build_3", "ann", "", jobs.StateInterrupted, -1, 3*time.Minute)
	s.ended("build_4", "bob", "", jobs.StateDone, 8, 3*time.Minute)
	s.alone(build("build_5", "ann"))
	refused := build("build_6", "ann") // ends without Notte having taken it on
	s.finish(s.alone(refused), refused)
	for since, want := range map[time.Duration]jobs.Spending{
		0:                                {USD: 0.75, Builds: 3, Unknown: 1},
		2 * time.Minute:                  {USD: 0.5, Builds: 2, Unknown: 1},
		2*time.Minute + time.Millisecond: {Builds: 1, Unknown: 1},
		time.Hour:                        {},
	} {
		if got := s.spent(since); got != want {
			s.Errorf("since %v: %+v; want %+v", since, got, want)
		}
	}
}

// Sums are right at any border, however they are kept.
func (s suite) testSpendingByHours() {
	costs := make([]*float64, 100) // one each 7 minutes, over 11 hours
	for i := range costs {
		usd := 0.25
		if costs[i] = &usd; i%10 == 9 {
			costs[i], usd = nil, -1
		}
		s.ended(fmt.Sprint("build_", i), "ann", "", jobs.StateDone, usd, time.Duration(i)*7*time.Minute)
	}
	for since := -time.Hour; since < 13*time.Hour; since += 31 * time.Minute {
		var want jobs.Spending
		for i, usd := range costs {
			if time.Duration(i)*7*time.Minute >= since {
				want.Add(usd)
			}
		}
		if got := s.spent(since); got != want {
			s.Errorf("since %v: %+v; want %+v", since, got, want)
		}
	}
}

func limited(l jobs.Limits) jobs.CreateOptions {
	c := options("", false)
	c.Limits = l
	return c
}

// overLimit asks for a build that the limits do not allow.
func (s suite) overLimit(opts jobs.CreateOptions) jobs.LimitError {
	s.Helper()
	_, _, err := s.store.Create(s.Context(), build("build_too_many", "ann"), opts)
	limit, ok := errors.AsType[*jobs.LimitError](err)
	if !ok {
		s.Fatalf("a build over the limit: %v", err)
	}
	if _, err := s.store.Get(s.Context(), "build_too_many"); !errors.Is(err, jobs.ErrNotFound) {
		s.Errorf("what was refused is stored: %v", err)
	}
	return *limit
}

func (s suite) testMaxRunning() {
	two := limited(jobs.Limits{MaxRunning: 2})
	first := build("build_1", "ann")
	lease := s.create(first, two)
	s.create(build("build_2", "ann"), two)
	if got := s.overLimit(two); got.Running != 2 {
		s.Errorf("a third build of two: %+v", got)
	}
	s.create(build("build_4", "bob"), two)
	s.finish(lease, first)
	s.create(build("build_5", "ann"), two)
}

func (s suite) testBudget() {
	limit := limited(jobs.Limits{BudgetUSD: 4, Since: epoch})
	s.ended("build_before", "ann", "", jobs.StateDone, 90, -time.Minute)
	s.ended("build_1", "ann", "", jobs.StateDone, 0.5, time.Minute)
	s.ended("build_2", "ann", "", jobs.StateInterrupted, -1, time.Minute) // counts as 1.00
	running := s.create(build("build_3", "ann"), limit)                   // so does this: 2.50 with it
	s.create(build("build_4", "ann"), limit)                              // 3.50
	want := jobs.LimitError{
		Limits: limit.Limits, Spent: jobs.Spending{USD: 0.5, Builds: 2, Unknown: 1},
		Running: 2, ReservedUSD: 3, NextUSD: 1,
	}
	if got := s.overLimit(limit); got != want {
		s.Errorf("over the budget: %+v, want %+v", got, want)
	}
	s.create(build("build_6", "bob"), limit)
	cheap, job := 0.0, build("build_3", "ann")
	job.State, job.EndedAt, job.Build.Started, job.Build.TotalCostUSD = jobs.StateDone, epoch.Add(time.Hour), true, &cheap
	s.save(jobs.Change{Lease: running, Job: &job})
	s.create(build("build_7", "ann"), limit)
}

func (s suite) testBudgetRace() {
	limit := limited(jobs.Limits{BudgetUSD: 3, Since: epoch})
	started := race(20, func(i int) bool {
		_, _, err := s.store.Create(s.Context(), build(fmt.Sprint("build_", i), "ann"), limit)
		if _, refused := errors.AsType[*jobs.LimitError](err); err != nil && !refused {
			s.Error(err)
		}
		return err == nil
	})
	if len(started) != 3 {
		s.Errorf("%d builds at a dollar each fitted into three dollars", len(started))
	}
}
