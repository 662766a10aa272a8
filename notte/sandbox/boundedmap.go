package sandbox

import (
	"iter"
	"slices"
)

// maxKept bounds the number of functions, threads, runs, secrets and sessions.
const maxKept = 1000

// boundedMap keeps the maxKept newest values by ID. The age of a value counts
// from its first put. The zero value is empty and ready to use.
type boundedMap[T any] struct {
	byID  map[string]T
	order []string // oldest first
}

// put adds v, or replaces the value with the same ID.
func (m *boundedMap[T]) put(id string, v T) {
	if m.byID == nil {
		m.byID = make(map[string]T)
	}
	if _, ok := m.byID[id]; !ok {
		m.order = append(m.order, id)
	}
	m.byID[id] = v
	if len(m.order) > maxKept {
		delete(m.byID, m.order[0])
		m.order = slices.Delete(m.order, 0, 1)
	}
}

func (m *boundedMap[T]) get(id string) (T, bool) {
	v, ok := m.byID[id]
	return v, ok
}

func (m *boundedMap[T]) drop(id string) {
	if _, ok := m.byID[id]; ok {
		delete(m.byID, id)
		m.order = slices.DeleteFunc(m.order, func(other string) bool { return other == id })
	}
}

// newest yields the values, the newest first.
func (m *boundedMap[T]) newest() iter.Seq[T] {
	return func(yield func(T) bool) {
		for _, id := range slices.Backward(m.order) {
			if !yield(m.byID[id]) {
				return
			}
		}
	}
}

// list returns up to n of the newest values, the oldest of them first.
func (m *boundedMap[T]) list(n int) []T {
	ids := m.order[max(len(m.order)-n, 0):]
	all := make([]T, len(ids))
	for i, id := range ids {
		all[i] = m.byID[id]
	}
	return all
}
