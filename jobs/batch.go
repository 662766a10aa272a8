package jobs

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/anything-mcp/anything-mcp/notte"
)

// MaxConcurrency is how many runs a batch may have at once.
const MaxConcurrency = 10

// EventTally says that the tally of a batch has changed. Notte has no such event.
const EventTally notte.EventType = "tally"

// Errors of a batch that is to be resumed.
var (
	// ErrNoBatch says that a job is no batch.
	ErrNoBatch = errors.New("only a batch can be resumed")
	// ErrNothingLeft says that all items of a batch have run.
	ErrNothingLeft = errors.New("every item of the batch has run, and none is started twice")
)

// Batch is what is known of a batch: runs of one function, one for each item of a
// list. The JSON is what a [Store] keeps of it besides its columns and items: a tag
// must not change.
type Batch struct {
	FunctionID  string `json:"-"`
	Concurrency int    `json:"concurrency,omitempty"`  // how many runs it may have at once
	MaxFailures int    `json:"max_failures,omitempty"` // how many runs may fail before it starts no more; 0: any number
	Resumed     int    `json:"resumed,omitempty"`      // how often it was resumed
	Error       string `json:"error,omitempty"`        // why it ended before all items had run

	// Tally counts the items. A Store counts them when it reads the job.
	Tally Tally `json:"-"`
}

// Tally counts the items of a batch.
type Tally struct {
	Total     int `json:"total"`
	Waiting   int `json:"waiting"` // to be started
	Running   int `json:"running"`
	Succeeded int `json:"succeeded"`
}

// Ended returns how many items have run.
func (t Tally) Ended() int { return t.Total - t.Waiting - t.Running }

// Failed returns how many items have run and did not succeed.
func (t Tally) Failed() int { return t.Ended() - t.Succeeded }

// String returns a line such as "12 of 40 done, 1 failed, 3 running".
func (t Tally) String() string {
	s := fmt.Sprintf("%d of %d done", t.Ended(), t.Total)
	if n := t.Failed(); n > 0 {
		s += fmt.Sprintf(", %d failed", n)
	}
	if t.Running > 0 {
		s += fmt.Sprintf(", %d running", t.Running)
	}
	return s
}

// Item is one item of a batch.
type Item struct {
	Index int  // from 0
	Run   *Job // nil: it waits, or was never started
}

// BatchSpec asks for one run of a function for each of Items. A running batch of the
// same function, items and service by the same owner is joined instead.
type BatchSpec struct {
	Client      *notte.Client
	FunctionID  string
	Items       []json.RawMessage // the variables of each run: JSON objects
	Concurrency int               // see [Batch]; from 1 to MaxConcurrency
	MaxFailures int
}

func (s BatchSpec) plan() plan {
	sum := sha256.New()
	fmt.Fprintf(sum, "batch\n%s\n%s\n", s.Client.APIURL(), s.FunctionID)
	for _, item := range s.Items {
		fmt.Fprintf(sum, "%d\n%s\n", len(item), item)
	}
	b := &Batch{
		FunctionID: s.FunctionID, Concurrency: s.Concurrency, MaxFailures: s.MaxFailures,
		Tally: Tally{Total: len(s.Items), Waiting: len(s.Items)},
	}
	return plan{
		client: s.Client, job: Job{ID: newID("batch_"), Kind: KindBatch, Batch: b}, items: s.Items,
		joinKey: hex.EncodeToString(sum.Sum(nil)), join: true, work: runBatch,
	}
}

// Resume has an ended batch of the client's owner start its items that were never
// started. Zero values of concurrency and maxFailures leave the batch's own; earlier
// failures do not count for maxFailures. A batch that runs is joined: it is returned as
// it is. If all items have run, the error is [ErrNothingLeft].
func (m *Manager) Resume(ctx context.Context, client *notte.Client, id string, concurrency, maxFailures int) (job Job, joined bool, err error) {
	m.clients.Store(client.Owner(), client)
	m.adopt(client.Owner()) // if its process is gone, it ends now
	job, err = m.Get(ctx, client.Owner(), id)
	switch {
	case err != nil:
		return Job{}, false, err
	case job.Batch == nil:
		return Job{}, false, ErrNoBatch
	case !job.State.Ended():
		return job, true, nil
	case job.Batch.Tally.Ended() == job.Batch.Tally.Total:
		return Job{}, false, ErrNothingLeft
	}
	if err := m.enter(); err != nil {
		return Job{}, false, err
	}
	job = job.clone()
	b := job.Batch
	b.Error, b.Resumed = "", b.Resumed+1
	if concurrency > 0 {
		b.Concurrency = concurrency
	}
	if maxFailures > 0 {
		b.MaxFailures = maxFailures
	}
	job.State, job.EndedAt = StateRunning, time.Time{}
	job, joined, err = m.restart(ctx, client, job)
	if err != nil || joined {
		m.work.Done()
	}
	return job, joined, err
}

// restart has the store take a batch as running, and starts its work, unless another
// process was first.
func (m *Manager) restart(ctx context.Context, client *notte.Client, job Job) (Job, bool, error) {
	r, workCtx := m.newRecord(job, "", client)
	stored, lease, err := m.store.Resume(ctx, job, CreateOptions{Holder: m.holder, Until: time.Now().Add(leaseTime)})
	if err != nil || lease == (Lease{}) {
		r.cancel(err)
		return stored, true, err
	}
	r.setLease(lease)
	m.records.Store(r.id, r)
	job = r.snapshot()
	m.logJob(slog.LevelInfo, job, "goes on")
	go m.run(workCtx, r, runBatch)
	return job, false, nil
}

// ItemsPage is how many items of a batch are read at once, because their results may be
// large.
const ItemsPage = 4

// Items returns up to limit items of a batch of the owner's from an index on, in order,
// with their runs whole. The error is [ErrNotFound] if the batch is not the owner's.
func (m *Manager) Items(ctx context.Context, owner, id string, from, limit int) ([]Item, error) {
	job, err := m.Get(ctx, owner, id)
	if err == nil && job.Batch == nil {
		err = ErrNotFound
	}
	if err != nil {
		return nil, err
	}
	items, err := m.store.Items(ctx, id, from, limit)
	for i, item := range items {
		if item.Run == nil {
			continue
		}
		if r := m.record(item.Run.ID); r != nil {
			*items[i].Run = r.snapshot()
		}
	}
	return items, err
}
