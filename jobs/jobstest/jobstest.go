// Package jobstest holds the contract of a [jobs.Store] as a test.
package jobstest

import (
	"errors"
	"fmt"
	"reflect"
	"sync"
	"testing"
	"time"

	"github.com/anything-mcp/anything-mcp/jobs"
	"github.com/anything-mcp/anything-mcp/notte"
)

// Test runs the contract against stores that open returns: each call of open
// gives an empty store, which Test closes.
func Test(t *testing.T, open func(*testing.T) jobs.Store) {
	for name, test := range map[string]func(suite){
		"Create":          suite.testCreate,
		"Join":            suite.testJoin,
		"JoinRace":        suite.testJoinRace,
		"JoinAfterEnds":   suite.testJoinAfterEnds,
		"JoinRunning":     suite.testJoinWhatStillRuns,
		"Reuse":           suite.testReuse,
		"SaveState":       suite.testSaveState,
		"SaveLog":         suite.testSaveLog,
		"SaveAgain":       suite.testSaveAgain,
		"SaveMany":        suite.testSaveMany,
		"SaveUnknown":     suite.testSaveUnknown,
		"End":             suite.testEnd,
		"EndRace":         suite.testEndRace,
		"KnownEnd":        suite.testKnownEnd,
		"LinksAreErased":  suite.testLinksAreErased,
		"Positions":       suite.testPositions,
		"UnknownJobs":     suite.testUnknownJobs,
		"Fence":           suite.testFence,
		"Renew":           suite.testRenew,
		"Cancel":          suite.testCancel,
		"AdoptByOwner":    suite.testAdoptByOwner,
		"AdoptCancelled":  suite.testAdoptCancelled,
		"List":            suite.testList,
		"ListPages":       suite.testListPages,
		"Spending":        suite.testSpending,
		"SpendingByHours": suite.testSpendingByHours,
		"MaxRunning":      suite.testMaxRunning,
		"Budget":          suite.testBudget,
		"BudgetRace":      suite.testBudgetRace,
		"Forget":          suite.testForget,
		"ForgetUnheld":    suite.testForgetUnheld,
		"Batch":           suite.testBatch,
		"TakeRace":        suite.testTakeRace,
		"ItemWaitsAgain":  suite.testItemWaitsAgain,
		"Tallies":         suite.testTallies,
		"Resume":          suite.testResume,
		"ForgetBatch":     suite.testForgetBatch,
	} {
		t.Run(name, func(t *testing.T) {
			store := open(t)
			test(suite{t, store})
			if err := store.Close(); err != nil {
				t.Errorf("Close: %v", err)
			}
		})
	}
}

// epoch is when the jobs of these tests begin, as precise as a store must keep.
var epoch = time.Date(2026, 7, 28, 12, 0, 0, int(time.Millisecond), time.UTC)

// suite is a test of a store. Its methods fail the test where the store does not do
// what they say.
type suite struct {
	*testing.T
	store jobs.Store
}

func build(id, owner string) jobs.Job {
	return jobs.Job{
		ID: id, Owner: owner, Kind: jobs.KindBuild, State: jobs.StateRunning,
		StartedAt: epoch, Build: &jobs.Build{Query: "query of " + id},
	}
}

// inState returns job as it ended, or runs, in a state.
func inState(job jobs.Job, state jobs.State) *jobs.Job {
	job.State = state
	if state.Ended() {
		job.EndedAt = epoch.Add(time.Second)
	}
	return &job
}

func entries(from, to int64) (list []jobs.Entry) {
	for seq := from; seq <= to; seq++ {
		list = append(list, jobs.Entry{
			Seq: seq, At: epoch.Add(time.Duration(seq) * time.Millisecond),
			Event: notte.Event{Type: notte.EventToolStart, Name: fmt.Sprint("step ", seq)},
		})
	}
	return list
}

// final returns entries of which the last ended the job.
func final(from, to int64) []jobs.Entry {
	list := entries(from, to)
	list[len(list)-1].Final = true
	return list
}

func options(key string, join bool) jobs.CreateOptions {
	return jobs.CreateOptions{Holder: "here", Until: epoch.Add(time.Minute), JoinKey: key, Join: join}
}

// create stores a job that is not joined.
func (s suite) create(job jobs.Job, opts jobs.CreateOptions) jobs.Lease {
	s.Helper()
	stored, lease, err := s.store.Create(s.Context(), job, opts)
	if err != nil || stored.ID != job.ID || lease.JobID != job.ID || lease.Fence <= 0 {
		s.Fatalf("Create(%s) = %q with lease %+v, %v", job.ID, stored.ID, lease, err)
	}
	return lease
}

// alone stores a job that no other is joined to.
func (s suite) alone(job jobs.Job) jobs.Lease {
	s.Helper()
	return s.create(job, options("", false))
}

