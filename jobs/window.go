package jobs

import (
	"context"
	"slices"
	"sort"
	"time"
)

// Bounds of a job's log. Beyond them the oldest entries are dropped, here and in the
// store. Their effect on the job stays in the job's state.
const (
	maxLogEntries = 4096
	maxLogBytes   = 512 << 10
)

// size returns about how many bytes the entry takes.
func (e Entry) size() int {
	const besidesTexts = 80
	return besidesTexts + len(e.Status) + len(e.Delta) + len(e.Name) + len(e.Role) + len(e.ViewerURL) + len(e.FunctionID) +
		len(e.FunctionName) + len(e.CreatedAt) + len(e.ThreadID) + len(e.Error) + len(e.Detail) + len(e.Reason) + len(e.Message)
}

// window is the latest part of a log.
type window struct {
	entries []Entry
	bytes   int
}

func (w *window) add(e Entry) {
	w.entries = append(w.entries, e)
	w.bytes += e.size()
	if len(w.entries) > maxLogEntries || w.bytes > maxLogBytes {
		// A quarter at a time, because the rest is moved for it.
		w.shrink(maxLogEntries*3/4, maxLogBytes*3/4)
	}
}

// shrink drops the oldest entries until the bounds hold, or one is left.
func (w *window) shrink(entries, bytes int) {
	drop := 0
	for n := len(w.entries); n-drop > 1 && (n-drop > entries || w.bytes > bytes); drop++ {
		w.bytes -= w.entries[drop].size()
	}
	w.entries = slices.Delete(w.entries, 0, drop)
}

// above returns the entries whose Seq is greater than after. The slice belongs
// to the window.
func (w *window) above(after int64) []Entry {
	i := sort.Search(len(w.entries), func(i int) bool { return w.entries[i].Seq > after })
	return w.entries[i:]
}

// oldest returns the Seq of the first entry, or 0.
func (w *window) oldest() int64 {
	if len(w.entries) == 0 {
		return 0
	}
	return w.entries[0].Seq
}

// eraseLinks empties the viewer's links.
func (w *window) eraseLinks() {
	for i := range w.entries {
		w.bytes -= len(w.entries[i].ViewerURL)
		w.entries[i].ViewerURL = ""
	}
}

// followBatch is how many entries a follower takes at a time.
const followBatch = 256

// next returns entries above after that are shown. It waits for them at most as
// long as wait says.
func (r *record) next(ctx context.Context, after int64, wait time.Duration) ([]Entry, error) {
	timer := time.NewTimer(wait)
	defer timer.Stop()
	for {
		batch, changed := r.above(after)
		if len(batch) > 0 {
			return batch, nil
		}
		if changed == nil {
			return nil, errStopped
		}
		select {
		case <-changed:
		case <-timer.C:
			return nil, nil
		case <-ctx.Done():
			return nil, context.Cause(ctx)
		}
	}
}

// above returns the entries above after that are shown, or what is closed when
// there are more. Both are nil if the job was released.
func (r *record) above(after int64) ([]Entry, <-chan struct{}) {
	r.mu.Lock()
	defer r.mu.Unlock()
	batch := r.log.above(after)
	for i, e := range batch {
		if e.Seq > r.shown {
			batch = batch[:i]
			break
		}
	}
	if len(batch) > 0 {
		return append([]Entry(nil), batch[:min(followBatch, len(batch))]...), nil
	}
	if r.visible == nil && r.job.State.Ended() {
		// The follower's position is past the end.
		return []Entry{{Seq: after, At: r.job.EndedAt, Final: true}}, nil
	}
	if r.released {
		return nil, nil
	}
	if r.changed == nil {
		r.changed = make(chan struct{})
	}
	return nil, r.changed
}
