package sandbox

import (
	"iter"
	"slices"
	"sync"
)

// maxShelved bounds each of functions, runs and sessions.
const maxShelved = 1000

// store is what the Server remembers between requests.
type store struct {
	mu        sync.Mutex // guards the fields below and what they hold
	functions shelf[*function]
	runs      shelf[*run]
	sessions  shelf[*session]
}

func newStore() store {
	return store{functions: newShelf[*function](), runs: newShelf[*run](), sessions: newShelf[*session]()}
}

// shelf keeps the newest values by their ID; the oldest make room.
type shelf[T any] struct {
	byID  map[string]T
	order []string // oldest first
}

func newShelf[T any]() shelf[T] { return shelf[T]{byID: make(map[string]T)} }

// put adds v, or replaces what has its ID.
func (s *shelf[T]) put(id string, v T) {
	if _, ok := s.byID[id]; !ok {
		s.order = append(s.order, id)
	}
	s.byID[id] = v
	if len(s.order) > maxShelved {
		delete(s.byID, s.order[0])
		s.order = slices.Delete(s.order, 0, 1)
	}
}

func (s *shelf[T]) get(id string) (T, bool) {
	v, ok := s.byID[id]
	return v, ok
}

func (s *shelf[T]) drop(id string) {
	if _, ok := s.byID[id]; ok {
		delete(s.byID, id)
		s.order = slices.DeleteFunc(s.order, func(other string) bool { return other == id })
	}
}

// newest goes through the values, the newest first.
func (s *shelf[T]) newest() iter.Seq[T] {
	return func(yield func(T) bool) {
		for _, id := range slices.Backward(s.order) {
			if !yield(s.byID[id]) {
				return
			}
		}
	}
}