// joins asks for a build of ann's and gets another job.
func (s suite) joins(why string, opts jobs.CreateOptions, want string) {
	s.Helper()
	job := build("build_that_joins", "ann")
	stored, lease, err := s.store.Create(s.Context(), job, opts)
	if err != nil || stored.ID != want || lease != (jobs.Lease{}) {
		s.Errorf("%s: got %s with lease %+v, %v; want %s without one", why, stored.ID, lease, err, want)
	}
	if _, err := s.store.Get(s.Context(), job.ID); !errors.Is(err, jobs.ErrNotFound) {
		s.Errorf("%s: the job that joined was stored as well: %v", why, err)
	}
}

// trySave saves one change.
func (s suite) trySave(c jobs.Change) error {
	s.Helper()
	errs := s.store.Save(s.Context(), []jobs.Change{c})
	if len(errs) != 1 {
		s.Fatalf("Save of one change returned %d errors", len(errs))
	}
	return errs[0]
}

func (s suite) save(c jobs.Change) {
	s.Helper()
	if err := s.trySave(c); err != nil {
		s.Fatalf("Save(%s): %v", c.Lease.JobID, err)
	}
}

// refuses tries to save changes, by their descriptions, that the store refuses.
func (s suite) refuses(want error, changes map[string]jobs.Change) {
	s.Helper()
	for what, c := range changes {
		if err := s.trySave(c); !errors.Is(err, want) {
			s.Errorf("%s: %v, want %v", what, err, want)
		}
	}
}

// finish ends a job as done.
func (s suite) finish(lease jobs.Lease, job jobs.Job, entries ...jobs.Entry) {
	s.Helper()
	s.save(jobs.Change{Lease: lease, Job: inState(job, jobs.StateDone), Entries: entries})
}

// ended stores a build that Notte took on and that ended in a state, at a cost
// unless that is negative, some time after the epoch.
func (s suite) ended(id, owner, key string, state jobs.State, usd float64, after time.Duration) {
	s.Helper()
	job := build(id, owner)
	lease := s.create(job, options(key, false))
	b := *job.Build
	b.Started = true
	if usd >= 0 {
		b.TotalCostUSD = &usd
	}
	job.Build, job.State, job.EndedAt = &b, state, epoch.Add(after)
	s.save(jobs.Change{Lease: lease, Job: &job})
}

func (s suite) adopt(owner, holder string, now time.Time) []jobs.Adopted {
	s.Helper()
	adopted, err := s.store.Adopt(s.Context(), owner, holder, epoch.Add(time.Hour), now)
	if err != nil {
		s.Fatalf("Adopt: %v", err)
	}
	return adopted
}

func (s suite) get(id string) jobs.Job {
	s.Helper()
	job, err := s.store.Get(s.Context(), id)
	if err != nil {
		s.Fatalf("Get(%s): %v", id, err)
	}
	return job
}

func (s suite) spent(since time.Duration) jobs.Spending {
	s.Helper()
	sum, err := s.store.Spending(s.Context(), "ann", epoch.Add(since))
	if err != nil {
		s.Fatalf("Spending: %v", err)
	}
	return sum
}

// stored compares a stored job in all it holds, times as instants.
func (s suite) stored(want jobs.Job) {
	s.Helper()
	s.equal(s.get(want.ID), want)
}

func (s suite) equal(got, want jobs.Job) {
	s.Helper()
	got.StartedAt, got.EndedAt = got.StartedAt.UTC(), got.EndedAt.UTC()
	want.StartedAt, want.EndedAt = want.StartedAt.UTC(), want.EndedAt.UTC()
	if !reflect.DeepEqual(got, want) {
		s.Errorf("job %s\n got %+v %+v %+v\nwant %+v %+v %+v", want.ID, got, got.Build, got.Run, want, want.Build, want.Run)
	}
}

// log compares a part of a stored log.
func (s suite) log(id string, after int64, limit int, want []jobs.Entry) {
	s.Helper()
	got, err := s.store.Entries(s.Context(), id, after, limit)
	if err != nil || len(got) != len(want) {
		s.Errorf("got %d entries, %v, want %d: %+v", len(got), err, len(want), got)
		return
	}
	for i, w := range want {
		g := got[i]
		at := g.At.Equal(w.At)
		g.At, w.At = time.Time{}, time.Time{}
		if g != w || !at {
			s.Errorf("entry %d = %+v, want %+v", i, got[i], want[i])
		}
	}
}

// race calls try n times at once and returns the calls that won.
func race(n int, try func(i int) bool) (won []int) {
	var (
		wg sync.WaitGroup
		mu sync.Mutex // guards won
	)
	for i := range n {
		wg.Go(func() {
			if try(i) {
				mu.Lock()
				defer mu.Unlock()
				won = append(won, i)
			}
		})
	}
	wg.Wait()
	return won
}
