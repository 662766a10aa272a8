package sandbox

import (
	"slices"
	"sync"
	"time"
)

// store holds what the Server keeps between requests. A value in it is never
// changed in place: a change puts a changed copy. So code that has got a value
// may read it without the lock.
type store struct {
	mu        sync.Mutex // guards the fields below
	functions boundedMap[*function]
	threads   boundedMap[*thread]
	runs      boundedMap[*run]
	secrets   boundedMap[*secret]
	playing   map[string]int // thread IDs with the number of scripts being played
	runEnded  signal         // wakes when a run ends early
	file      *file          // nil: memory only

	examples []*function // that the account begins with
	seeded   bool        // it has, or had, the examples
}

// view calls f with the store locked and up to date. f must not change what the
// file keeps.
func (s *store) view(f func()) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.file.begin(s)(false) // loads the file and saves nothing
	s.settle(time.Now())
	f()
}

// change calls f with the store locked and up to date, and saves what f changed.
func (s *store) change(f func()) {
	s.mu.Lock()
	defer s.mu.Unlock()
	end := s.file.begin(s)
	defer end(true)
	s.settle(time.Now())
	f()
}

// settle adds the examples, once, and makes the uploads of all turns that are due
// at now, in their order. It need not be saved, because it has the same effect in
// each process.
func (s *store) settle(now time.Time) {
	if s.examples != nil && !s.seeded {
		for _, f := range s.examples {
			s.functions.put(f.ID, f)
		}
		s.seeded = true
	}
	var due []*thread
	for _, id := range s.threads.order {
		if th := s.threads.byID[id]; th.Turn.due(now) {
			due = append(due, th)
		}
	}
	slices.SortStableFunc(due, func(a, b *thread) int { return a.Turn.Upload.Compare(b.Turn.Upload) })
	for _, th := range due {
		old, _ := s.functions.get(th.Turn.FunctionID)
		f := th.Turn.upload(old)
		s.functions.put(f.ID, f)
		settled := *th
		settled.FunctionID, settled.Turn.Settled = f.ID, true
		s.threads.put(th.ID, &settled)
	}
}
