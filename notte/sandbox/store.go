package sandbox

import (
	"iter"
	"slices"
	"sync"
)

// maxKept bounds the number of functions, of runs and of sessions.
const maxKept = 1000

// store holds what the Server keeps between requests.
type store struct {
	mu        sync.Mutex // guards the fields below and what they hold
	functions boundedMap[*function]
	runs      boundedMap[*run]
	sessions  boundedMap[*session]
}

func newStore() store {
	return store{functions: newBoundedMap[*function](), runs: newBoundedMap[*run](), sessions: newBoundedMap[*session]()}
}

// boundedMap keeps the maxKept newest values by ID. The age of a value counts
// from its first put.
type boundedMap[T any] struct {
	byID  map[string]T
	order []string // oldest first
}

func newBoundedMap[T any]() boundedMap[T] { return boundedMap[T]{byID: make(map[string]T)} }

// put adds v, or replaces the value with the same ID.
func (s *boundedMap[T]) put(id string, v T) {
	if _, ok := s.byID[id]; !ok {
		s.order = append(s.order, id)
	}
	s.byID[id] = v
	if len(s.order) > maxKept {
		delete(s.byID, s.order[0])
		s.order = slices.Delete(s.order, 0, 1)
	}
}

func (s *boundedMap[T]) get(id string) (T, bool) {
	v, ok := s.byID[id]
	return v, ok
}

func (s *boundedMap[T]) drop(id string) {
	if _, ok := s.byID[id]; ok {
		delete(s.byID, id)
		s.order = slices.DeleteFunc(s.order, func(other string) bool { return other == id })
	}
}

// newest yields the values, the newest first.
func (s *boundedMap[T]) newest() iter.Seq[T] {
	return func(yield func(T) bool) {
		for _, id := range slices.Backward(s.order) {
			if !yield(s.byID[id]) {
				return
			}
		}
	}
}
