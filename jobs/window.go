package jobs

import (
	"slices"
	"sort"
)

// Bounds of a log in memory. A stream that says more than this in steps has
// its oldest entries dropped; what it means for the job is in the job's state.
const (
	windowEntries = 4096
	windowBytes   = 512 << 10
	entryBytes    = 80 // about what an entry takes besides its text
)

// window is the latest part of a log.
type window struct {
	entries []Entry
	bytes   int
}

func (w *window) add(entries ...Entry) {
	w.entries = append(w.entries, entries...)
	for _, e := range entries {
		w.bytes += entryBytes + len(e.Text)
	}
	if len(w.entries) > windowEntries || w.bytes > windowBytes {
		// A quarter at a time: the rest is moved for it.
		w.shrink(windowEntries*3/4, windowBytes*3/4)
	}
}

// shrink drops the oldest entries until the bounds hold, or one is left.
func (w *window) shrink(entries, bytes int) {
	drop := 0
	for n := len(w.entries); n-drop > 1 && (n-drop > entries || w.bytes > bytes); drop++ {
		w.bytes -= entryBytes + len(w.entries[drop].Text)
	}
	w.entries = slices.Delete(w.entries, 0, drop)
}

// above returns up to limit entries whose Seq is greater than after. The slice
// belongs to the window.
func (w *window) above(after int64, limit int) []Entry {
	i := sort.Search(len(w.entries), func(i int) bool { return w.entries[i].Seq > after })
	rest := w.entries[i:]
	return rest[:min(limit, len(rest))]
}
