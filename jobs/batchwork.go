package jobs

import (
	"context"
	"errors"
	"fmt"
	"math"
	"net/http"
	"time"

	"github.com/anything-mcp/anything-mcp/notte"
	"github.com/anything-mcp/anything-mcp/text"
)

const (
	// othersEvery is how often a batch looks for the end of its runs that another
	// process follows.
	othersEvery = time.Second

	// toldPause is how long a batch may start nothing before its followers are told.
	toldPause = 5 * time.Second
)

// batchWork runs the items of a batch. One goroutine uses it, and one more for each
// open run.
type batchWork struct {
	m     *Manager
	r     *record
	bound *bound
	open  map[string]*record // the runs of this process
	ended chan itemEnd

	tally  Tally
	known  bool   // tally is as the store has it
	failed int    // runs that had failed before
	max    int    // see [Batch]
	why    string // why nothing more is started; empty: items are still started
	lost   bool   // another process has the batch
}

// itemEnd is the end of an item's run.
type itemEnd struct {
	r       *record
	refusal *notte.Error // why Notte did not take it on; nil: it did, or it was never asked
}

// runBatch starts the items of a batch that wait, and follows their runs to their ends.
// An item is taken, with its run, in one step of the store before Notte is asked: so
// none is started twice, whatever happens to this process.
func runBatch(ctx context.Context, r *record, m *Manager) outcome {
	batch := r.latest().Batch
	b := &batchWork{
		m: m, r: r, bound: m.boundOf(r.owner), open: make(map[string]*record), ended: make(chan itemEnd, MaxConcurrency),
		failed: batch.Tally.Failed(), max: batch.MaxFailures,
	}
	b.bound.join(r, batch.Concurrency)
	defer b.bound.leave(r)
	canceled := ctx.Done()
	for {
		b.count()
		b.limitFailures()
		if o, over := b.over(ctx); over {
			return o
		}
		changed, pause := b.startNext(ctx)
		if changed == nil {
			continue // an item was started, or the batch was lost
		}
		select {
		case end := <-b.ended:
			b.settle(end)
		case <-changed:
		case <-after(pause):
		case <-canceled:
			canceled = nil
			b.cancelOpen(ctx)
		}
	}
}

// after is [time.After], but never for a duration of 0.
func after(d time.Duration) <-chan time.Time {
	if d <= 0 {
		return nil
	}
	return time.After(d)
}

// count reads the tally from the store, and shows it if it has changed.
func (b *batchWork) count() {
	job, err := b.m.store.Get(context.Background(), b.r.id)
	switch b.known = err == nil && job.Batch != nil; {
	case errors.Is(err, ErrNotFound):
		b.known, b.tally = true, Tally{}
	case b.known && job.Batch.Tally != b.tally:
		b.tally = job.Batch.Tally
		b.r.setTally(b.tally)
	}
}

// limitFailures starts no more once too many runs have failed.
func (b *batchWork) limitFailures() {
	if n := b.tally.Failed() - b.failed; b.max > 0 && n >= b.max && b.why == "" {
		b.why = fmt.Sprintf("no further item was started, because %d of the runs had failed", n)
	}
}

// over returns how the batch ended, if nothing runs any more and nothing more is to be
// started.
func (b *batchWork) over(ctx context.Context) (outcome, bool) {
	state := stopped(ctx)
	switch {
	case len(b.open) > 0:
		return outcome{}, false
	case b.lost:
		return outcome{state: StateRunning}, true
	case state == StateCancelled:
		return outcome{state, &notte.Event{Type: notte.EventCancelled}}, true
	case state != "":
		return interrupted(stoppedBatch), true
	case !b.known || b.tally.Running > 0:
		return outcome{}, false
	case b.tally.Total == 0:
		return interrupted(goneBatch), true
	case b.tally.Waiting == 0:
		return outcome{StateClosed, &notte.Event{Type: notte.EventDone}}, true
	case b.why != "":
		return outcome{StateFailed, &notte.Event{Type: notte.EventError, Error: b.why}}, true
	}
	return outcome{}, false
}

const (
	stoppedBatch   = "this server stopped while the batch ran"
	abandonedBatch = "the process that ran this batch has ended"
	goneBatch      = "the database with the items of this batch was removed"
)

// startNext starts the next item and returns nil. If none may be started now, it
// returns when to ask again: when changed is closed, or a pause that is not 0 has passed.
func (b *batchWork) startNext(ctx context.Context) (changed <-chan struct{}, pause time.Duration) {
	never := make(chan struct{})
	switch {
	case ctx.Err() != nil, b.lost:
		return never, 0
	case !b.known:
		return never, retryEvery
	case b.why == "" && b.tally.Waiting > 0:
		ok, changed, pause := b.bound.enter(time.Now())
		if !ok {
			return changed, pause
		}
		err := b.take(ctx)
		if err == nil {
			return nil, 0
		}
		b.bound.exit(false)
		b.m.recorder.note(err, b.r.id)
		if b.lost = errors.Is(err, ErrLeaseLost) || errors.Is(err, ErrEnded); b.lost {
			return nil, 0
		}
		return never, retryEvery
	case b.tally.Running > len(b.open):
		return never, othersEvery
	}
	return never, 0
}

