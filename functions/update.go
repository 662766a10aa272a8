package functions

import (
	"context"
	"errors"
	"time"

	"github.com/anything-mcp/anything-mcp/notte"
)

// Bounds of the reading of a list.
const (
	pageSize = 100 // the largest that Notte gives
	maxPages = 10
	reserve  = 10               // requests that are left to other calls
	backOff  = 10 * time.Second // after a failure for which Notte named no time
	pollEach = 50 * time.Millisecond
)

// errElsewhere says that another process reads the list, and nothing is stored yet.
var errElsewhere = errors.New("the functions could not be listed, because another process is reading the list from Notte and has not finished: try again in a few seconds")

// errReserved says that the quota of requests is nearly used up.
var errReserved = errors.New("the functions could not be listed, because few requests to Notte are left in this minute: try again in a minute")

// update makes the stored list fresh if it is not, and returns its state. It fails if
// nothing is stored and Notte cannot be asked.
func (c *Catalogue) update(ctx context.Context, client *notte.Client, changed time.Time) (state State, isFresh bool, err error) {
	a := AccountOf(client)
	state, err = c.store.CatalogueState(ctx, a)
	if err != nil || state.isFresh(changed) {
		return state, err == nil, err
	}
	never := state.ReadAt.IsZero()
	if !never && time.Now().Before(state.RetryAt) {
		return state, false, nil
	}
	_, readErr, _ := c.reading.Do(a.Owner+" "+a.APIURL, func() (any, error) {
		return nil, c.readList(context.WithoutCancel(ctx), client, a, state)
	})
	if ctx.Err() != nil {
		return state, false, context.Cause(ctx)
	}
	if state, err = c.store.CatalogueState(ctx, a); err != nil {
		return state, false, err
	}
	if state.ReadAt.IsZero() {
		return state, false, readErr
	}
	if readErr != nil && !errors.Is(readErr, errElsewhere) {
		c.log.Debug("the stored list of functions is used, because Notte's could not be read", "err", readErr)
	}
	return state, state.isFresh(changed), nil
}

// isFresh reports whether the list was read within a minute, and since changed.
func (s State) isFresh(changed time.Time) bool { return isFresh(s.ReadAt) && s.ReadAt.After(changed) }

// readList reads the list from Notte and stores it, unless another process does or
// has since the caller saw its state.
func (c *Catalogue) readList(ctx context.Context, client *notte.Client, a Account, seen State) error {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	began := time.Now()
	mine, err := c.store.LeaseCatalogue(ctx, a, c.holder, seen, began, began.Add(2*patience))
	if err != nil {
		return err
	}
	if !mine {
		return c.awaitOther(ctx, a)
	}
	r := Reading{Began: began}
	err = readPages(ctx, client, &r)
	if err != nil {
		// A part of a list that was never read before is better than nothing.
		r.Failed, r.RetryAt = len(r.Functions) == 0 || !seen.ReadAt.IsZero(), retryAt(err, client)
	}
	ctx = context.WithoutCancel(ctx)
	return errors.Join(err, c.store.PutReading(ctx, a, c.holder, r), c.settlePins(ctx, a, func(p Pin) PinState {
		for _, f := range r.Functions {
			if f.ID == p.FunctionID {
				return p.stateFor(f)
			}
		}
		return p.State
	}))
}

// awaitOther waits until another process has stored a list. It returns at once if one
// is stored already.
func (c *Catalogue) awaitOther(ctx context.Context, a Account) error {
	for {
		state, err := c.store.CatalogueState(context.WithoutCancel(ctx), a)
		if err != nil || !state.ReadAt.IsZero() {
			return err
		}
		select {
		case <-time.After(pollEach):
		case <-ctx.Done():
			return errElsewhere
		}
	}
}

// readPages reads the list page by page into r.
func readPages(ctx context.Context, client *notte.Client, r *Reading) error {
	seen := make(map[string]bool)
	for page := 1; page <= maxPages; page++ {
		if left, _, known := client.Quota(); known && left < reserve {
			return errReserved
		}
		p, err := client.ListFunctions(ctx, page, pageSize)
		if err != nil {
			return err
		}
		before := len(seen)
		for _, f := range p.Items {
			if notte.ValidID(f.ID) && !seen[f.ID] {
				seen[f.ID] = true
				r.Functions = append(r.Functions, newFunction(f, r.Began, true))
			}
		}
		if len(p.Items) < pageSize || len(seen) == before {
			r.Complete = true
			return nil
		}
	}
	return nil
}

// retryAt returns when to ask Notte again after an error.
func retryAt(err error, client *notte.Client) time.Time {
	wait := backOff
	if failed, ok := errors.AsType[*notte.Error](err); ok {
		wait = max(wait, failed.RetryAfter)
	}
	at := time.Now().Add(wait)
	if _, reset, known := client.Quota(); known && errors.Is(err, errReserved) {
		at = reset
	}
	return at
}
