// Package jobstest holds the contract of a [jobs.Store] as a test.
package jobstest

import (
	"fmt"
	"testing"
	"time"

	"github.com/anything-mcp/anything-mcp/jobs"
	"github.com/anything-mcp/anything-mcp/notte"
)

// Test runs the contract against stores that open returns: each call of open
// gives an empty store, which Test closes.
func Test(t *testing.T, open func(*testing.T) jobs.Store) {
	for name, test := range map[string]func(*testing.T, jobs.Store){
		"Create":          testCreate,
		"WholeOfAJob":     testWholeOfAJob,
		"Join":            testJoin,
		"JoinRace":        testJoinRace,
		"JoinAfterEnds":   testJoinAfterEnds,
		"JoinRunning":     testJoinWhatStillRuns,
		"Reuse":           testReuse,
		"SaveState":       testSaveState,
		"SaveLog":         testSaveLog,
		"SaveAgain":       testSaveAgain,
		"SaveMany":        testSaveMany,
		"End":             testEnd,
		"EndRace":         testEndRace,
		"KnownEnd":        testKnownEnd,
		"LinksAreErased":  testLinksAreErased,
		"Positions":       testPositions,
		"UnknownJobs":     testUnknownJobs,
		"Fence":           testFence,
		"Renew":           testRenew,
		"Cancel":          testCancel,
		"AdoptByOwner":    testAdoptByOwner,
		"AdoptCancelled":  testAdoptCancelled,
		"List":            testList,
		"ListPages":       testListPages,
		"Spending":        testSpending,
		"SpendingByHours": testSpendingByHours,
		"MaxRunning":      testMaxRunning,
		"Budget":          testBudget,
		"BudgetRace":      testBudgetRace,
		"Forget":          testForget,
		"ForgetUnheld":    testForgetUnheld,
	} {
		t.Run(name, func(t *testing.T) {
			store := open(t)
			test(t, store)
			if err := store.Close(); err != nil {
				t.Errorf("Close: %v", err)
			}
		})
	}
}

// epoch is when the jobs of these tests begin, as precise as a store must keep.
var epoch = time.Date(2026, 7, 28, 12, 0, 0, int(time.Millisecond), time.UTC)

func build(id, owner string) jobs.Job {
	return jobs.Job{
		ID: id, Owner: owner, Kind: jobs.KindBuild, State: jobs.StateRunning,
		StartedAt: epoch, Build: &jobs.Build{Query: "query of " + id},
	}
}

func options(key string, join bool) jobs.CreateOptions {
	return jobs.CreateOptions{Holder: "here", Until: epoch.Add(time.Minute), JoinKey: key, Join: join}
}

func create(t *testing.T, s jobs.Store, job jobs.Job, opts jobs.CreateOptions) jobs.Lease {
	t.Helper()
	stored, lease, err := s.Create(t.Context(), job, opts)
	if err != nil || stored.ID != job.ID {
		t.Fatalf("Create(%s) = %q, %v", job.ID, stored.ID, err)
	}
	return lease
}

// save saves one change.
func save(t *testing.T, s jobs.Store, c jobs.Change) error {
	t.Helper()
	errs := s.Save(t.Context(), []jobs.Change{c})
	if len(errs) != 1 {
		t.Fatalf("Save of one change returned %d errors", len(errs))
	}
	return errs[0]
}

// mustSave saves one change that the store must take.
func mustSave(t *testing.T, s jobs.Store, c jobs.Change) {
	t.Helper()
	if err := save(t, s, c); err != nil {
		t.Fatalf("Save(%s): %v", c.Lease.JobID, err)
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

// finish ends a job as done.
func finish(t *testing.T, s jobs.Store, lease jobs.Lease, job jobs.Job, entries ...jobs.Entry) {
	t.Helper()
	mustSave(t, s, jobs.Change{Lease: lease, Job: inState(job, jobs.StateDone), Entries: entries})
}

func entries(from, to int64) []jobs.Entry {
	var list []jobs.Entry
	for seq := from; seq <= to; seq++ {
		list = append(list, jobs.Entry{
			Seq: seq, At: epoch.Add(time.Duration(seq) * time.Millisecond),
			Event: notte.Event{Type: notte.EventToolStart, Name: fmt.Sprint("step ", seq)},
		})
	}
	return list
}