// take takes the first item that waits and starts its run.
func (b *batchWork) take(ctx context.Context) error {
	m, now := b.m, time.Now()
	run := Job{
		ID: newID("run_"), Owner: b.r.owner, Kind: KindRun, State: StateRunning, StartedAt: now,
		Run: &Run{FunctionID: b.r.latest().FunctionID(), Batch: b.r.id},
	}
	if err := m.enter(); err != nil {
		return err
	}
	lease, _ := b.r.held()
	run, runLease, err := m.store.TakeItem(ctx, lease, run, CreateOptions{Holder: m.holder, Until: now.Add(leaseTime)})
	if err != nil {
		m.work.Done()
		return err
	}
	r, runCtx := m.newRecord(run, "", b.r.client)
	r.setLease(runLease)
	m.records.Store(r.id, r)
	b.open[r.id] = r
	go b.runItem(runCtx, r, run)
	return nil
}

// runItem runs an item, and tells its end once that is stored.
func (b *batchWork) runItem(ctx context.Context, r *record, run Job) {
	end := itemEnd{r: r}
	spec := RunSpec{Client: r.client, FunctionID: run.Run.FunctionID, Variables: run.Run.Variables}
	spec.refused = func(err error) (again bool) {
		end.refusal, again = refusalOf(err)
		return again
	}
	b.m.run(ctx, r, spec.work)
	// Behind all entries there is a final one, as soon as the run has ended.
	_, _ = r.next(b.m.ctx, math.MaxInt64, time.Hour)
	b.ended <- end
}

// refusalOf returns Notte's answer if it did not take a run on for a reason that is not
// the item's: then the item waits again.
func refusalOf(err error) (refusal *notte.Error, again bool) {
	refusal, ok := errors.AsType[*notte.Error](err)
	if !ok {
		return nil, false
	}
	return refusal, isBusy(refusal) || endsBatch(refusal)
}

// isBusy reports whether Notte may take the run on later.
func isBusy(e *notte.Error) bool {
	return e.StatusCode == http.StatusTooManyRequests || e.StatusCode == http.StatusServiceUnavailable
}

// endsBatch reports whether Notte would refuse every other item too.
func endsBatch(e *notte.Error) bool {
	switch e.StatusCode {
	case http.StatusUnauthorized, http.StatusPaymentRequired, http.StatusForbidden:
		return true
	}
	return notte.IsNotFound(e)
}

// settle notes the end of an open run.
func (b *batchWork) settle(end itemEnd) {
	delete(b.open, end.r.id)
	b.m.forget(end.r)
	switch e := end.refusal; {
	case e == nil:
	case isBusy(e):
		pause := b.bound.refuse(time.Now(), e.RetryAfter, e.StatusCode == http.StatusTooManyRequests)
		if pause >= toldPause {
			b.r.apply(notte.Event{Type: notte.EventStatus, Status: "Notte takes no more runs for now; the next one starts in " + text.Duration(pause.Round(time.Second))})
		}
	case endsBatch(e):
		b.why = e.Error()
	}
	b.bound.exit(end.refusal == nil)
}

// cancelOpen ends the open runs of a batch that was cancelled, those that other processes
// follow included.
func (b *batchWork) cancelOpen(ctx context.Context) {
	if stopped(ctx) != StateCancelled {
		return
	}
	for _, r := range b.open {
		r.cancel(errCancelled)
	}
	ctx = context.WithoutCancel(ctx)
	for from := 0; b.tally.Running > len(b.open); from += ItemsPage {
		items, err := b.m.store.Items(ctx, b.r.id, from, ItemsPage)
		if err != nil || len(items) == 0 {
			return
		}
		for _, item := range items {
			if item.Run != nil && !item.Run.State.Ended() && b.open[item.Run.ID] == nil {
				_ = b.m.store.Cancel(ctx, item.Run.ID) // it may have ended meanwhile
			}
		}
	}
}

// abandonBatch ends a batch whose process is gone. Nothing is started by itself. Its
// runs are jobs of their own, which end on their own.
func abandonBatch(ctx context.Context, r *record, m *Manager) outcome {
	if stopped(ctx) != StateCancelled {
		return interrupted(abandonedBatch)
	}
	b := &batchWork{m: m, r: r}
	b.count()
	b.cancelOpen(ctx)
	return outcome{StateCancelled, &notte.Event{Type: notte.EventCancelled}}
}

// boundOf returns the bound of an owner's batches.
func (m *Manager) boundOf(owner string) *bound {
	shared, _ := m.bounds.LoadOrStore(owner, newBound())
	return shared.(*bound)
}
