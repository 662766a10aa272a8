package jobstest

import (
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/anything-mcp/anything-mcp/jobs"
)

// ended stores a build that Notte took on and that ended in a state, at a cost
// unless that is negative, some time after the epoch.
func ended(t *testing.T, s jobs.Store, id, owner, key string, state jobs.State, usd float64, after time.Duration) {
	t.Helper()
	job := build(id, owner)
	lease := create(t, s, job, options(key, false))
	b := *job.Build
	b.Started = true
	if usd >= 0 {
		b.TotalCostUSD = &usd
	}
	job.Build, job.State, job.EndedAt = &b, state, epoch.Add(after)
	mustSave(t, s, jobs.Change{Lease: lease, Job: &job})
}

func testReuse(t *testing.T, s jobs.Store) {
	ended(t, s, "build_old", "ann", "k", jobs.StateDone, 1, time.Minute)
	ended(t, s, "build_new", "ann", "k", jobs.StateDone, 1, 2*time.Minute)
	ended(t, s, "build_bad", "ann", "k", jobs.StateError, 1, 3*time.Minute)
	ended(t, s, "build_bob", "bob", "k", jobs.StateDone, 1, 4*time.Minute)
	reuse := func(since time.Duration) jobs.CreateOptions {
		c := options("k", true)
		c.ReuseSince = epoch.Add(since)
		return c
	}
	for _, since := range []time.Duration{0, 2 * time.Minute} {
		job, lease, err := s.Create(t.Context(), build("build_no", "ann"), reuse(since))
		if err != nil || job.ID != "build_new" || lease != (jobs.Lease{}) || job.State != jobs.StateDone {
			t.Errorf("since %v: %s with %+v, %v; want build_new, the newest that succeeded", since, job.ID, lease, err)
		}
	}
	create(t, s, build("build_late", "ann"), reuse(2*time.Minute+time.Millisecond))
	job, _, err := s.Create(t.Context(), build("build_no", "ann"), reuse(0))
	if err != nil || job.ID != "build_late" {
		t.Errorf("a running job goes before a finished one: got %s, %v", job.ID, err)
	}
}

func testSpending(t *testing.T, s jobs.Store) {
	ended(t, s, "build_1", "ann", "", jobs.StateDone, 0.25, time.Minute)
	ended(t, s, "build_2", "ann", "", jobs.StateError, 0.5, 2*time.Minute)
	ended(t, s, "build_3", "ann", "", jobs.StateInterrupted, -1, 3*time.Minute)
	ended(t, s, "build_4", "bob", "", jobs.StateDone, 8, 3*time.Minute)
	create(t, s, build("build_5", "ann"), options("", false))
	refused := build("build_6", "ann") // ends without Notte having taken it on
	finish(t, s, create(t, s, refused, options("", false)), refused)
	for since, want := range map[time.Duration]jobs.Spending{
		0:                                {USD: 0.75, Builds: 3, Unknown: 1},
		2 * time.Minute:                  {USD: 0.5, Builds: 2, Unknown: 1},
		2*time.Minute + time.Millisecond: {Builds: 1, Unknown: 1},
		time.Hour:                        {},
	} {
		got, err := s.Spending(t.Context(), "ann", epoch.Add(since))
		if err != nil || got != want {
			t.Errorf("since %v: %+v, %v; want %+v", since, got, err, want)
		}
	}
}

// Sums are right at any border, however they are kept.
func testSpendingByHours(t *testing.T, s jobs.Store) {
	for i := range 100 { // one each 7 minutes, a quarter of a dollar, over 11 hours
		usd := 0.25
		if i%10 == 9 {
			usd = -1
		}
		ended(t, s, fmt.Sprint("build_", i), "ann", "", jobs.StateDone, usd, time.Duration(i)*7*time.Minute)
	}
	for since := -time.Hour; since < 13*time.Hour; since += 31 * time.Minute {
		var want jobs.Spending
		for i := range 100 {
			if time.Duration(i)*7*time.Minute < since {
				continue
			}
			want.Builds++
			if i%10 == 9 {
				want.Unknown++
			} else {
				want.USD += 0.25
			}
		}
		if got, err := s.Spending(t.Context(), "ann", epoch.Add(since)); err != nil || got != want {
			t.Errorf("since %v: %+v, %v; want %+v", since, got, err, want)
		}
	}
}

func limited(l jobs.Limits) jobs.CreateOptions {
	c := options("", false)
	c.Limits = l
	return c
}

func testMaxRunning(t *testing.T, s jobs.Store) {
	two := limited(jobs.Limits{MaxRunning: 2})
	first := build("build_1", "ann")
	lease := create(t, s, first, two)
	create(t, s, build("build_2", "ann"), two)
	_, _, err := s.Create(t.Context(), build("build_3", "ann"), two)
	if limit, ok := errors.AsType[*jobs.LimitError](err); !ok || limit.Running != 2 {
		t.Errorf("a third build of two: %v", err)
	}
	if _, err := s.Get(t.Context(), "build_3"); !errors.Is(err, jobs.ErrNotFound) {
		t.Errorf("what was refused is stored: %v", err)
	}
	create(t, s, build("build_4", "bob"), two)
	finish(t, s, lease, first)
	create(t, s, build("build_5", "ann"), two)
}

func testBudget(t *testing.T, s jobs.Store) {
	limit := limited(jobs.Limits{BudgetUSD: 4, Since: epoch})
	ended(t, s, "build_before", "ann", "", jobs.StateDone, 90, -time.Minute)
	ended(t, s, "build_1", "ann", "", jobs.StateDone, 0.5, time.Minute)
	ended(t, s, "build_2", "ann", "", jobs.StateInterrupted, -1, time.Minute) // counts as 1.00
	running := create(t, s, build("build_3", "ann"), limit)                   // so does this: 2.50 with it
	create(t, s, build("build_4", "ann"), limit)                              // 3.50
	_, _, err := s.Create(t.Context(), build("build_5", "ann"), limit)
	want := jobs.LimitError{
		Limits: limit.Limits, Spent: jobs.Spending{USD: 0.5, Builds: 2, Unknown: 1},
		Running: 2, ReservedUSD: 3, NextUSD: 1,
	}
	if got, ok := errors.AsType[*jobs.LimitError](err); !ok || *got != want {
		t.Errorf("over the budget: %+v, want %+v", err, want)
	}
	create(t, s, build("build_6", "bob"), limit)
	cheap, job := 0.0, build("build_3", "ann")
	job.State, job.EndedAt, job.Build.Started, job.Build.TotalCostUSD = jobs.StateDone, epoch.Add(time.Hour), true, &cheap
	mustSave(t, s, jobs.Change{Lease: running, Job: &job})
	create(t, s, build("build_7", "ann"), limit)
}

func testBudgetRace(t *testing.T, s jobs.Store) {
	limit := limited(jobs.Limits{BudgetUSD: 3, Since: epoch})
	var (
		wg      sync.WaitGroup
		mu      sync.Mutex // guards started
		started int
	)
	for i := range 20 {
		wg.Go(func() {
			_, _, err := s.Create(t.Context(), build(fmt.Sprint("build_", i), "ann"), limit)
			if _, refused := errors.AsType[*jobs.LimitError](err); err != nil && !refused {
				t.Error(err)
			}
			mu.Lock()
			defer mu.Unlock()
			if err == nil {
				started++
			}
		})
	}
	wg.Wait()
	if started != 3 {
		t.Errorf("%d builds at a dollar each fitted into three dollars", started)
	}
}
